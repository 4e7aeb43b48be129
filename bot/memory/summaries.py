"""Folds what no longer fits into blocks, each told shortly; blocks of blocks keep their number small."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.dialogue import Line, Platform, Role, Stretch
from bot.memory.attachments import enclosed_with
from bot.memory.chains import newest_end, stretch_rows, untold
from bot.memory.database import Database, told_by
from bot.memory.models import conversations, messages, summary_blocks, turns
from bot.memory.news import wake
from bot.memory.quoting import told
from bot.memory.rows import Row, files_of
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
        row = next(iter(await self._database.run(_UNTOLD, conversation=conversation_id)), None)
        if row is None or not row["branching"]:
            return row is not None and row["untold"] > budget * _FULL
        async with self._database.transaction() as connection:
            return await _untold_tokens(connection, conversation_id) > budget * _FULL

    async def order(self, conversation_id: int, platform: Platform) -> None:
        """Have a worker fold the conversation in the background."""
        async with self._database.transaction() as connection:
            await wake(connection, "fold", conversation_id, platform)

    async def next_stretch(self, conversation_id: int, budget: int) -> Stretch | None:
        """
        Find what to fold next, or None.

        First a block whose messages were edited, then too many blocks of one level, then the oldest
        uncovered messages.
        """
        async with self._database.transaction() as connection:
            for find in (_outdated, _siblings):
                found = await find(connection, conversation_id)
                if found is not None:
                    return found
            if await _untold_tokens(connection, conversation_id) <= budget * _FULL:
                return None
            return await _oldest(connection, conversation_id, int(budget * _SHARE))

    async def add(self, stretch: Stretch, text: str) -> int:
        """
        Keep a block, and mark those it replaces; a block that somebody made meanwhile is not doubled.

        An edit that came while the block was told leaves it outdated, so that it is told anew.
        """
        async with self._database.transaction() as connection:
            row = sa.select(conversations.c.id).where(conversations.c.id == stretch.conversation_id)
            await connection.execute(row.with_for_update())
            standing = await _standing(connection, stretch)
            if standing is not None:
                return standing
            told = {"text": text, "tokens": self._counter.count(text), "revisions_told": stretch.revisions}
            if stretch.rebuilds:
                anew = summary_blocks.update().where(summary_blocks.c.id == stretch.rebuilds)
                await connection.execute(anew.values(**told, version=summary_blocks.c.version + 1))
                return stretch.rebuilds
            made = await connection.execute(
                summary_blocks.insert()
                .values(
                    conversation_id=stretch.conversation_id,
                    level=stretch.level,
                    first_position=stretch.first,
                    last_position=stretch.last,
                    last_message_id=stretch.last_message_id,
                    covered_tokens=stretch.covered_tokens,
                    revisions=_revisions(stretch),
                    **told,
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


# As `_untold_tokens` counts where all messages are read in one line.
_UNTOLD = """
SELECT branching, total_tokens - coalesce(
    (SELECT cumulative_tokens FROM messages WHERE conversation_id = c.id AND position =
        (SELECT max(last_position) FROM summary_blocks WHERE conversation_id = c.id AND folded_into IS NULL)),
    (SELECT cumulative_tokens - tokens FROM messages WHERE conversation_id = c.id ORDER BY position LIMIT 1),
    0) AS untold FROM conversations AS c WHERE id = %(conversation)s
