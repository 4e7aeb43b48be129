"""Takes what people deleted out of the record: never read again, its answers taken away, erased later."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.dialogue import Channel, Deletion, Platform
from bot.memory.database import Database
from bot.memory.leaving import leave_context, leave_said, quoting, rows_of, unquote
from bot.memory.models import conversations, deletions, messages, pieces, summary_blocks, turns
from bot.memory.news import hurry, tell_conversation, tell_turn, wake, want_anew
from bot.memory.places import key_of, lock_conversations, lock_name
from bot.memory.targets import OPEN

log = structlog.get_logger()


class Withdrawals:
    """What people deleted."""

    def __init__(self, database: Database, keep_days: int = 30) -> None:
        """After `keep_days` the texts are really erased."""
        self._database = database
        self._keep_days = keep_days

    async def withdraw(self, deletion: Deletion) -> None:
        """
        Have deleted messages never read again, and the answers to them taken away.

        What is not known yet is noted for a day: if it comes, it is not heard. A deletion without ids is
        that of the whole channel, with all its posts.
        """
        async with self._database.transaction() as connection:
            await lock_place(connection, deletion.channel, alone=True)
            if deletion.message_ids:
                count = await self._messages(connection, deletion)
            else:
                count = await self._place(connection, deletion.channel)
        log.info("messages_withdrawn", platform=str(deletion.channel.platform), count=count)

    async def _messages(self, connection: AsyncConnection, deletion: Deletion) -> int:
        keys = _keys(deletion)
        heard = await rows_of(connection, keys)
        asked = {row["turn_id"] for row in heard if row["turn_id"] is not None and not row["said"]}
        answers = await _posts_of(connection, asked)
        posts = await _closed_posts(connection, keys)
        copies = await rows_of(connection, answers) if answers else []
        quotes = await quoting(connection, keys)
        held = {row["conversation_id"] for row in (*heard, *copies, *posts, *quotes)}
        await lock_conversations(connection, held)
        # Read once more, now that nobody else changes them.
        heard = await rows_of(connection, keys)
        await leave_context(connection, heard, self._erase_at())
        for turn in sorted({row["turn_id"] for row in heard if row["turn_id"] is not None}):
            await self._turn_without(connection, turn, copies)
        await self._posts_gone(connection, posts)
        await unquote(connection, keys)
        await _note_unknown(connection, keys)
        return len(heard)

    async def _turn_without(
        self, connection: AsyncConnection, turn: int, copies: Iterable[sa.RowMapping]
    ) -> None:
        """Answer what is left of a question anew, or take the answer away where nothing is left."""
        asked = (messages.c.turn_id == turn) & sa.not_(messages.c.said)
        left = sa.select(sa.exists().where(asked, messages.c.withdrawn_at.is_(None)))
        if await connection.scalar(left):
            await want_anew(connection, turn)
            return
        await leave_said(connection, turn, self._erase_at())
        await leave_context(connection, copies, self._erase_at())
        await _take_away(connection, turn)

    async def _posts_gone(self, connection: AsyncConnection, posts: Sequence[sa.RowMapping]) -> None:
        """Forget posts that somebody deleted; an answer of which none is left leaves the context too."""
        if not posts:
            return
        numbers = [row["id"] for row in posts]
        await connection.execute(pieces.update().where(pieces.c.id.in_(numbers)).values(state="removed"))
        for turn in sorted({row["turn_id"] for row in posts}):
            standing = sa.exists().where(pieces.c.turn_id == turn, pieces.c.state != "removed")
            if not await connection.scalar(sa.select(standing)):
                await leave_said(connection, turn, self._erase_at())
        for conversation in {row["conversation_id"] for row in posts}:
            await tell_conversation(connection, conversation)

    async def _place(self, connection: AsyncConnection, channel: Channel) -> int:
        """Withdraw all that was heard and said in a channel that is gone; its posts went with it."""
        here = (
            (conversations.c.platform == channel.platform)
            & (conversations.c.workspace == channel.workspace)
            & (conversations.c.place == channel.id)
        )
        numbers = (await connection.scalars(sa.select(conversations.c.id).where(here))).all()
        await lock_conversations(connection, numbers)
        weightless = {"tokens": 0, "cumulative_tokens": 0, "revision": messages.c.revision + 1}
        gone = messages.update().where(messages.c.conversation_id.in_(numbers))
        dated = {
            "withdrawn_at": sa.func.coalesce(messages.c.withdrawn_at, sa.func.now()),
            "erase_at": sa.func.coalesce(messages.c.erase_at, self._erase_at()),
        }
        count = (await connection.execute(gone.values(**weightless, **dated))).rowcount
        of_them = conversations.update().where(conversations.c.id.in_(numbers))
        await connection.execute(of_them.values(total_tokens=0))
        blocks = summary_blocks.delete().where(summary_blocks.c.conversation_id.in_(numbers))
        await connection.execute(blocks)
        posts = pieces.update().where(pieces.c.conversation_id.in_(numbers))
        await connection.execute(posts.values(state="removed"))
        await _close(connection, numbers)
        return int(count)

    def _erase_at(self) -> sa.ColumnElement[datetime]:
        return sa.func.now() + sa.func.make_interval(0, 0, 0, self._keep_days)


async def lock_place(connection: AsyncConnection, channel: Channel, *, alone: bool = False) -> None:
    """
    Have a deletion in a channel (`alone`) and what is kept of it come one after the other.

    So a message is either on record when its deletion looks for it, or finds the deletion noted.
    """
    await connection.execute(sa.select(place_lock(channel, alone=alone)))


def place_lock(channel: Channel, *, alone: bool = False) -> sa.ColumnElement[object]:
    """Make the call that takes the lock of `lock_place` until the transaction ends."""
    name = sa.func.hashtextextended(lock_name(channel), 0)
    return sa.func.pg_advisory_xact_lock(name) if alone else sa.func.pg_advisory_xact_lock_shared(name)


def _keys(deletion: Deletion) -> dict[str, str]:
    """Tell the keys of deleted messages; a Discord thread's first message stands in its channel."""
    keys = {key_of(deletion.channel, number): number for number in deletion.message_ids}
    channel = deletion.channel
    if channel.platform is Platform.DISCORD:
        stem = f"{channel.platform}:{channel.workspace}"
        keys |= {f"{stem}:{number}:{number}": number for number in deletion.message_ids}
    return keys


