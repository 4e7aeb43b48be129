"""Ends an answer before its end: stopped by a person where it stands, or taken away with its question."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from bot.dialogue import Answer, Outcome, Turn
from bot.errors import FrontdeskError
from bot.ports import Adapter, Receipts, Words
from bot.worker.draft import Draft
from bot.worker.lateness import apology
from bot.worker.progress import Progress


class Lease(Protocol):
    """The right to answer a turn."""

    def on_break(self, listener: Callable[[FrontdeskError], None]) -> None:
        """Have the listener called as soon as it is broken."""
        ...


class Ending:
    """Carries out what is wanted of a turn that shall not be answered any further."""

    def __init__(self, words: Words) -> None:
        """`words` say the note under what was stopped."""
        self._words = words

    async def stop(
        self, turn: Turn, adapter: Adapter, receipts: Receipts, lease: Lease, progress: Progress
    ) -> Answer:
        """
        End what stands with a note; where nothing stands, nothing is posted, and a word that one waits goes.

        `progress` is what this process made of it; after another process died, the record says what stands.
        """
        standing = await receipts.standing()
        if not standing:
            return progress.ended(Outcome.STOPPED, "")
        if all(slot.provisional for slot in standing):
            await adapter.take_away(turn.asked, receipts)
            return progress.ended(Outcome.STOPPED, "")
        note = self._words.say("stopped", self._words.language_for(turn.asked))
        opening = apology(turn, self._words)
        text = progress.text.strip() or "\n\n".join(slot.text for slot in standing)
        text = text.removesuffix(note).rstrip().removeprefix(opening).lstrip()
        draft = Draft(adapter.cutter(), opening)
        lease.on_break(draft.fail)
        draft.write(f"{text}\n\n{note}".strip(), done=True)
        await adapter.send(turn.asked, draft.pieces(), receipts)
        return progress.ended(Outcome.STOPPED, text)

    async def take_away(self, turn: Turn, adapter: Adapter, receipts: Receipts) -> Answer:
        """Delete what stands."""
        await adapter.take_away(turn.asked, receipts)
        return Progress().ended(Outcome.WITHDRAWN, "")
