"""Folds what no longer fits into blocks, each told shortly; blocks of blocks keep their number small."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.dialogue import Line, Platform, Role, Stretch
from bot.memory.database import Database
from bot.memory.models import conversations, messages, summary_blocks, turns
from bot.memory.news import wake
from bot.ports import TokenCounter

# Folding begins before anything falls out: when what no block covers fills so much of the budget.
_FULL = 0.75
_SHARE = 0.25
_SIBLINGS = 8


class Summaries:
    """The summary blocks of conversations."""

    def __init__(self, database: Database, counter: TokenCounter) -> None:
        """`counter` counts what blocks weigh."""
        self._database = database
        self._counter = counter

    async def is_due(self, conversation_id: int, budget: int) -> bool:
        """Say whether so much is uncovered by blocks that the oldest part should be folded."""
        async with self._database.transaction() as connection:
            return await _uncovered(connection, conversation_id) > budget * _FULL

    async def order(self, conversation_id: int, platform: Platform) -> None:
        """Have a worker fold the conversation in the background."""
        async with self._database.transaction() as connection:
            await wake(connection, "fold", conversation_id, platform)

    async def next_stretch(self, conversation_id: int, budget: int) -> Stretch | None:
        """Find what to fold next: too many blocks of one level, or the oldest uncovered messages; or None."""
        async with self._database.transaction() as connection:
            merged = await _siblings(connection, conversation_id)
            if merged is not None:
                return merged
            if await _uncovered(connection, conversation_id) <= budget * _FULL:
                return None
            return await _oldest(connection, conversation_id, int(budget * _SHARE))

    async def add(self, stretch: Stretch, text: str) -> int:
        """Keep a block, and mark those it replaces; a block that somebody made meanwhile is not doubled."""
        async with self._database.transaction() as connection:
            row = sa.select(conversations.c.id).where(conversations.c.id == stretch.conversation_id)
            await connection.execute(row.with_for_update())
            standing = await _standing(connection, stretch)
            if standing is not None:
                return standing
            made = await connection.execute(
                summary_blocks.insert()
                .values(
                    conversation_id=stretch.conversation_id,
                    level=stretch.level,
                    first_position=stretch.first,
                    last_position=stretch.last,
                    last_message_id=stretch.last_message_id,
                    covered_tokens=stretch.covered_tokens,
                    text=text,
                    tokens=self._counter.count(text),
                )
                .returning(summary_blocks.c.id)
            )
            number = int(made.scalar_one())
            await connection.execute(
                summary_blocks.update()
                .where(summary_blocks.c.id.in_(stretch.merges))
                .values(folded_into=number)
            )
            return number


async def _standing(connection: AsyncConnection, stretch: Stretch) -> int | None:
    """Find the block that somebody else made of the same meanwhile, or of more."""
    if stretch.merges:
        told = sa.select(summary_blocks.c.folded_into).where(
            summary_blocks.c.id.in_(stretch.merges), summary_blocks.c.folded_into.is_not(None)
        )
    else:
        told = sa.select(summary_blocks.c.id).where(
            summary_blocks.c.conversation_id == stretch.conversation_id,
            summary_blocks.c.folded_into.is_(None),
            summary_blocks.c.first_position <= stretch.last,
            summary_blocks.c.last_position >= stretch.first,
        )
    found: int | None = await connection.scalar(told.limit(1))
    return found


async def _uncovered(connection: AsyncConnection, conversation_id: int) -> int:
    found = sa.select(conversations.c.total_tokens, conversations.c.branching)
    row = (await connection.execute(found.where(conversations.c.id == conversation_id))).first()
    if row is None or row.branching:
        return 0
    end = await _covered_to(connection, conversation_id)
    before = sa.select(messages.c.cumulative_tokens).where(messages.c.conversation_id == conversation_id)
    if end is None:
        start = sa.select(messages.c.cumulative_tokens - messages.c.tokens)
        start = start.where(messages.c.conversation_id == conversation_id)
        counted = await connection.scalar(start.order_by(messages.c.position).limit(1))
    else:
        counted = await connection.scalar(before.where(messages.c.position == end))
    return int(row.total_tokens - (counted or 0))


async def _covered_to(connection: AsyncConnection, conversation_id: int) -> int | None:
    found = sa.select(sa.func.max(summary_blocks.c.last_position)).where(
        summary_blocks.c.conversation_id == conversation_id, summary_blocks.c.folded_into.is_(None)
    )
    end: int | None = await connection.scalar(found)
    return end


async def _oldest(connection: AsyncConnection, conversation_id: int, tokens: int) -> Stretch | None:
    """Take the oldest messages that no block covers, up to `tokens` and before any open turn."""
    end = await _covered_to(connection, conversation_id)
    open_turns = sa.select(turns.c.id).where(
        turns.c.conversation_id == conversation_id, turns.c.state.in_(["waiting", "answering"])
    )
    limit = await connection.scalar(
        sa.select(sa.func.min(messages.c.position)).where(messages.c.turn_id.in_(open_turns))
    )
    found = sa.select(messages).where(messages.c.conversation_id == conversation_id)
    if end is not None:
        found = found.where(messages.c.position > end)
    if limit is not None:
        found = found.where(messages.c.position < limit)
    found = found.order_by(messages.c.position).limit(max(tokens // 5, 1))
    rows: list[sa.Row[tuple[object, ...]]] = []
    spent = 0
    for row in await connection.execute(found):
        if rows and spent + row.tokens > tokens:
            break
        rows.append(row)
        spent += row.tokens
    if not rows:
        return None
    lines = tuple(_line(row.said, row.author_name, row.text) for row in rows)
    return Stretch(conversation_id, 0, rows[0].position, rows[-1].position, rows[-1].id, spent, lines)


async def _siblings(connection: AsyncConnection, conversation_id: int) -> Stretch | None:
    """Find a level with too many live blocks; its oldest half becomes one block of the next level."""
    live = (
        sa.select(summary_blocks)
        .where(summary_blocks.c.conversation_id == conversation_id, summary_blocks.c.folded_into.is_(None))
        .order_by(summary_blocks.c.first_position)
    )
    by_level: dict[int, list[sa.Row[tuple[object, ...]]]] = {}
    for row in await connection.execute(live):
        by_level.setdefault(row.level, []).append(row)
    for level, rows in sorted(by_level.items()):
        if len(rows) > _SIBLINGS:
            return _merged(conversation_id, level, rows[: _SIBLINGS // 2])
    return None


def _merged(conversation_id: int, level: int, rows: Sequence[sa.Row[tuple[object, ...]]]) -> Stretch:
    return Stretch(
        conversation_id,
        level + 1,
        rows[0].first_position,
        rows[-1].last_position,
        rows[-1].last_message_id,
        sum(row.covered_tokens for row in rows),
        tuple(Line(Role.SYSTEM, row.text) for row in rows),
        tuple(row.id for row in rows),
    )


def _line(said: bool, name: str, text: str) -> Line:
    return Line(Role.BOT, text) if said else Line(Role.PERSON, f"{name}: {text}", name)
