"""Forgets what is kept for a time only, a little at a time, so that no table grows for ever unasked."""

from __future__ import annotations

import time
from typing import LiteralString

import structlog

from bot.dialogue import Platform
from bot.memory.database import Database
from bot.memory.direct import Run
from bot.memory.erasing import erase_conversations

log = structlog.get_logger()

_LOCK = 7_026_112_302  # one process prunes at a time, whichever comes first
_BATCH = 200  # rows, so that no lock is held for long
_FEW = 20  # conversations, since all that hangs on them goes with them
_SELDOM = 3600.0


class Pruning:
    """
    Deletes details and whole conversations once their days are over; 0 days means never.

    Details are what went into an answer (its manifest), the posts' texts where the answer is kept as a
    message too, earlier texts of edited messages, and pictures.
    """

    def __init__(
        self, database: Database, conversation_days: int = 0, detail_days: int = 90, every: float = 60.0
    ) -> None:
        """A conversation's days are counted from the last word in it; it looks every so many seconds."""
        self._database = database
        self._conversation_days = conversation_days
        self._detail_days = detail_days
        self._every = every
        self._looked = self._tidied = -_SELDOM

    async def sweep(self) -> None:
        """Prune some of what is due; called often, it looks only now and then, and at once where more is."""
        if time.monotonic() - self._looked < self._every:
            return
        more = False
        if self._detail_days:
            for name, statement in _DETAILS.items():
                more |= await self._details(name, statement)
        if self._conversation_days:
            for platform in Platform:
                more |= await self._conversations(platform)
        if time.monotonic() - self._tidied >= _SELDOM:
            await self._tidy()
        self._looked = -self._every if more else time.monotonic()

    async def _details(self, name: str, statement: LiteralString) -> bool:
        async with self._database.statements() as run:
            if not await _alone(run):
                return False
            rows = await run(statement, days=self._detail_days, batch=_BATCH)
        pruned = int(rows[0]["count"])
        if pruned:
            log.info("pruned", what=name, count=pruned)
        return pruned == _BATCH

    async def _conversations(self, platform: Platform) -> bool:
        async with self._database.statements() as run:
            if not await _alone(run):
                return False
            given = {"platform": str(platform), "days": self._conversation_days, "batch": _FEW}
            numbers = [row["id"] for row in await run(_SILENT, **given)]
            if numbers:
                await erase_conversations(run, platform, numbers)
        if numbers:
            log.info("pruned", what="conversations", platform=str(platform), count=len(numbers))
        return len(numbers) == _FEW

    async def _tidy(self) -> None:
        """Delete what is small and seldom: read whole, so only once an hour."""
        async with self._database.statements() as run:
            if not await _alone(run):
                return
            for statement in _SMALL:
                await run(statement)
        self._tidied = time.monotonic()


async def _alone(run: Run) -> bool:
    """Say whether no other process prunes; so it is until the transaction ends."""
    rows = await run("SELECT pg_try_advisory_xact_lock(%(number)s) AS taken", number=_LOCK)
    return bool(rows[0]["taken"])


# An answer without a message of its own, an apology say, has its text in its posts alone: that stays.
_DETAILS: dict[str, LiteralString] = {
    "manifests": """
WITH due AS (
    SELECT id FROM turns
    WHERE manifest IS NOT NULL AND finished_at < now() - make_interval(days => %(days)s)
        AND state NOT IN ('waiting', 'answering')
    ORDER BY finished_at LIMIT %(batch)s FOR UPDATE SKIP LOCKED
), forgotten AS (
    UPDATE turns SET manifest = NULL FROM due WHERE turns.id = due.id
), repeated AS (
    UPDATE pieces SET text = '' FROM due
    WHERE pieces.turn_id = due.id AND pieces.state = 'final' AND pieces.text <> '' AND EXISTS (
        SELECT FROM messages WHERE messages.turn_id = due.id AND said AND withdrawn_at IS NULL)
)
SELECT count(*) FROM due
""",
    "revisions": """
WITH due AS (
    SELECT message_id, revision FROM message_revisions
    WHERE replaced_at < now() - make_interval(days => %(days)s)
    ORDER BY replaced_at LIMIT %(batch)s FOR UPDATE SKIP LOCKED
), forgotten AS (
    DELETE FROM message_revisions kept USING due
    WHERE kept.message_id = due.message_id AND kept.revision = due.revision
)
SELECT count(*) FROM due
""",
    "pictures": """
WITH due AS (
    SELECT message_id, ordinal FROM attachments
    WHERE picture IS NOT NULL AND read_at < now() - make_interval(days => %(days)s)
    ORDER BY read_at LIMIT %(batch)s FOR UPDATE SKIP LOCKED
), forgotten AS (
    UPDATE attachments kept SET picture = NULL FROM due
    WHERE kept.message_id = due.message_id AND kept.ordinal = due.ordinal
)
SELECT count(*) FROM due
""",
}

_SILENT: LiteralString = """
SELECT id FROM conversations
WHERE platform = %(platform)s AND last_at < now() - make_interval(days => %(days)s)
    AND (lease_until IS NULL OR lease_until < now() - interval '1 minute') AND NOT EXISTS (
        SELECT FROM turns WHERE conversation_id = conversations.id AND state IN ('waiting', 'answering'))
ORDER BY last_at LIMIT %(batch)s FOR UPDATE SKIP LOCKED
"""

_SMALL: tuple[LiteralString, ...] = (
    # A wake-up that was aborted: its turn is open still, and was woken anew.
    """
DELETE FROM procrastinate_jobs WHERE status NOT IN ('todo', 'doing') AND NOT EXISTS (
    SELECT FROM procrastinate_events
    WHERE job_id = procrastinate_jobs.id AND at > now() - interval '7 days')
""",
    "DELETE FROM spending WHERE day < current_date - 800",
    "DELETE FROM troubles WHERE last_at < now() - interval '90 days'",
)
