"""Takes kept messages out of every context: they weigh nothing, and no summary tells of them any more."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.memory.models import IS_COPY, IS_QUOTE, attachments, deletions, messages, summary_blocks
from bot.memory.news import tell_conversation
from bot.memory.weights import outdate, reweigh


async def rows_of(connection: AsyncConnection, keys: Mapping[str, str]) -> Sequence[sa.RowMapping]:
    """
    Find messages by their keys, with the platform's ids, and their copies in other conversations.

    Those that left the context already are not among them.
    """
    copied = sa.and_(IS_COPY, messages.c.platform_id.in_(set(keys.values())))
    found = sa.select(messages).where(
        sa.or_(messages.c.key.in_(list(keys)), copied), messages.c.withdrawn_at.is_(None)
    )
    rows = [row._mapping for row in await connection.execute(found.order_by(messages.c.id))]
    return [row for row in rows if row["key"].rpartition("@")[0] in keys or row["key"] in keys]


async def leave_context(
    connection: AsyncConnection,
    rows: Iterable[sa.RowMapping],
    erase_at: sa.ColumnElement[datetime] | None,
    left_at: datetime | None = None,
) -> None:
    """
    Let messages weigh nothing and be read no more; their texts are erased at the time given.

    The rows of their conversations have to be locked. What summaries tell of them is emptied at once, so
    that it can neither be read nor told on before they are told anew.
    """
    for row in rows:
        # Another revision: a summary that is being told of the text this moment is outdated when it comes.
        gone = {"withdrawn_at": left_at or sa.func.now(), "revision": messages.c.revision + 1}
        if erase_at is not None:
            gone["erase_at"] = erase_at
        await connection.execute(messages.update().where(messages.c.id == row["id"]).values(**gone))
        await reweigh(connection, row["id"], 0)
        await _empty_summaries(connection, row["conversation_id"], row["position"])
    for number in {row["conversation_id"] for row in rows}:
        await tell_conversation(connection, number)


async def quoting(connection: AsyncConnection, keys: Collection[str]) -> Sequence[sa.RowMapping]:
    """Find the messages that hold the text of these, since they linked to them."""
    columns = (messages.c.id, messages.c.conversation_id, messages.c.position, messages.c.tokens)
    found = sa.select(*columns).join(attachments, messages.c.id == attachments.c.message_id)
    quotes = found.where(IS_QUOTE, attachments.c.quotes.overlap(list(keys))).distinct()
    return [row._mapping for row in await connection.execute(quotes)]


async def unquote(connection: AsyncConnection, keys: Collection[str]) -> None:
    """Forget what other messages hold of these; the rows of their conversations have to be locked."""
    for row in await quoting(connection, keys):
        mine = attachments.c.message_id == row["id"]
        held = attachments.delete().where(mine, attachments.c.quotes.overlap(list(keys)))
        lost = sum((await connection.scalars(held.returning(attachments.c.tokens))).all())
        await reweigh(connection, row["id"], max(row["tokens"] - lost, 0))
        await _empty_summaries(connection, row["conversation_id"], row["position"])


async def deleted_keys(connection: AsyncConnection, keys: Collection[str]) -> set[str]:
    """Tell which of these messages people have deleted, as far as is known."""
    if not keys:
        return set()
    noted = sa.select(deletions.c.key).where(deletions.c.key.in_(keys))
    known = sa.select(messages.c.key).where(messages.c.key.in_(keys), messages.c.withdrawn_at.is_not(None))
    return set(await connection.scalars(noted.union_all(known)))


async def leave_said(
    connection: AsyncConnection,
    turn_id: int,
    erase_at: sa.ColumnElement[datetime] | None = None,
    left_at: datetime | None = None,
) -> None:
    """
    Take a turn's answer out of the context; its place and its key become free for another one.

    `left_at` is kept as the moment, in the place of now.
    """
    said = (messages.c.turn_id == turn_id) & messages.c.said
    found = sa.select(messages).where(said, messages.c.withdrawn_at.is_(None))
    rows = [row._mapping for row in await connection.execute(found)]
    await leave_context(connection, rows, erase_at, left_at)
    renamed = messages.c.key + "~" + sa.cast(messages.c.id, sa.Text)
    numbers = [row["id"] for row in rows]
    await connection.execute(messages.update().where(messages.c.id.in_(numbers)).values(key=renamed))
    if erase_at is not None:
        late = messages.update().where(said, messages.c.erase_at.is_(None))
        await connection.execute(late.values(erase_at=erase_at))


async def take_place(connection: AsyncConnection, message_id: int, turn_id: int) -> None:
    """Let a turn's new answer, which stands last, stand where its first one stood."""
    columns = (messages.c.id, messages.c.conversation_id, messages.c.position, messages.c.cumulative_tokens)
    found = sa.select(*columns, messages.c.tokens, messages.c.revision)
    old = found.where(messages.c.turn_id == turn_id, messages.c.said, messages.c.id != message_id)
    left = (await connection.execute(old.order_by(messages.c.position).limit(1))).first()
    if left is None:
        return
    new = (await connection.execute(found.where(messages.c.id == message_id))).one()
    between = (messages.c.conversation_id == new.conversation_id) & messages.c.position.between(
        left.position, new.position - 1
    )
    # Through a place that nobody has, for two messages cannot share one even for a moment.
    lowest = sa.select(sa.func.min(messages.c.position) - 1).where(
        messages.c.conversation_id == new.conversation_id
    )
    moved = messages.update().where(messages.c.id == left.id)
    await connection.execute(moved.values(position=lowest.scalar_subquery()))
    await connection.execute(
        messages.update().where(between).values(cumulative_tokens=messages.c.cumulative_tokens + new.tokens)
    )
    await connection.execute(
        messages.update()
        .where(messages.c.id == message_id)
        .values(
            position=left.position,
            cumulative_tokens=left.cumulative_tokens + new.tokens,
            revision=left.revision + 1,
        )
    )
    behind = {"position": new.position, "cumulative_tokens": new.cumulative_tokens}
    await connection.execute(moved.values(**behind))
    await outdate(connection, new.conversation_id, left.position)


async def _empty_summaries(connection: AsyncConnection, conversation_id: int, position: int) -> None:
    covering = (
        (summary_blocks.c.conversation_id == conversation_id)
        & (summary_blocks.c.first_position <= position)
        & (summary_blocks.c.last_position >= position)
    )
    await connection.execute(summary_blocks.update().where(covering).values(text=""))
