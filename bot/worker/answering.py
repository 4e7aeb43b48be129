"""Has one turn answered and delivered, and writes down how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import structlog

from bot.dialogue import Answer, Conversation, Delta, Message, Outcome, Platform, Turn, Wanted
from bot.errors import (
    BackendError,
    BudgetSpent,
    FrontdeskError,
    PlatformError,
    RateLimited,
    StreamCut,
    Superseded,
)
from bot.ports import Adapter, History, Receipts, Words
from bot.worker.draft import Draft
from bot.worker.ending import Ending
from bot.worker.lateness import apology
from bot.worker.progress import Progress

log = structlog.get_logger()

_MOST_ATTEMPTS = 5
_LONGEST_WAIT = 900.0  # seconds that a turn waits for a model with room before its asker is told


class Engine(Protocol):
    """Answers one turn."""

    def answer(self, turn: Turn) -> AsyncIterator[Delta]:
        """Generate; raises a `BackendError` or `BudgetSpent`."""
        ...


class Lease(Protocol):
    """The right to answer a turn."""

    async def check(self) -> None:
        """Raise where it is broken."""
        ...

    def on_break(self, listener: Callable[[FrontdeskError], None]) -> None:
        """Have the listener called as soon as it is broken."""
        ...


class Leases(Protocol):
    """Keeps leases alive."""

    def hold(self, turn: Turn) -> AbstractAsyncContextManager[Lease]:
        """Keep a lease that was taken this moment alive while the block lasts."""
        ...


class Turns(Protocol):
    """The record of answers."""

    async def finish(self, turn: Turn, answer: Answer) -> Turn | None:
        """End a turn and take up the next."""
        ...

    async def reload(self, turn: Turn) -> Turn:
        """Read what is wanted of it now."""
        ...


class Outbox(Protocol):
    """The record of posts."""

    def receipts(self, turn: Turn, fence: Lease) -> Receipts:
        """Open the record of one answer's posts."""
        ...


class Shelf(Protocol):
    """Keeps what stood in a thread before."""

    async def keep(self, conversation: Conversation, earlier: Sequence[Message]) -> int:
        """Keep messages in front of what is there."""
        ...


class Attaches(Protocol):
    """Reads what is enclosed with a question."""

    async def attach(self, turn: Turn, adapter: Adapter) -> None:
        """Read files and links, and keep what was read; what cannot be read is only noted."""
        ...


