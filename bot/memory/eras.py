"""Counts how often a new conversation was begun in a direct channel."""

from __future__ import annotations

from datetime import datetime

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


async def next_era(connection: AsyncConnection, channel: Channel, asked_at: datetime | None) -> None:
    """
    Count one more `/new` in a direct channel.

    One that was asked for no later than the last is that one once more, and is not counted; None is now.
    """
    began_at = sa.func.now() if asked_at is None else asked_at
    place = {"platform": channel.platform, "workspace": channel.workspace, "place": channel.id}
    statement = insert(eras).values(number=1, began_at=began_at, **place)
    is_later = eras.c.began_at < statement.excluded.began_at
    counted = {"number": eras.c.number + 1, "began_at": statement.excluded.began_at}
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=list(place), set_=counted, where=None if asked_at is None else is_later
        )
    )
