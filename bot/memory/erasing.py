"""Really erases: what people deleted, after its time, and the data of workspaces that the bot has left."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import LiteralString

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.dialogue import Platform
from bot.memory.database import Database, told_by
from bot.memory.direct import Run
from bot.memory.models import (
    attachments,
    conversations,
    deletions,
    eras,
    message_revisions,
    messages,
    pieces,
    spending,
    troubles,
    turns,
    votes,
    workspaces,
)

log = structlog.get_logger()

_TEXTS = 200  # at a time, so that no sweep holds rows for long
_CONVERSATIONS = 50
_LOCK = 7_026_112_303  # one process erases what was left at a time
_NOTED = sa.text("interval '1 day'")


@dataclass(frozen=True, slots=True)
class Erased:
    """How much was erased."""

    conversations: int = 0
    messages: int = 0
    answers: int = 0


class Erasing:
    """Forgets for good."""

    def __init__(self, database: Database, keep_days: int = 30, every: float = 60.0) -> None:
        """`keep_days` is how long a removed workspace's data is kept; a sweep works every so many seconds."""
        self._database = database
        self._keep_days = keep_days
        self._every = every
        self._swept = -every

    async def sweep(self) -> None:
        """Erase some of what is due; called often, it looks only now and then."""
        if time.monotonic() - self._swept < self._every:
            return
        async with self._database.transaction() as connection:
            erased = await _erase_texts(connection)
            await connection.execute(
                deletions.delete().where(deletions.c.deleted_at < sa.func.now() - _NOTED)
            )
        if erased:
            log.info("texts_erased", count=erased)
        more = await self._erase_left() or erased == _TEXTS
        # Only where no more is left: a batch is followed by the next at once.
        self._swept = -self._every if more else time.monotonic()

    async def workspace(self, platform: Platform, workspace: str) -> Erased | None:
        """Erase all that is kept of a workspace, at once; None where nothing is known of it."""
        if not await self._knows(platform, workspace):
            return None
        whole = Erased()
        while (part := await self._some(platform, workspace)) is not None:
            whole = Erased(
                whole.conversations + part.conversations,
                whole.messages + part.messages,
                whole.answers + part.answers,
            )
        log.info("workspace_erased", platform=str(platform), workspace=workspace, messages=whole.messages)
        return whole

    async def _knows(self, platform: Platform, workspace: str) -> bool:
        async with self._database.transaction() as connection:
            for table in (workspaces, conversations, eras, spending):
                here = (table.c.platform == platform) & (table.c.workspace == workspace)
                if await connection.scalar(sa.select(sa.exists().where(here))):
                    return True
        return False

    async def _erase_left(self) -> bool:
        """
        Erase some of each workspace whose time is over; True where more is left.

        One process does it, a batch a sweep, since what else is swept must not wait for it.
        """
        over = sa.func.now() - sa.func.make_interval(0, 0, 0, self._keep_days)
        due = sa.select(workspaces.c.platform, workspaces.c.workspace).where(workspaces.c.left_at <= over)
        async with self._database.transaction() as connection:
            rows = (await connection.execute(due)).all()
        parts = [await self._some(Platform(row.platform), row.workspace, patient=False) for row in rows]
        return any(part is not None and part.conversations for part in parts)

    async def _some(self, platform: Platform, workspace: str, *, patient: bool = True) -> Erased | None:
        """
        Erase some conversations; once none is left all the rest, and return None.

        Who is not `patient` leaves what another process is erasing to that.
        """
        here = (conversations.c.platform == platform) & (conversations.c.workspace == workspace)
        async with self._database.transaction() as connection:
            alone = sa.func.pg_try_advisory_xact_lock(_LOCK)
            if not patient and not await connection.scalar(sa.select(alone)):
                return Erased()
            found = sa.select(conversations.c.id).where(here).order_by(conversations.c.id)
            numbers = (await connection.scalars(found.limit(_CONVERSATIONS).with_for_update())).all()
            if not numbers:
                await _erase_rest(connection, platform, workspace)
                return None
            return await erase_conversations(told_by(connection), platform, numbers)


