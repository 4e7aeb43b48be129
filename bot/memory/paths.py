"""Reads the messages that lead to a question: a conversation's newest, or a reply chain's path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.dialogue import Turn
from bot.memory.models import messages

# A reply chain longer than this is not walked to its root; nobody has seen one a tenth as long.
_LONGEST_CHAIN = 500


@dataclass(frozen=True, slots=True)
class Path:
    """
    What stands before a question, oldest first, bounded by the budget it was read with.

    `older` is what the messages before those weigh together, `first` the position of the very first.
    """

    earlier: Sequence[sa.RowMapping]
    older: int
    first: int


async def newest_before(connection: AsyncConnection, turn: Turn, total: int, room: int) -> Path:
    """
    Read the newest messages before the question that weigh about `room` tokens together.

    Not among them: the question, and messages of later turns or overheard later. They are found by the
    index on cumulative counts, so the cost does not grow with the history; `total` is its last count.
    """
    last = await connection.scalar(
        sa.select(sa.func.max(messages.c.position)).where(
            messages.c.turn_id == turn.id, sa.not_(messages.c.said)
        )
    )
    here = messages.c.conversation_id == turn.conversation.id
    later = sa.or_(messages.c.turn_id.is_(None), messages.c.turn_id >= turn.id)
    aside = await connection.scalar(
        sa.select(sa.func.coalesce(sa.func.sum(messages.c.tokens), 0)).where(
            here, messages.c.position >= (last or 0), later
        )
    )
    readable = sa.or_(
        messages.c.turn_id < turn.id,
        sa.and_(messages.c.turn_id.is_(None), messages.c.position < (last or 0)),
    )
    window = messages.c.cumulative_tokens > total - int(aside or 0) - room
    statement = sa.select(messages).where(here, readable, window).order_by(messages.c.cumulative_tokens)
    rows = [row._mapping for row in await connection.execute(statement)]
    first = (
        await connection.execute(
            sa.select(messages.c.position, messages.c.cumulative_tokens - messages.c.tokens)
            .where(here)
            .order_by(messages.c.position)
            .limit(1)
        )
    ).one()
    before = rows[0]["cumulative_tokens"] - rows[0]["tokens"] - first[1] if rows else 0
    return Path(rows, max(before, 0), first[0])


async def chain_before(connection: AsyncConnection, turn: Turn) -> Path:
    """Read the path from the question to its reply chain's root, each turn with all its messages."""
    start = (
        sa.select(messages.c.id, messages.c.parent_id, messages.c.parent_turn_id, messages.c.turn_id)
        .add_columns(sa.literal(0).label("depth"))
        .where(messages.c.turn_id == turn.id, sa.not_(messages.c.said))
        .cte("path", recursive=True)
    )
    above = messages.alias("above")
    is_parent = sa.or_(
        above.c.id == start.c.parent_id, sa.and_(above.c.turn_id == start.c.parent_turn_id, above.c.said)
    )
    step = sa.select(
        above.c.id, above.c.parent_id, above.c.parent_turn_id, above.c.turn_id, start.c.depth + 1
    )
    path = start.union_all(
        step.select_from(start).join(above, is_parent).where(start.c.depth < _LONGEST_CHAIN)
    )
    on_path = sa.or_(
        messages.c.id.in_(sa.select(path.c.id)),
        messages.c.turn_id.in_(sa.select(path.c.turn_id)),
    )
    statement = sa.select(messages).where(
        on_path, sa.or_(messages.c.turn_id.is_(None), messages.c.turn_id != turn.id)
    )
    rows = [row._mapping for row in await connection.execute(statement.order_by(messages.c.position))]
    return Path(rows, 0, rows[0]["position"] if rows else 0)
