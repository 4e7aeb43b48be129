"""Turns that wait for a worker or a model while nothing of them is seen, to be told so once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import LiteralString

from bot.dialogue import Channel, Platform, Turn
from bot.memory.claims import QUESTION
from bot.memory.database import Database
from bot.memory.direct import Run
from bot.memory.places import as_conversation
from bot.memory.rows import Row
from bot.memory.turns import LeaseTerms, asked_by

_SOME = 500  # at a time


class Waiting:
    """
    The turns in the queue.

    To tell somebody that they wait, the conversation's lease is taken for that moment, so that no post is
    made beside an answer that begins; the turn's try is not counted, and a pause it is in goes on after.
    """

    def __init__(
        self, database: Database, platforms: Sequence[Platform], terms: LeaseTerms, after: float = 5.0
    ) -> None:
        """`after` is for how many seconds one waits in silence."""
        self._database = database
        self._platforms = [str(platform) for platform in platforms]
        self._terms = terms
        self._after = after

    async def untold(self) -> Sequence[tuple[int, Channel]]:
        """
        Find turns whose askers shall be told, the oldest first, and where each is to be answered.

        Where an answer of the same conversation is on its way people see that it grows; and nothing is posted
        for a turn before something stands of those before it, for posts stay in the order they are made.
        """
        rows = await self._database.run(_UNTOLD, platforms=self._platforms, after=self._after, some=_SOME)
        return [(row["turn_id"], as_conversation(row).channel) for row in rows]

    async def take(self, number: int) -> tuple[Turn, float] | None:
        """
        Take the lease for a turn that still waits, with the seconds that its pause goes on.

        None where it does no more, or somebody is at work in its conversation.
        """
        taken_at = time.monotonic()
        async with self._database.statements() as run:
            if not await run(_LOCK, turn=number):
                return None
            rows = await run(_TAKE, turn=number, seconds=self._terms.seconds, call=self._terms.call)
            if not rows:
                return None
            return await self._taken(run, number, rows[0], taken_at), rows[0]["pause"]

    async def give_back(self, turn: Turn, pause: float, *, told: bool, ended: bool = True) -> None:
        """
        Let the turn wait on; who came for the conversation meanwhile comes again at once.

        Where the post has not ended well the platform may still carry it out: that is waited out first.
        """
        pause = pause if ended else max(pause, self._terms.call)
        await self._database.run(
            _GIVE_BACK,
            turn=turn.id,
            conversation=turn.conversation.id,
            epoch=turn.epoch,
            told=told,
            pause=pause,
            call=self._terms.call,
            lock=f"answer:{turn.conversation.id}",
        )

    async def _taken(self, run: Run, number: int, row: Row, taken_at: float) -> Turn:
        conversation = as_conversation(row)
        spoken = replace(conversation.channel, language=row["place_language"] or "")
        conversation = replace(conversation, channel=spoken)
        rows = await run(QUESTION, turn=number, platform=spoken.platform)
        question = asked_by(rows, conversation)
        revision = rows[0]["wanted_revision"]
        return Turn(number, conversation, question, row["lease_epoch"], revision, row["attempts"], taken_at)


_UNTOLD: LiteralString = """
SELECT turns.id AS turn_id, conversations.*
FROM turns JOIN conversations ON conversations.id = turns.conversation_id
WHERE turns.state = 'waiting' AND queued_told_at IS NULL AND visible_at IS NULL AND wanted = 'answer'
    AND turns.created_at < now() - make_interval(secs => %(after)s)
    AND conversations.platform = ANY(%(platforms)s)
    AND NOT EXISTS (
        SELECT FROM turns AS other
        WHERE other.conversation_id = turns.conversation_id AND (other.state = 'answering'
            OR other.state = 'waiting' AND other.id < turns.id AND NOT EXISTS (
                SELECT FROM pieces
                WHERE pieces.turn_id = other.id AND message_id IS NOT NULL AND state <> 'removed')))
ORDER BY turns.created_at LIMIT %(some)s
"""

# Two statements: one that waited for a lock would still choose by what stood before.
_LOCK: LiteralString = """
SELECT id FROM conversations WHERE id = (SELECT conversation_id FROM turns WHERE id = %(turn)s)
FOR UPDATE SKIP LOCKED
"""

_TAKE: LiteralString = """
WITH here AS (
    SELECT conversations.*, greatest(
        extract(epoch FROM lease_until - now())::float + %(call)s, 0) AS pause
    FROM turns JOIN conversations ON conversations.id = turns.conversation_id
    WHERE turns.id = %(turn)s AND NOT EXISTS (
        SELECT FROM turns AS other
        WHERE other.conversation_id = conversations.id AND other.state = 'answering')
), taken AS (
    UPDATE turns SET state = 'answering', epoch = here.lease_epoch + 1, attempts = attempts + 1
    FROM here WHERE turns.id = %(turn)s AND state = 'waiting' AND queued_told_at IS NULL
        AND visible_at IS NULL AND wanted = 'answer'
    RETURNING turns.attempts
), leased AS (
    UPDATE conversations
    SET lease_epoch = lease_epoch + 1, lease_until = now() + make_interval(secs => %(seconds)s)
    WHERE id = (SELECT id FROM here) AND EXISTS (SELECT FROM taken)
    RETURNING conversations.lease_epoch AS epoch
)
SELECT here.id, here.key, here.platform, here.workspace, here.place, here.root, here.kind, here.name,
    here.parent, here.branching, here.history_read, coalesce(here.pause, 0) AS pause, taken.attempts,
    leased.epoch AS lease_epoch, (
        SELECT language FROM workspaces
        WHERE platform = here.platform AND workspace = here.workspace) AS place_language
FROM here JOIN taken ON true JOIN leased ON true
"""

# A wake-up that was put off only because of us, not by a pause, is due again.
_GIVE_BACK: LiteralString = """
WITH held AS (
    SELECT id FROM conversations WHERE id = %(conversation)s AND lease_epoch = %(epoch)s FOR UPDATE
), back AS (
    UPDATE turns SET state = 'waiting', attempts = attempts - 1,
        queued_told_at = CASE WHEN %(told)s THEN now() END
    FROM held WHERE turns.id = %(turn)s AND state = 'answering' AND epoch = %(epoch)s
    RETURNING turns.id
), freed AS (
    UPDATE conversations
    SET lease_epoch = lease_epoch + 1,
        lease_until = CASE WHEN %(pause)s > 0 THEN now() + make_interval(secs => %(pause)s - %(call)s) END
    FROM held WHERE conversations.id = held.id AND EXISTS (SELECT FROM back)
)
UPDATE procrastinate_jobs SET scheduled_at = NULL
WHERE lock = %(lock)s AND status = 'todo' AND scheduled_at > now() AND %(pause)s <= 0
    AND EXISTS (SELECT FROM back)
"""
