"""Reads the messages that lead to a question: a conversation's newest, or a reply chain's path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.dialogue import Turn
from bot.memory.models import conversations, messages

# A reply chain longer than this is not walked to its root; nobody has seen one a tenth as long.
_LONGEST_CHAIN = 500


@dataclass(frozen=True, slots=True)
class Path:
    """
    What stands before a question, oldest first, bounded by the budget it was read with.

    `older` is what the messages before those weigh together, and `first` the position of the very first.
    `skipped` are positions in between that the turn may not read, the question's own among them. `walked`
    are all messages of a reply chain's path, also those that were deleted.
    """

    earlier: Sequence[sa.RowMapping]
    older: int
    first: int
    skipped: Sequence[int] = ()
    walked: frozenset[int] = frozenset()

    @property
    def end(self) -> int:
        """The position after the last of them."""
        return int(self.earlier[-1]["position"]) + 1 if self.earlier else self.first


async def newest_before(connection: AsyncConnection, turn: Turn, room: int) -> Path:
    """
    Read the newest messages before the question that weigh `room` tokens together, and one more.

    Not among them: the question, and messages of later turns or overheard later. They are found by the
    index on cumulative counts, so the cost does not grow with the history.
    """
    here = messages.c.conversation_id == turn.conversation.id
    first, last = await _ends(connection, turn)
    overheard = sa.and_(messages.c.turn_id.is_(None), messages.c.position < last)
    readable = sa.and_(sa.or_(messages.c.turn_id < turn.id, overheard), messages.c.withdrawn_at.is_(None))
    aside = (
        sa.select(messages.c.position, messages.c.tokens)
        .where(here, messages.c.position >= first, sa.not_(sa.func.coalesce(readable, sa.false())))
        .order_by(messages.c.position)
    )
    skipped = (await connection.execute(aside)).all()
    total = sa.select(conversations.c.total_tokens).where(conversations.c.id == turn.conversation.id)
    floor = (await connection.execute(total)).scalar_one() - sum(row.tokens for row in skipped) - room
    window = sa.select(messages).where(here, readable, messages.c.cumulative_tokens >= floor)
    rows = (await connection.execute(window.order_by(messages.c.cumulative_tokens))).all()
    if not rows:
        return Path((), 0, first)
    oldest = sa.select(messages).where(here, readable).order_by(messages.c.position).limit(1)
    begin = (await connection.execute(oldest)).one()
    older = rows[0].cumulative_tokens - rows[0].tokens - begin.cumulative_tokens + begin.tokens
    older -= sum(row.tokens for row in skipped if begin.position < row.position < rows[0].position)
    return Path([row._mapping for row in rows], older, begin.position, [row.position for row in skipped])


async def _ends(connection: AsyncConnection, turn: Turn) -> tuple[int, int]:
    """Find the positions of the question's first and last message."""
    found = sa.select(sa.func.min(messages.c.position), sa.func.max(messages.c.position))
    row = (
        await connection.execute(found.where(messages.c.turn_id == turn.id, sa.not_(messages.c.said)))
    ).one()
    return row[0], row[1]


async def chain_before(connection: AsyncConnection, turn: Turn) -> Path:
    """
    Read the path from the question to its reply chain's root.

    A reply to an answer leads to all of that answer's turn; a reply to a message to that message alone.
    """
    asked = sa.and_(messages.c.turn_id == turn.id, sa.not_(messages.c.said))
    path = await _walk(connection, asked)
    rows = [row for row in path if row["turn_id"] != turn.id and row["withdrawn_at"] is None]
    walked = frozenset(row["id"] for row in path)
    return Path(rows, 0, rows[0]["position"] if rows else 0, walked=walked)


async def chain_to(connection: AsyncConnection, message_id: int) -> Sequence[sa.RowMapping]:
    """
    Read the path from the root of a reply chain to a message, all of its turn included, oldest first.

    What was deleted is a link of the chain still; whoever reads its text has to leave it out.
    """
    own = sa.select(messages.c.turn_id).where(messages.c.id == message_id).scalar_subquery()
    return await _walk(connection, sa.or_(messages.c.id == message_id, messages.c.turn_id == own))


async def _walk(connection: AsyncConnection, start: sa.ColumnElement[bool]) -> Sequence[sa.RowMapping]:
    # What was said hangs at its turn, whose messages are all there already.
    at_turn = sa.and_(messages.c.said, messages.c.turn_id.is_not(None))
    path = (
        sa.select(
            messages.c.id,
            sa.case((at_turn, None), else_=messages.c.parent_id).label("parent_id"),
            messages.c.parent_turn_id,
            sa.literal(0).label("depth"),
        )
        .where(start)
        .cte("path", recursive=True)
    )
    above = messages.alias("above")
    upward = sa.case((sa.and_(above.c.said, above.c.turn_id.is_not(None)), None), else_=above.c.parent_id)
    step = (
        sa.select(above.c.id, upward, above.c.parent_turn_id, path.c.depth + 1)
        .select_from(path)
        .join(above, sa.or_(above.c.id == path.c.parent_id, above.c.turn_id == path.c.parent_turn_id))
        .where(path.c.depth < _LONGEST_CHAIN)
    )
    # In two statements: the length of a path cannot be guessed, and a wrong guess reads the whole table.
    numbers = (await connection.scalars(sa.select(path.union(step).c.id).distinct())).all()
    found = sa.select(messages).where(messages.c.id.in_(numbers)).order_by(messages.c.position)
    return [row._mapping for row in await connection.execute(found)]
