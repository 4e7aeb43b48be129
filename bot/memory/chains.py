"""What of a reply chain has to be told shortly: its blocks follow a path, and never mix two branches."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.memory.database import told_by
from bot.memory.models import messages, summary_blocks, turns
from bot.memory.paths import chain_to
from bot.memory.rows import Row


async def newest_end(connection: AsyncConnection, conversation_id: int) -> int | None:
    """Find the newest message that no running answer belongs to: the end of the path that was last used."""
    running = sa.select(turns.c.id).where(
        turns.c.conversation_id == conversation_id, turns.c.state.in_(["waiting", "answering"])
    )
    found = (
        sa.select(messages.c.id)
        .where(
            messages.c.conversation_id == conversation_id,
            sa.or_(messages.c.turn_id.is_(None), messages.c.turn_id.not_in(running)),
        )
        .order_by(messages.c.position.desc())
        .limit(1)
    )
    number: int | None = await connection.scalar(found)
    return number


async def untold(connection: AsyncConnection, conversation_id: int, end: int) -> Sequence[Row]:
    """
    Read what of the path to a message no block stands for, oldest first.

    A block stands for the path it was made on: it counts where its last message is on this one.
    """
    path = await chain_to(told_by(connection), end)
    numbers = [row["id"] for row in path]
    blocks = sa.select(sa.func.max(summary_blocks.c.last_position)).where(
        summary_blocks.c.conversation_id == conversation_id, summary_blocks.c.last_message_id.in_(numbers)
    )
    told = await connection.scalar(blocks)
    return [row for row in path if told is None or row["position"] > told]


async def stretch_rows(connection: AsyncConnection, first: int, last_message_id: int) -> Sequence[Row]:
    """Read the messages that a block of a path stands for: from a position on, to its last message."""
    path = await chain_to(told_by(connection), last_message_id)
    end = next(row["position"] for row in path if row["id"] == last_message_id)
    return [row for row in path if first <= row["position"] <= end]
