"""What pages, terminals and commands read of the record."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.dialogue import Channel, Conversation, Entry, EntryState, Platform, Thread, Why
from bot.memory.bell import MISSED, Bell
from bot.memory.database import Database
from bot.memory.models import conversations, messages, pieces, turns
from bot.memory.places import as_conversation, current, key_of
from bot.memory.reasons import explain

_TITLE_CHARACTERS = 60


class Transcripts:
    """The record as people read it."""

    def __init__(self, database: Database, bell: Bell) -> None:
        """`bell` tells of changes."""
        self._database = database
        self._bell = bell

    async def threads(self, platform: Platform, limit: int = 50) -> Sequence[Thread]:
        """List the newest conversations of a platform, newest first, titled by their first words."""
        first = (
            sa.select(messages.c.text)
            .where(
                messages.c.conversation_id == conversations.c.id,
                sa.not_(messages.c.said),
                messages.c.withdrawn_at.is_(None),
            )
            .order_by(messages.c.position)
            .limit(1)
            .scalar_subquery()
        )
        found = (
            sa.select(conversations, sa.func.coalesce(first, "").label("opening"))
            .where(conversations.c.platform == platform)
            .order_by(conversations.c.last_at.desc())
            .limit(limit)
        )
        async with self._database.transaction() as connection:
            rows = (await connection.execute(found)).all()
        return [
            Thread(as_conversation(row._mapping).channel, titled(row.opening), row.last_at) for row in rows
        ]

    async def read(self, channel: Channel, limit: int = 200) -> Sequence[Entry]:
        """Read the newest entries of a channel's conversation, oldest first, the growing answer included."""
        async with self._database.transaction() as connection:
            conversation = await _current(connection, channel)
            if conversation is None:
                return []
            heard = await _heard(connection, conversation.id, limit)
            answers = await _answers(connection, conversation.id, heard)
        return list(_woven(heard, answers))

    async def changes(self, channel: Channel) -> AsyncIterator[None]:
        """Yield at once, and again after every commit that changed what `read` returns."""
        changed = asyncio.Event()
        changed.set()
        number: int | None = None

        def ring(news: str) -> None:
            # Before the first message there is no number to compare with, so any news counts.
            if number is None or news in {f"conversation:{number}", MISSED}:
                changed.set()

        with self._bell.subscribe("conversation:", ring):
            while True:
                await changed.wait()
                changed.clear()
                async with self._database.transaction() as connection:
                    conversation = await _current(connection, channel)
                number = conversation.id if conversation else None
                yield

    async def why(self, turn: int) -> Why | None:
        """Tell why an answer is what it is; None where there is no such turn."""
        async with self._database.transaction() as connection:
            return await explain(connection, turn)

    async def turn_of(self, channel: Channel, message_id: str = "") -> int:
        """Find the turn of a post (or the newest turn of the channel); 0 where there is none."""
        async with self._database.transaction() as connection:
            if message_id:
                found = sa.select(pieces.c.turn_id).where(pieces.c.key == key_of(channel, message_id))
                return (await connection.scalar(found.limit(1))) or 0
            conversation = await _current(connection, channel)
            if conversation is None:
                return 0
            newest = sa.select(sa.func.max(turns.c.id)).where(turns.c.conversation_id == conversation.id)
            return (await connection.scalar(newest)) or 0


def titled(text: str) -> str:
    """Make a title of a conversation's first words."""
    line = " ".join(text.split())
    return line if len(line) <= _TITLE_CHARACTERS else line[: _TITLE_CHARACTERS - 1].rstrip() + "…"


async def _current(connection: AsyncConnection, channel: Channel) -> Conversation | None:
    found = sa.select(conversations).where(conversations.c.id == await current(connection, channel))
    row = (await connection.execute(found)).first()
    return as_conversation(row._mapping) if row is not None else None


async def _heard(
    connection: AsyncConnection, conversation_id: int, limit: int
) -> Sequence[sa.Row[tuple[object, ...]]]:
    found = (
        sa.select(messages)
        .where(
            messages.c.conversation_id == conversation_id,
            sa.not_(messages.c.said),
            messages.c.withdrawn_at.is_(None),
        )
        .order_by(messages.c.position.desc())
        .limit(limit)
    )
    return list(reversed((await connection.execute(found)).all()))


async def _answers(
    connection: AsyncConnection, conversation_id: int, heard: Sequence[sa.Row[tuple[object, ...]]]
) -> dict[int, Entry]:
    """
    Read the answers to what was heard; their text is what was posted, so that it is what people see.

    Posts that were pruned have the text that was said.
    """
    first = min((row.turn_id for row in heard if row.turn_id), default=None)
    if first is None:
        return {}
    posted = (
        sa.select(sa.func.string_agg(pieces.c.text, aggregate_order_by(sa.literal("\n\n"), pieces.c.ordinal)))
        .where(pieces.c.turn_id == turns.c.id, pieces.c.state != "removed")
        .scalar_subquery()
    )
    said = (
        sa.select(messages.c.text)
        .where(messages.c.turn_id == turns.c.id, messages.c.said, messages.c.withdrawn_at.is_(None))
        .limit(1)
        .scalar_subquery()
    )
    text = sa.func.coalesce(sa.func.nullif(sa.func.trim(posted, "\n"), ""), said, "")
    found = sa.select(turns, text.label("posted")).where(
        turns.c.conversation_id == conversation_id, turns.c.id >= first
    )
    return {row.id: _answer(row) for row in await connection.execute(found)}


def _answer(row: sa.Row[tuple[object, ...]]) -> Entry:
    ended = {"done": EntryState.DONE, "failed": EntryState.FAILED, "stopped": EntryState.STOPPED}
    state = ended.get(row.state, EntryState.WRITING if row.posted else EntryState.WAITING)
    at = row.finished_at or row.started_at or row.created_at
    return Entry(f"answer-{row.id}", "", row.posted, state, at, row.id)


def _woven(heard: Sequence[sa.Row[tuple[object, ...]]], answers: dict[int, Entry]) -> Iterator[Entry]:
    """Put each answer right after the last message of its question."""
    last = {row.turn_id: row.id for row in heard if row.turn_id}
    for row in heard:
        yield Entry(
            row.platform_id, row.author_name, row.text, EntryState.HEARD, row.sent_at, row.turn_id or 0
        )
        if row.turn_id in answers and last[row.turn_id] == row.id:
            yield answers[row.turn_id]
