"""Keeps what stood in a thread before the bot was called into it."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.dialogue import Conversation, Message, Platform
from bot.memory.database import Database
from bot.memory.models import conversations, deletions, marks, messages, pieces
from bot.memory.places import branches
from bot.memory.rows import cleaned, row_of, weigh
from bot.memory.withdrawals import lock_place
from bot.ports import TokenCounter

# The id that Discord would give at that moment ("Snowflakes" in its documentation).
_SNOWFLAKE: sa.ColumnElement[object] = sa.literal_column(
    "floor(extract(epoch FROM marks.seen_until) * 1000 - 1420070400000) * 4194304"
)


class HistoryShelf:
    """What a platform's history gives, and how far the record of it reaches."""

    def __init__(self, database: Database, counter: TokenCounter) -> None:
        """`counter` counts what is kept."""
        self._database = database
        self._counter = counter

    async def keep(self, conversation: Conversation, earlier: Sequence[Message]) -> int:
        """
        Keep messages, oldest first, in front of what is there; count the new ones.

        A message that another conversation has already (the root of a thread in a direct message) is
        kept here once more under a key of its own. Our own posts that are on record are not repeated.
        """
        weighed = [(message, weigh(self._counter, message)) for message in map(cleaned, earlier)]
        async with self._database.transaction() as connection:
            await lock_place(connection, conversation.channel)
            await _lock(connection, conversation.id)
            known = await _known(connection, conversation.id, [message.key for message in earlier])
            position, cumulative = await _front(connection, conversation.id)
            rows = []
            for message, tokens in reversed(weighed):
                if message.key in known:
                    continue
                known.add(message.key)  # a page may repeat what the one before it had
                position -= 1
                rows.append(
                    row_of(message, conversation.id, position, cumulative, tokens, self._counter.encoding)
                )
                cumulative -= tokens
            await _insert(connection, conversation.id, rows)
            await _link_chain(connection, conversation)
            await connection.execute(
                conversations.update().where(conversations.c.id == conversation.id).values(history_read=True)
            )
        return len(rows)

    async def newest(self, workspace: str) -> dict[str, str]:
        """
        Tell the newest message heard in each Discord channel of a workspace, by the platform's ids.

        One look a conversation, however long it is: what was heard last stands last. After a restore no id is
        older than that.
        """
        last = (
            sa.select(sa.cast(messages.c.platform_id, sa.Numeric).label("id"))
            .where(messages.c.conversation_id == conversations.c.id, sa.not_(messages.c.said))
            .order_by(messages.c.position.desc())
            .limit(1)
            .lateral("last")
        )
        here = (conversations.c.platform == Platform.DISCORD) & (conversations.c.workspace == workspace)
        restored = (marks.c.platform == Platform.DISCORD) & (marks.c.workspace == "") & (marks.c.place == "")
        floor = sa.select(_SNOWFLAKE).where(restored).scalar_subquery()
        statement = (
            sa.select(conversations.c.place, sa.func.greatest(sa.func.max(last.c.id), floor))
            .select_from(conversations.join(last, sa.true()))
            .where(here)
            .group_by(conversations.c.place)
        )
        async with self._database.transaction() as connection:
            return {place: str(newest) for place, newest in await connection.execute(statement)}


async def _lock(connection: AsyncConnection, conversation_id: int) -> None:
    row = sa.select(conversations.c.id).where(conversations.c.id == conversation_id)
    await connection.execute(row.with_for_update())


async def _front(connection: AsyncConnection, conversation_id: int) -> tuple[int, int]:
    """Find the lowest position, and the cumulative count just below it."""
    first = (
        sa.select(messages.c.position, messages.c.cumulative_tokens - messages.c.tokens)
        .where(messages.c.conversation_id == conversation_id)
        .order_by(messages.c.position)
        .limit(1)
    )
    row = (await connection.execute(first)).first()
    return (row[0], row[1]) if row is not None else (1, 0)


async def _known(connection: AsyncConnection, conversation_id: int, keys: Sequence[str]) -> set[str]:
    """
    Tell which keys the conversation has: heard, kept under a key of its own, or said by us.

    So are those that were deleted anywhere: a history that was read just before shall not bring them back.
    """
    here = sa.or_(messages.c.conversation_id == conversation_id, messages.c.withdrawn_at.is_not(None))
    own = {f"{key}@{conversation_id}": key for key in keys}
    heard = sa.select(messages.c.key).where(here, messages.c.key.in_([*keys, *own]))
    said = sa.select(pieces.c.key).where(
        pieces.c.conversation_id == conversation_id, pieces.c.key.in_(list(keys))
    )
    deleted = sa.select(deletions.c.key).where(deletions.c.key.in_(list(keys)))
    found = await connection.scalars(heard.union_all(said, deleted))
    return {own.get(key, key) for key in found}


async def _insert(
    connection: AsyncConnection, conversation_id: int, rows: Sequence[dict[str, object]]
) -> None:
    """
    Insert rows, those whose key another conversation has under a key of their own.

    In order of key, so that two conversations that keep the same messages cannot wait in a ring.
    """
    if not rows:
        return
    ordered = sorted(rows, key=lambda row: str(row["key"]))
    once = insert(messages).on_conflict_do_nothing(index_elements=["key"]).returning(messages.c.position)
    kept = set(await connection.scalars(once, ordered))
    others = [row | {"key": f"{row['key']}@{conversation_id}"} for row in ordered]
    others = [row for row in others if row["position"] not in kept]
    if others:
        await connection.execute(insert(messages), others)


async def _link_chain(connection: AsyncConnection, conversation: Conversation) -> None:
    """Bind the messages of a reply chain to what they reply to, now that it is known."""
    if not branches(conversation.channel):
        return
    parent = messages.alias("parent")
    await connection.execute(
        messages.update()
        .where(
            messages.c.conversation_id == conversation.id,
            messages.c.parent_id.is_(None),
            messages.c.parent_turn_id.is_(None),
            messages.c.reply_to != "",
            parent.c.conversation_id == conversation.id,
            parent.c.platform_id == messages.c.reply_to,
        )
        .values(parent_id=parent.c.id)
    )
