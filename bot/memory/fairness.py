"""
A fair share of the workers for each workspace, so that a busy one cannot starve another.

A wake-up stands behind as many others as its workspace had open turns when it was made: the queue takes the
first of each workspace before the second of any.
"""

from __future__ import annotations

from typing import LiteralString

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.memory.database import Database
from bot.memory.models import turns

MOST_BEHIND = 100  # so many are counted; who is behind them all comes in the order of arrival


async def open_turns(connection: AsyncConnection, tenant: str) -> int:
    """Count the open turns of a workspace, as far as they matter."""
    mine = (turns.c.tenant == tenant) & turns.c.state.in_(["waiting", "answering"])
    some = sa.select(turns.c.id).where(mine).limit(MOST_BEHIND).subquery()
    return await connection.scalar(sa.select(sa.func.count()).select_from(some)) or 0


async def raise_oldest(database: Database, seconds: float = 60.0) -> None:
    """
    Let the oldest turn of each workspace that waits longer than so many seconds be the next.

    Others that are asked little could else be before it for ever. Nothing is raised while one that was still
    waits, so that the share stays fair among those who all wait long; what waits for an answer before it in
    its conversation, or for its own pause, is neither raised nor waited for.
    """
    await database.run(_RAISE, seconds=seconds)


_RAISE: LiteralString = """
UPDATE procrastinate_jobs SET priority = 1 WHERE id IN (
    SELECT DISTINCT ON (tenant) jobs.id
    FROM turns JOIN procrastinate_jobs jobs ON jobs.lock = 'answer:' || turns.conversation_id
    WHERE turns.state = 'waiting' AND turns.created_at < now() - make_interval(secs => %(seconds)s)
        AND jobs.status = 'todo' AND jobs.priority < 0
        AND (jobs.scheduled_at IS NULL OR jobs.scheduled_at <= now())
        AND NOT EXISTS (
            SELECT FROM procrastinate_jobs AS doing WHERE doing.lock = jobs.lock AND doing.status = 'doing')
    ORDER BY tenant, turns.id)
AND status = 'todo' AND NOT EXISTS (
    SELECT FROM procrastinate_jobs AS raised
    WHERE status = 'todo' AND priority > 0 AND (scheduled_at IS NULL OR scheduled_at <= now())
        AND NOT EXISTS (
            SELECT FROM procrastinate_jobs AS doing
            WHERE doing.lock = raised.lock AND doing.status = 'doing'))
"""