class Answerer:
    """Answers turns through the adapter of their platform."""

    def __init__(
        self,
        engine: Engine,
        adapters: Mapping[Platform, Adapter],
        turns: Turns,
        leases: Leases,
        outbox: Outbox,
        shelf: Shelf,
        words: Words,
        attaching: Attaches | None = None,
    ) -> None:
        """`adapters` are those of the platforms this process can deliver to."""
        self._attaching = attaching
        self._engine = engine
        self._adapters = adapters
        self._turns = turns
        self._leases = leases
        self._outbox = outbox
        self._shelf = shelf
        self._words = words
        self._ending = Ending(words)

    async def answer(self, turn: Turn) -> Turn | None:
        """
        Answer a turn that was claimed this moment, and return the conversation's next.

        Raises `LeaseLost` where another worker took it, and `PlatformDown`, `StoreDown` or `RateLimited`
        where a later try may help; whatever was posted is on record then.
        """
        progress = Progress()
        while True:
            if turn.wanted is Wanted.ANSWER:
                progress = Progress()
            async with self._leases.hold(turn) as lease:
                try:
                    answer = await self._carry_out(turn, lease, progress)
                    following = await self._turns.finish(turn, answer)
                except Superseded:
                    turn = await self._turns.reload(turn)
                    continue
            log.info(
                "turn_finished",
                turn=turn.id,
                outcome=str(answer.outcome),
                model=answer.model,
                seconds=round(answer.seconds, 3),
                **({"error": answer.error} if answer.error else {}),
            )
            return following

    async def _carry_out(self, turn: Turn, lease: Lease, progress: Progress) -> Answer:
        """Do what is wanted of the turn now; `progress` is what the try before has made."""
        adapter = self._adapters[turn.conversation.channel.platform]
        receipts = self._outbox.receipts(turn, lease)
        if turn.wanted is Wanted.WITHDRAW:
            return await self._ending.take_away(turn, adapter, receipts)
        if turn.wanted is Wanted.STOP:
            return await self._ending.stop(turn, adapter, receipts, lease, progress)
        return await self._attempt(turn, adapter, receipts, lease, progress)

    async def _attempt(
        self, turn: Turn, adapter: Adapter, receipts: Receipts, lease: Lease, progress: Progress
    ) -> Answer:
        draft = Draft(adapter.cutter(), apology(turn, self._words))
        lease.on_break(draft.fail)
        writing = asyncio.create_task(self._write(turn, adapter, draft, progress))
        try:
            await adapter.send(turn.asked, draft.pieces(), receipts)
            return await writing
        finally:
            writing.cancel()
            # Only waited for: awaiting it would take a cancellation of ours for its own.
            await asyncio.wait({writing})

    async def _write(self, turn: Turn, adapter: Adapter, draft: Draft, progress: Progress) -> Answer:
        """Have the engine write into the draft; whatever fails reaches the draft's reader."""
        try:
            error = await self._prepare_and_generate(turn, adapter, draft, progress)
        except Exception as failure:
            draft.fail(failure)
            raise
        language = self._words.language_for(turn.asked)
        draft.write(self._shown(progress, error, language), done=True)
        return progress.ended(Outcome.FAILED if error else Outcome.DONE, progress.text, error)

    async def _prepare_and_generate(
        self, turn: Turn, adapter: Adapter, draft: Draft, progress: Progress
    ) -> str:
        """Read what belongs to the question, and answer it; return why that failed, or ""."""
        if turn.attempts > _MOST_ATTEMPTS:  # before anything of it is read, which may be what ends workers
            log.error("turn_set_aside", turn=turn.id, attempts=turn.attempts)
            return "poisoned"
        await self._read_thread_first(turn, adapter)
        if self._attaching is not None:
            await self._attaching.attach(turn, adapter)
        return await self._generate(turn, draft, progress)

    async def _read_thread_first(self, turn: Turn, adapter: Adapter) -> None:
        if turn.conversation.history_read or not isinstance(adapter, History):
            return
        try:
            earlier = await adapter.history(turn.asked)
        except PlatformError as error:
            # An answer without the thread is better than none; the next turn tries to read it again.
            log.warning("thread_not_read", turn=turn.id, reason=str(error))
            return
        await self._shelf.keep(turn.conversation, earlier)

    async def _generate(self, turn: Turn, draft: Draft, progress: Progress) -> str:
        """Follow the generation into the draft; return the catalogue's key of why it failed, or ""."""
        try:
            async for delta in self._engine.answer(turn):
                progress.follow(delta)
                if delta.text:
                    draft.write(progress.text)
        except BackendError as error:
            if isinstance(error, RateLimited) and _may_wait(turn, progress):
                raise
            log.warning("model_failed", turn=turn.id, kind=type(error).__name__, reason=str(error))
            return error.reason
        except BudgetSpent:
            log.warning("budget_spent", turn=turn.id)
            return "budget-spent"
        if not progress.text.strip():
            log.warning("model_failed", turn=turn.id, kind="Wordless", reason="the answer has no words")
            return StreamCut.reason
        return ""

    def _shown(self, progress: Progress, error: str, language: str) -> str:
        """Say what stands in the end: the answer with its notes, or an honest word."""
        if error and not progress.text.strip():
            return self._words.say(error, language)
        notes = [progress.aside] if progress.aside else []
        if error:
            notes.append(self._words.say("unfinished", language, reason=self._words.say(error, language)))
        elif progress.limited:
            notes.append(self._words.say("limited", language))
        return "\n\n".join([progress.text.rstrip(), *notes])


def _may_wait(turn: Turn, progress: Progress) -> bool:
    """Say whether a turn waits for a model with room: not with half an answer, and not for ever."""
    return not progress.text.strip() and turn.tried_for < _LONGEST_WAIT
