"""Wake-ups and notifications, as part of a commit."""

from __future__ import annotations

import json

import sqlalchemy as sa

from bot.dialogue import Platform
from bot.memory.news import wake, want_anew
from tests.memory.conftest import Record


async def test_one_wake_up_waits_at_a_time_for_each_task(record: Record) -> None:
    async with record.database.transaction() as connection:
        for task in ("answer", "answer", "fold", "fold"):
            await wake(connection, task, 7, Platform.SLACK)
        await wake(connection, "answer", 8, Platform.DISCORD)
    jobs = await record.rows("SELECT lock, queue_name FROM procrastinate_jobs ORDER BY id")
    assert [(job["lock"], job["queue_name"]) for job in jobs] == [
        ("answer:7", "slack"),
        ("fold:7", "slack"),
        ("answer:8", "discord"),
    ]


async def test_a_wake_up_in_work_does_not_count_as_waiting(record: Record) -> None:
    for _ in range(3):
        async with record.database.transaction() as connection:
            await wake(connection, "answer", 7, Platform.SLACK)
        await record.rows("UPDATE procrastinate_jobs SET status = 'succeeded'")
    assert await record.value("SELECT count(*) FROM procrastinate_jobs") == 3


async def test_only_an_open_turn_is_wanted_anew(record: Record) -> None:
    turn = await record.exchange("hello", "yes")
    async with record.database.transaction() as connection:
        await want_anew(connection, turn.id)
        await want_anew(connection, None)
    assert await record.value("SELECT revision FROM turns") == 0


async def test_many_waiting_jobs_do_not_slow_a_wake_up(record: Record) -> None:
    fill = """
        INSERT INTO procrastinate_jobs (queue_name, task_name, lock, args)
        SELECT 'slack', 'answer', 'answer:' || n, '{}' FROM generate_series(1, 5000) AS n
    """
    async with record.database.transaction() as connection:
        await connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        await connection.execute(sa.text(fill))
    await record.rows("ANALYZE procrastinate_jobs")
    look = "SELECT 1 FROM procrastinate_jobs WHERE lock = 'answer:77' AND status = 'todo'"
    plan = json.dumps((await record.rows(f"EXPLAIN (FORMAT JSON) {look}"))[0]["QUERY PLAN"])
    assert "Seq Scan" not in plan
    assert "frontdesk_waiting_lock_index" in plan
