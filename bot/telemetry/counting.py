"""Counts at the seams: each class wraps one, is one itself, and changes nothing of what goes through."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Generic

from bot.dialogue import Accepted, Answer, Context, Delta, Message, Piece, Platform, Slot, Turn
from bot.errors import BackendError
from bot.ports import Backend, Door, Receipts
from bot.telemetry.metrics import Metrics
from bot.telemetry.passing import (
    Answerer,
    Fence_contra,
    Outbox,
    PassedBackend,
    PassedDoor,
    PassedReceipts,
    PassedTurns,
    Turns,
)


class CountedDoor(PassedDoor):
    """A door that counts what is accepted."""

    def __init__(self, inner: Door, metrics: Metrics) -> None:
        """`inner` is the door itself."""
        super().__init__(inner)
        self._metrics = metrics

    async def accept(self, message: Message) -> Accepted:
        """Count what will be answered, once however often it comes."""
        accepted = await super().accept(message)
        if accepted in {Accepted.NEW, Accepted.JOINED}:
            self._metrics.accepted(message.channel.platform)
        return accepted


class CountedTurns(PassedTurns):
    """Turns whose beginning and end are counted."""

    def __init__(self, inner: Turns, metrics: Metrics) -> None:
        """`inner` is the record itself."""
        super().__init__(inner)
        self._metrics = metrics

    async def claim(self, conversation_id: int) -> Turn | None:
        """Count what is taken up, and what is taken over."""
        return self._taken(await super().claim(conversation_id))

    async def finish(self, turn: Turn, answer: Answer) -> Turn | None:
        """Count what has ended, once it is written."""
        following = await super().finish(turn, answer)
        self._metrics.ended(turn, answer)
        return self._taken(following)

    def _taken(self, turn: Turn | None) -> Turn | None:
        if turn is not None:
            self._metrics.taken(turn)
        return turn


class CountedAnswerer:
    """An answerer whose answers in hand are counted."""

    def __init__(self, inner: Answerer, metrics: Metrics) -> None:
        """`inner` answers."""
        self._inner = inner
        self._metrics = metrics

    async def answer(self, turn: Turn) -> Turn | None:
        """Count it while it is in hand."""
        with self._metrics.in_work.labels(turn.conversation.channel.platform).track_inprogress():
            return await self._inner.answer(turn)


class CountedOutbox(Generic[Fence_contra]):
    """An outbox whose posts are counted."""

    def __init__(self, inner: Outbox[Fence_contra], metrics: Metrics) -> None:
        """`inner` is the record itself."""
        self._inner = inner
        self._metrics = metrics

    def receipts(self, turn: Turn, fence: Fence_contra) -> Receipts:
        """Open the record of one answer's posts."""
        platform = turn.conversation.channel.platform
        return _CountedReceipts(self._inner.receipts(turn, fence), platform, self._metrics)


class _CountedReceipts(PassedReceipts):
    def __init__(self, inner: Receipts, platform: Platform, metrics: Metrics) -> None:
        super().__init__(inner)
        self._platform = platform
        self._metrics = metrics

    async def sending(self, piece: Piece) -> Slot:
        slot = await super().sending(piece)
        if slot.unsure:
            self._metrics.retried(self._platform)
        return slot

    async def sent(self, piece: Piece, message_id: str) -> None:
        await super().sent(piece, message_id)
        self._metrics.posted(self._platform)


class TimedBackend(PassedBackend):
    """A backend whose calls are counted and whose first tokens are timed."""

    def __init__(self, inner: Backend, metrics: Metrics) -> None:
        """`inner` generates."""
        super().__init__(inner)
        self._metrics = metrics

    async def stream(self, context: Context) -> AsyncIterator[Delta]:
        """Generate; a call that nobody wants to its end counts as "left"."""
        began, first, outcome = time.monotonic(), None, "left"
        try:
            async for delta in self._inner.stream(context):
                if first is None and (delta.text or delta.thought):
                    first = time.monotonic() - began
                yield delta
            outcome = "ok"
        except BackendError as error:
            outcome = type(error).__name__
            raise
        finally:
            self._metrics.called(self.name, outcome, first)
