"""Tells other processes what a commit changed: wake-ups by the queue, the rest by NOTIFY."""

from __future__ import annotations

import json

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.dialogue import Platform
from bot.memory.models import turns

CHANNEL = "frontdesk"

_DEFER = sa.text(
    """
    SELECT procrastinate_defer_jobs_v1(ARRAY[ROW(
        CAST(:queue AS text), CAST(:task AS text), CAST(:priority AS int), CAST(:lock AS text), NULL,
        CAST(:args AS jsonb), NULL
    )::procrastinate_job_to_defer_v1])
    WHERE NOT EXISTS (SELECT 1 FROM procrastinate_jobs WHERE lock = CAST(:lock AS text) AND status = 'todo')
    """
)
# The lease of a turn that waits is nobody's: it only keeps others away for the time of the pause.
_HURRY = sa.text(
    """
    WITH free AS (
        UPDATE conversations SET lease_until = NULL
        WHERE id = :conversation AND lease_until IS NOT NULL AND NOT EXISTS (
            SELECT FROM turns WHERE conversation_id = :conversation AND state = 'answering')
    )
    UPDATE procrastinate_jobs SET scheduled_at = NULL
    WHERE lock = CAST(:lock AS text) AND status = 'todo' AND scheduled_at > now()
    """
)
# Looked at before conversations are locked: a long queue would be locked as a whole, sweep by sweep.
UNTOLD = sa.text(
    "NOT EXISTS (SELECT FROM procrastinate_jobs"
    " WHERE status = 'todo' AND lock = 'answer:' || conversations.id)"
)
_NOTIFY = sa.text("SELECT pg_notify(:channel, :news)")


async def wake(
    connection: AsyncConnection, task: str, conversation_id: int, platform: Platform, behind: int = 0
) -> None:
    """
    Have a worker run the task for a conversation, unless one is told already; its row has to be locked.

    `behind` is how many others it stands behind, as `fairness` has it.
    """
    args = json.dumps({"conversation_id": conversation_id})
    told = {"queue": str(platform), "task": task, "lock": f"{task}:{conversation_id}", "args": args}
    await connection.execute(_DEFER, told | {"priority": -behind})


async def hurry(connection: AsyncConnection, conversation_id: int) -> None:
    """
    End a pause that a conversation's wake-up waits for, since something else is wanted of its turn.

    Its row has to be locked. A lease that somebody holds stays: who holds it is told by `tell_turn`.
    """
    await connection.execute(_HURRY, {"conversation": conversation_id, "lock": f"answer:{conversation_id}"})


async def tell_conversation(connection: AsyncConnection, conversation_id: int) -> None:
    """Tell the pages that a conversation's transcript changed."""
    await connection.execute(_NOTIFY, {"channel": CHANNEL, "news": f"conversation:{conversation_id}"})


async def tell_turn(connection: AsyncConnection, turn_id: int) -> None:
    """Tell whoever answers a turn that something else is wanted of it."""
    await connection.execute(_NOTIFY, {"channel": CHANNEL, "news": f"turn:{turn_id}"})


async def want_anew(connection: AsyncConnection, turn_id: int | None) -> None:
    """Raise what is wanted of an open turn, and tell whoever answers it."""
    statement = turns.update().where(turns.c.id == turn_id, turns.c.state.in_(["waiting", "answering"]))
    changed = await connection.scalar(statement.values(revision=turns.c.revision + 1).returning(turns.c.id))
    if changed is not None:
        await tell_turn(connection, changed)