async def _posts_of(connection: AsyncConnection, turn_ids: Iterable[int]) -> dict[str, str]:
    """Tell the keys of answers' posts, which another conversation may have kept as heard."""
    found = sa.select(pieces.c.key, pieces.c.message_id).where(
        pieces.c.turn_id.in_(list(turn_ids)), pieces.c.key.is_not(None)
    )
    return {row.key: row.message_id for row in await connection.execute(found)}


async def _closed_posts(connection: AsyncConnection, keys: Mapping[str, str]) -> Sequence[sa.RowMapping]:
    """Find standing posts of answers that are over; those of running ones are their holder's care."""
    found = (
        sa.select(pieces.c.id, pieces.c.turn_id, pieces.c.conversation_id)
        .join(turns, turns.c.id == pieces.c.turn_id)
        .where(
            pieces.c.key.in_(list(keys)),
            pieces.c.state != "removed",
            turns.c.state.in_(["done", "failed", "stopped"]),
        )
    )
    return [row._mapping for row in await connection.execute(found)]


async def _note_unknown(connection: AsyncConnection, keys: Mapping[str, str]) -> None:
    known = sa.select(messages.c.key).where(messages.c.key.in_(list(keys)))
    posted = sa.select(pieces.c.key).where(pieces.c.key.in_(list(keys)))
    found = {keys[key] for key in await connection.scalars(known.union_all(posted))}
    unknown = sorted(key for key, number in keys.items() if number not in found)
    if unknown:
        noted = insert(deletions).values([{"key": key} for key in unknown])
        await connection.execute(noted.on_conflict_do_nothing())


async def _take_away(connection: AsyncConnection, turn: int) -> None:
    """Want an answer away, whatever became of it, unless it is already."""
    over = turns.c.state.not_in(OPEN)
    changed = (
        turns.update()
        .where(turns.c.id == turn, turns.c.state != "withdrawn")
        .values(
            wanted="withdraw",
            revision=turns.c.revision + 1,
            wanted_at=sa.func.now(),
            attempts=sa.case((over, 0), else_=turns.c.attempts),
            state=sa.case((over, "waiting"), else_=turns.c.state),
        )
    )
    conversation = await connection.scalar(changed.returning(turns.c.conversation_id))
    if conversation is None:
        return
    platform = sa.select(conversations.c.platform).where(conversations.c.id == conversation)
    await tell_turn(connection, turn)
    await hurry(connection, conversation)
    await wake(
        connection, "answer", conversation, Platform((await connection.execute(platform)).scalar_one())
    )


async def _close(connection: AsyncConnection, conversation_ids: Sequence[int]) -> None:
    """End all turns of conversations whose channel is gone; who answers one learns of it."""
    open_ones = (turns.c.conversation_id.in_(conversation_ids)) & turns.c.state.in_(OPEN)
    running = (await connection.scalars(sa.select(turns.c.id).where(open_ones))).all()
    ended = turns.update().where(turns.c.conversation_id.in_(conversation_ids))
    await connection.execute(
        ended.values(
            state="withdrawn",
            wanted="withdraw",
            revision=turns.c.revision + 1,
            finished_at=sa.func.coalesce(turns.c.finished_at, sa.func.now()),
        )
    )
    for turn in running:
        await tell_turn(connection, turn)
    for conversation in conversation_ids:
        await tell_conversation(connection, conversation)
