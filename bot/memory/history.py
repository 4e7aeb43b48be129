"""Keeps what stood in a thread before the bot was called into it."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.dialogue import Conversation, Message, Platform
from bot.memory.database import Database
from bot.memory.models import conversations, messages, pieces
from bot.memory.places import branches
from bot.memory.rows import row_of, weigh
from bot.ports import TokenCounter


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
        async with self._database.transaction() as connection:
            await _lock(connection, conversation.id)
            fresh = [
                message for message in earlier if not await _is_known(connection, conversation.id, message)
            ]
            position, cumulative = await _front(connection, conversation.id)
            for message in reversed(fresh):
                tokens = weigh(self._counter, message)
                position -= 1
                row = row_of(message, conversation.id, position, cumulative, tokens, self._counter.encoding)
                cumulative -= tokens
                await connection.execute(_insert_once(row, conversation.id))
            await _link_chain(connection, conversation)
            await connection.execute(
                conversations.update().where(conversations.c.id == conversation.id).values(history_read=True)
            )
        return len(fresh)

    async def newest(self, workspace: str) -> dict[str, str]:
        """Tell the newest message heard in each Discord channel of a workspace, by the platform's ids."""
        statement = (
            sa.select(conversations.c.place, sa.func.max(sa.cast(messages.c.platform_id, sa.Numeric)))
            .join(messages, messages.c.conversation_id == conversations.c.id)
            .where(
                conversations.c.platform == Platform.DISCORD,
                conversations.c.workspace == workspace,
                sa.not_(messages.c.said),
            )
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


async def _is_known(connection: AsyncConnection, conversation_id: int, message: Message) -> bool:
    heard = sa.select(messages.c.id).where(
        messages.c.conversation_id == conversation_id,
        messages.c.key.in_([message.key, f"{message.key}@{conversation_id}"]),
    )
    said = sa.select(pieces.c.id).where(
        pieces.c.key == message.key, pieces.c.conversation_id == conversation_id
    )
    return bool(await connection.scalar(sa.select(sa.exists(heard) | sa.exists(said))))


def _insert_once(row: dict[str, object], conversation_id: int) -> sa.Executable:
    taken = sa.exists(sa.select(messages.c.id).where(messages.c.key == row["key"]))
    key = sa.case((taken, f"{row['key']}@{conversation_id}"), else_=str(row["key"]))
    return insert(messages).values(row | {"key": key}).on_conflict_do_nothing()


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