async def _erase_texts(connection: AsyncConnection) -> int:
    """Empty the texts of messages whose time is over, and all that was made of them."""
    due = (
        sa.select(messages.c.id, messages.c.turn_id)
        .where(messages.c.erase_at <= sa.func.now())
        .order_by(messages.c.erase_at)
        .limit(_TEXTS)
        .with_for_update(skip_locked=True)
    )
    rows = (await connection.execute(due)).all()
    if not rows:
        return 0
    numbers = [row.id for row in rows]
    empty: dict[str, object] = {"text": "", "author_name": "", "files": [], "erase_at": None}
    await connection.execute(messages.update().where(messages.c.id.in_(numbers)).values(**empty))
    for table in (message_revisions, attachments):
        await connection.execute(table.delete().where(table.c.message_id.in_(numbers)))
    await _erase_answers(connection, {row.turn_id for row in rows if row.turn_id is not None})
    return len(rows)


async def _erase_answers(connection: AsyncConnection, turn_ids: Collection[int]) -> None:
    """Empty the posts of answers to which no message is left, neither asked nor said."""
    left = sa.exists().where(messages.c.turn_id == turns.c.id, messages.c.withdrawn_at.is_(None))
    silent = sa.select(turns.c.id).where(turns.c.id.in_(turn_ids), sa.not_(left))
    answered = sa.select(messages.c.turn_id).where(
        messages.c.turn_id == turns.c.id, messages.c.said, messages.c.withdrawn_at.is_(None)
    )
    mute = sa.select(turns.c.id).where(turns.c.id.in_(turn_ids), turns.c.state == "done", ~answered.exists())
    numbers = (await connection.scalars(silent.union(mute))).all()
    await connection.execute(pieces.update().where(pieces.c.turn_id.in_(numbers)).values(text=""))
    await connection.execute(votes.update().where(votes.c.turn_id.in_(numbers)).values(reason=""))
    await connection.execute(turns.update().where(turns.c.id.in_(numbers)).values(manifest=sa.null()))


async def erase_conversations(run: Run, platform: Platform, numbers: Sequence[int]) -> Erased:
    """Delete conversations with all that hangs on them, and what is known of people who ask nowhere else."""
    rows = await run(_ERASE, platform=str(platform), numbers=list(numbers))
    await run(_FORGET_PEOPLE, platform=str(platform), people=rows[0]["askers"])
    return Erased(len(numbers), rows[0]["heard"], rows[0]["answered"])


_ERASE: LiteralString = """
WITH asked AS (
    SELECT asker_id FROM turns WHERE conversation_id = ANY(%(numbers)s)
), heard AS (
    SELECT count(*) AS count FROM messages WHERE conversation_id = ANY(%(numbers)s) AND NOT said
), gone AS (
    DELETE FROM conversations WHERE id = ANY(%(numbers)s)
)
SELECT ARRAY(SELECT DISTINCT asker_id FROM asked) AS askers, (SELECT count(*) FROM asked) AS answered,
    (SELECT count FROM heard) AS heard
"""

# Who asks elsewhere too keeps the language they chose.
_FORGET_PEOPLE: LiteralString = """
DELETE FROM people WHERE platform = %(platform)s AND person_id = ANY(%(people)s)
    AND NOT EXISTS (SELECT FROM turns WHERE asker_id = person_id)
"""


async def _erase_rest(connection: AsyncConnection, platform: Platform, workspace: str) -> None:
    for table in (eras, spending, troubles, workspaces):
        here = (table.c.platform == platform) & (table.c.workspace == workspace)
        await connection.execute(table.delete().where(here))
    noted = sa.func.starts_with(deletions.c.key, f"{platform}:{workspace}:")
    await connection.execute(deletions.delete().where(noted))
