"""Counts how often a new conversation was begun in a direct channel."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.dialogue import Channel
from bot.memory.models import eras


async def era_of(connection: AsyncConnection, channel: Channel) -> int:
    """Say how often `/new` was said in a direct channel."""
    found = await connection.scalar(
        sa.select(eras.c.number).where(
            eras.c.platform == channel.platform,
            eras.c.workspace == channel.workspace,
            eras.c.place == channel.id,
        )
    )
    return found or 0


async def next_era(connection: AsyncConnection, channel: Channel) -> None:
    """Count one more `/new` in a direct channel."""
    statement = insert(eras).values(
        platform=channel.platform, workspace=channel.workspace, place=channel.id, number=1
    )
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["platform", "workspace", "place"],
            set_={"number": eras.c.number + 1, "began_at": sa.func.now()},
        )
    )
