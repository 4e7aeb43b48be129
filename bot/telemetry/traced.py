"""Traces at the seams: each class wraps one, is one itself, and tells what passes how long it took."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Generic

from bot.dialogue import Accepted, Answer, Context, Delta, Message, Piece, Slot, Turn
from bot.ports import Backend, Door, Receipts
from bot.telemetry.passing import (
    Answerer,
    Fence_contra,
    Outbox,
    PassedBackend,
    PassedDoor,
    PassedReceipts,
    PassedTurns,
    Recalled_co,
    Remembers,
    Turns,
)
from bot.telemetry.tracing import Tracing, Values


class TracedDoor(PassedDoor):
    """A door where traces begin."""

    def __init__(self, inner: Door, tracing: Tracing) -> None:
        """`inner` is the door itself."""
        super().__init__(inner)
        self._tracing = tracing

    async def accept(self, message: Message) -> Accepted:
        """Tell what will be answered, once however often it comes."""
        began = time.time_ns()
        accepted = await super().accept(message)
        if accepted in {Accepted.NEW, Accepted.JOINED}:
            platform = str(message.channel.platform)
            self._tracing.accepted(message, began, {"platform": platform, "accepted": str(accepted)})
        return accepted


class TracedAnswerer:
    """An answerer whose turns have a span each."""

    def __init__(self, inner: Answerer, tracing: Tracing) -> None:
        """`inner` answers."""
        self._inner = inner
        self._tracing = tracing

    async def answer(self, turn: Turn) -> Turn | None:
        """Open the turn's span around it."""
        with self._tracing.turn(turn):
            return await self._inner.answer(turn)


class TracedTurns(PassedTurns):
    """Turns whose end is told; their claim is told by the answerer's span, which begins with it."""

    def __init__(self, inner: Turns, tracing: Tracing) -> None:
        """`inner` is the record itself."""
        super().__init__(inner)
        self._tracing = tracing

    async def finish(self, turn: Turn, answer: Answer) -> Turn | None:
        """Tell how the turn ended."""
        self._tracing.remark({"outcome": str(answer.outcome), "model": answer.model, "error": answer.error})
        with self._tracing.part("finish"):
            return await super().finish(turn, answer)


class TracedMemory(Generic[Recalled_co]):
    """A memory whose recalls are told."""

    def __init__(self, inner: Remembers[Recalled_co], tracing: Tracing) -> None:
        """`inner` remembers."""
        self._inner = inner
        self._tracing = tracing

    async def recall(self, turn: Turn, budget: int, *, sees: bool = True) -> Recalled_co:
        """Tell how long it took."""
        with self._tracing.part("recall", {"budget": budget}):
            return await self._inner.recall(turn, budget, sees=sees)

    async def factor(self, model: str, unknown: float) -> float:
        """Pass on."""
        return await self._inner.factor(model, unknown)

    async def calibrate(self, model: str, measured: float) -> None:
        """Pass on."""
        await self._inner.calibrate(model, measured)

    async def spent_today(self, conversation_id: int) -> int:
        """Pass on."""
        return await self._inner.spent_today(conversation_id)

    async def spend(self, conversation_id: int, tokens: int, cost: Decimal | None = None) -> None:
        """Pass on."""
        await self._inner.spend(conversation_id, tokens, cost)


class TracedBackend(PassedBackend):
    """A backend whose calls are told."""

    def __init__(self, inner: Backend, tracing: Tracing) -> None:
        """`inner` generates."""
        super().__init__(inner)
        self._tracing = tracing

    async def stream(self, context: Context) -> AsyncIterator[Delta]:
        """Tell when the first token came, and how many there were in all."""
        began = time.monotonic()
        values: Values = {"model": self.name}
        with self._tracing.part("model", values):
            async for delta in self._inner.stream(context):
                if delta.text or delta.thought:
                    values.setdefault("first_token_seconds", time.monotonic() - began)
                if delta.usage is not None:
                    values["prompt_tokens"] = delta.usage.prompt_tokens
                    values["completion_tokens"] = delta.usage.completion_tokens
                yield delta


class TracedOutbox(Generic[Fence_contra]):
    """An outbox whose posts are told."""

    def __init__(self, inner: Outbox[Fence_contra], tracing: Tracing) -> None:
        """`inner` is the record itself."""
        self._inner = inner
        self._tracing = tracing

    def receipts(self, turn: Turn, fence: Fence_contra) -> Receipts:
        """Open the record of one answer's posts."""
        return _TracedReceipts(self._inner.receipts(turn, fence), self._tracing)


class _TracedReceipts(PassedReceipts):
    """A post is told from when it was recorded until its id was; later edits are not."""

    def __init__(self, inner: Receipts, tracing: Tracing) -> None:
        super().__init__(inner)
        self._tracing = tracing
        self._begun: dict[int, int] = {}

    async def sending(self, piece: Piece) -> Slot:
        self._begun[piece.ordinal] = time.time_ns()
        return await super().sending(piece)

    async def sent(self, piece: Piece, message_id: str) -> None:
        await super().sent(piece, message_id)
        began = self._begun.pop(piece.ordinal, None)
        if began is not None:
            self._tracing.past("post", began, {"ordinal": piece.ordinal})