"""


def _revisions(stretch: Stretch) -> sa.ScalarSelect[int]:
    """Count the edits of the messages that a block stands for."""
    counted = sa.select(sa.func.coalesce(sa.func.sum(messages.c.revision), 0))
    here = messages.c.conversation_id == stretch.conversation_id
    return counted.where(here, messages.c.position.between(stretch.first, stretch.last)).scalar_subquery()


async def _outdated(connection: AsyncConnection, conversation_id: int) -> Stretch | None:
    """Find a block whose messages were edited since it was told; those below others first."""
    found = (
        sa.select(summary_blocks)
        .where(
            summary_blocks.c.conversation_id == conversation_id,
            summary_blocks.c.revisions_told < summary_blocks.c.revisions,
        )
        .order_by(summary_blocks.c.level, summary_blocks.c.first_position)
        .limit(1)
    )
    block = (await connection.execute(found)).first()
    if block is None:
        return None
    # Read before its lines: an edit in between leaves it outdated.
    anew = {"rebuilds": block.id, "revisions": block.revisions}
    if block.level:
        below = sa.select(summary_blocks).where(
            summary_blocks.c.conversation_id == conversation_id, summary_blocks.c.folded_into == block.id
        )
        rows = (await connection.execute(below.order_by(summary_blocks.c.first_position))).all()
        return replace(_merged(conversation_id, block.level - 1, rows), merges=(), **anew)
    if await _branching(connection, conversation_id):
        heard = await stretch_rows(connection, block.first_position, block.last_message_id)
        return replace(await _told(connection, conversation_id, heard), **anew)
    ranged = messages.c.position.between(block.first_position, block.last_position)
    told = sa.select(messages).where(messages.c.conversation_id == conversation_id, ranged)
    rows = (await connection.execute(told.order_by(messages.c.position))).all()
    return replace(await _told(connection, conversation_id, [row._mapping for row in rows]), **anew)


async def _standing(connection: AsyncConnection, stretch: Stretch) -> int | None:
    """Find the block that somebody else made of the same meanwhile, or of more."""
    if stretch.rebuilds:
        return None
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
        if await _branching(connection, stretch.conversation_id):
            told = told.where(summary_blocks.c.last_message_id == stretch.last_message_id)
    found: int | None = await connection.scalar(told.limit(1))
    return found


async def _branching(connection: AsyncConnection, conversation_id: int) -> bool:
    found = sa.select(conversations.c.branching).where(conversations.c.id == conversation_id)
    return bool(await connection.scalar(found))


async def _untold_tokens(connection: AsyncConnection, conversation_id: int) -> int:
    """Count what no block stands for; of a reply chain, on the path that was last used."""
    found = sa.select(conversations.c.total_tokens, conversations.c.branching)
    row = (await connection.execute(found.where(conversations.c.id == conversation_id))).first()
    if row is None:
        return 0
    if row.branching:
        newest = await newest_end(connection, conversation_id)
        rows = await untold(connection, conversation_id, newest) if newest is not None else ()
        return sum(kept["tokens"] for kept in rows)
    return int(row.total_tokens) - await _told_tokens(connection, conversation_id)


async def _told_tokens(connection: AsyncConnection, conversation_id: int) -> int:
    """Give the cumulative count up to where blocks reach, or before the first message."""
    end = await _covered_to(connection, conversation_id)
    here = messages.c.conversation_id == conversation_id
    if end is None:
        start = sa.select(messages.c.cumulative_tokens - messages.c.tokens).where(here)
        return int(await connection.scalar(start.order_by(messages.c.position).limit(1)) or 0)
    counted = sa.select(messages.c.cumulative_tokens).where(here, messages.c.position == end)
    return int(await connection.scalar(counted) or 0)


async def _covered_to(connection: AsyncConnection, conversation_id: int) -> int | None:
    found = sa.select(sa.func.max(summary_blocks.c.last_position)).where(
        summary_blocks.c.conversation_id == conversation_id, summary_blocks.c.folded_into.is_(None)
    )
    end: int | None = await connection.scalar(found)
    return end


async def _oldest(connection: AsyncConnection, conversation_id: int, tokens: int) -> Stretch | None:
    """Take the oldest messages that no block covers, up to `tokens` and before any open turn."""
    if await _branching(connection, conversation_id):
        newest = await newest_end(connection, conversation_id)
        rows = await untold(connection, conversation_id, newest) if newest is not None else ()
    else:
        rows = await _oldest_rows(connection, conversation_id, max(tokens // 5, 1))
    chosen: list[Row] = []
    spent = 0
    for row in rows:
        if chosen and spent + row["tokens"] > tokens:
            break
        chosen.append(row)
        spent += row["tokens"]
    return await _told(connection, conversation_id, chosen) if chosen else None


async def _oldest_rows(connection: AsyncConnection, conversation_id: int, most: int) -> Sequence[Row]:
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
    rows = await connection.execute(found.order_by(messages.c.position).limit(most))
    return [row._mapping for row in rows]


async def _siblings(connection: AsyncConnection, conversation_id: int) -> Stretch | None:
    """
    Find a level with too many live blocks; its oldest half becomes one block of the next level.

    Not in reply chains: their blocks may belong to different branches.
    """
    if await _branching(connection, conversation_id):
        return None
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


async def _told(connection: AsyncConnection, conversation_id: int, rows: Sequence[Row]) -> Stretch:
    alive = [row for row in rows if row["withdrawn_at"] is None]
    enclosed = await enclosed_with(told_by(connection), [row["id"] for row in alive])
    return Stretch(
        conversation_id,
        0,
        rows[0]["position"],
        rows[-1]["position"],
        rows[-1]["id"],
        sum(row["tokens"] for row in rows),
        tuple(_line(row, told(row["text"], files_of(row), enclosed.get(row["id"], {}))) for row in alive),
        revisions=sum(row["revision"] for row in rows),
    )


def _merged(conversation_id: int, level: int, rows: Sequence[sa.Row[tuple[object, ...]]]) -> Stretch:
    return Stretch(
        conversation_id,
        level + 1,
        rows[0].first_position,
        rows[-1].last_position,
        rows[-1].last_message_id,
        sum(row.covered_tokens for row in rows),
        tuple(Line(Role.SYSTEM, row.text) for row in rows if row.text),
        tuple(row.id for row in rows),
        sum(row.revisions_told for row in rows),
    )


def _line(row: Row, text: str) -> Line:
    name = row["author_name"]
    return Line(Role.BOT, text) if row["said"] else Line(Role.PERSON, f"{name}: {text}", name)
