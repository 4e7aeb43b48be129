"""The wake-ups on a real Postgres: order, parallel work, later, dead workers, lost connections, the end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import psycopg
import psycopg_pool
import pytest
from sqlalchemy import make_url
from structlog.testing import capture_logs

from bot.dialogue import Platform
from bot.errors import StoreDown
from bot.worker import Queue
from bot.worker.queue import Later

PATIENCE = 15.0
TERMINATE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


class Jobs:
    """What the jobs of one process do: they note that they ran, and wait where they are told to."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.ended: list[int] = []
        self.folded: list[int] = []
        self.swept = 0
        self.rescued: list[str] = []
        self.sweep_error: Exception | None = None
        self.doors: dict[int, asyncio.Event] = {}
        self.errors: dict[int, list[Exception]] = {}
        self._changed = asyncio.Condition()

    async def answer(self, conversation_id: int) -> None:
        await self._note(self.begun, conversation_id)
        if errors := self.errors.get(conversation_id):
            raise errors.pop(0)
        if conversation_id in self.doors:
            await self.doors[conversation_id].wait()
        await self._note(self.ended, conversation_id)

    async def fold(self, conversation_id: int) -> None:
        await self._note(self.folded, conversation_id)

    async def sweep(self) -> None:
        self.swept += 1
        await self._note([], 0)
        if self.sweep_error is not None:
            raise self.sweep_error

    async def until(self, wanted: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE), self._changed:
            await self._changed.wait_for(wanted)

    async def _note(self, where: list[int], conversation_id: int) -> None:
        async with self._changed:
            where.append(conversation_id)
            self._changed.notify_all()


def queue_of(
    url: str,
    jobs: Jobs,
    grace: float = 5.0,
    answer: Callable[[int], Awaitable[None]] | None = None,
) -> Queue:
    platforms = [Platform.WEB, Platform.CONSOLE]
    told = jobs.rescued.append
    answer = answer or jobs.answer
    return Queue(url, answer, jobs.fold, jobs.sweep, platforms, grace=grace, beat=0.3, rescued=told)


@asynccontextmanager
async def running(queue: Queue) -> AsyncIterator[asyncio.Task[None]]:
    """Have the queue run while the block lasts; it has to be running still at its end."""
    task = asyncio.create_task(queue.run())
    try:
        yield task
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.wait({task}, timeout=PATIENCE)
        assert task.cancelled()


async def query(url: str, statement: str, *values: object) -> list[tuple[object, ...]]:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        cursor = await connection.execute(statement.encode(), values)
        return await cursor.fetchall() if cursor.description else []


async def defer(url: str, number: int, task: str = "answer", platform: Platform = Platform.WEB) -> None:
    await query(
        url,
        "SELECT procrastinate_defer_jobs_v1(ARRAY[ROW(%s::text, %s::text, 0, %s::text, NULL, %s::jsonb, NULL)"
        "::procrastinate_job_to_defer_v1])",
        *(str(platform), task, f"{task}:{number}", json.dumps({"conversation_id": number})),
    )


async def states(url: str) -> list[str]:
    return [str(row[0]) for row in await query(url, "SELECT status FROM procrastinate_jobs ORDER BY id")]


async def until_states(url: str, wanted: list[str]) -> None:
    """Wait until the jobs are in these states; the engine tells nobody when it has written them."""
    async with asyncio.timeout(PATIENCE):
        while await states(url) != wanted:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


class MissedCancellations(psycopg_pool.AsyncConnectionPool[psycopg.AsyncConnection[object]]):
    """Swallows its first waiters' first cancellation, as Python 3.11's `wait_for` may."""

    waiters: ClassVar[asyncio.Semaphore]
    waiting: ClassVar[asyncio.Semaphore]
    opening: ClassVar[bool]

    async def open(self, *args: Any, **given: Any) -> None:
        await super().open(*args, **given)
        if self.opening:
            await self._miss()

    async def getconn(self, *args: Any, **given: Any) -> psycopg.AsyncConnection[object]:
        if not self.opening and not self.waiters.locked():
            await self._miss()
        return await super().getconn(*args, **given)

    async def _miss(self) -> None:
        await self.waiters.acquire()
        self.waiting.release()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()


@pytest.mark.parametrize(("opening", "waiters"), [(True, 1), (False, 2)])
async def test_a_cancellation_that_the_pool_swallows_ends_the_queue_all_the_same(
    database_url: str, monkeypatch: pytest.MonkeyPatch, opening: bool, waiters: int
) -> None:
    waiting = asyncio.Semaphore(0)
    given = {"opening": opening, "waiters": asyncio.Semaphore(waiters), "waiting": waiting}
    for name, value in given.items():
        monkeypatch.setattr(MissedCancellations, name, value, raising=False)
    monkeypatch.setattr(
        "bot.worker.queue._pool", lambda **given: MissedCancellations(**{**given, "check": None})
    )
    task = asyncio.create_task(queue_of(database_url, Jobs(), grace=2 * PATIENCE).run())
    async with asyncio.timeout(PATIENCE):
        for _ in range(waiters):
            await waiting.acquire()
        task.cancel()
        await asyncio.wait({task})
    assert task.cancelled()


async def test_a_wake_up_runs_its_task_and_is_gone(database_url: str) -> None:
    jobs = Jobs()
    async with running(queue_of(database_url, jobs)):
        await defer(database_url, 7)
        await defer(database_url, 8, "fold")
        await jobs.until(lambda: jobs.ended == [7] and jobs.folded == [8])
        await until_states(database_url, [])


async def test_one_conversation_is_worked_in_order_and_others_beside_it(database_url: str) -> None:
    jobs = Jobs()
    jobs.doors[1] = asyncio.Event()
    async with running(queue_of(database_url, jobs)):
        for number in (1, 1, 2, 3):
            await defer(database_url, number)
        await jobs.until(lambda: sorted(jobs.ended) == [2, 3])
        assert jobs.begun.count(1) == 1
        jobs.doors[1].set()
        await jobs.until(lambda: sorted(jobs.ended) == [1, 1, 2, 3])


async def test_a_job_that_asks_for_later_runs_again(database_url: str) -> None:
    jobs = Jobs()
    jobs.errors[1] = [Later(0.2), Later(0.0)]
    async with running(queue_of(database_url, jobs)):
        await defer(database_url, 1)
        await jobs.until(lambda: jobs.ended == [1])
    assert jobs.begun == [1, 1, 1]


async def test_a_job_that_fails_runs_again(database_url: str) -> None:
    jobs = Jobs()
    jobs.errors[1] = [ZeroDivisionError("ours")]
    async with running(queue_of(database_url, jobs)):
        await defer(database_url, 1)
        await jobs.until(lambda: jobs.ended == [1])


async def test_jobs_of_platforms_that_others_serve_stay(database_url: str) -> None:
    jobs = Jobs()
    async with running(queue_of(database_url, jobs)):
        await defer(database_url, 1, platform=Platform.SLACK)
        await defer(database_url, 2)
        await jobs.until(lambda: jobs.ended == [2])
        await until_states(database_url, ["todo"])
    assert jobs.begun == [2]


async def _left_by_the_dead(url: str, number: int, platform: Platform = Platform.WEB) -> None:
    await defer(url, number, platform=platform)
    made = await query(
        url,
        "INSERT INTO procrastinate_workers (last_heartbeat)"
        " VALUES (now() - interval '1 minute') RETURNING id",
    )
    await query(
        url,
        "UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s WHERE lock = %s",
        *(made[0][0], f"answer:{number}"),
    )


async def test_the_job_of_a_dead_worker_is_rescued_by_another(database_url: str) -> None:
    await _left_by_the_dead(database_url, 1)
    await _left_by_the_dead(database_url, 2, Platform.SLACK)
    jobs = Jobs()
    with capture_logs() as logs:
        async with running(queue_of(database_url, jobs)):
            await jobs.until(lambda: jobs.ended == [1])
            await until_states(database_url, ["doing"])
    assert [line["log_level"] for line in logs if line["event"] == "job_rescued"] == ["info"]
    assert (jobs.begun, jobs.rescued) == ([1], ["web"])


async def test_two_workers_that_rescue_at_once_go_on(database_url: str) -> None:
    for number in range(5):
        await _left_by_the_dead(database_url, number)
    one, two = Jobs(), Jobs()
    async with running(queue_of(database_url, one)), running(queue_of(database_url, two)):
        await until_states(database_url, [])
    assert set(one.ended) | set(two.ended) == set(range(5))


@pytest.mark.parametrize("error", [StoreDown("away"), ZeroDivisionError("ours")])
async def test_a_sweep_that_fails_is_tried_again(database_url: str, error: Exception) -> None:
    jobs = Jobs()
    jobs.sweep_error = error
    with capture_logs() as logs:
        async with running(queue_of(database_url, jobs)):
            await jobs.until(lambda: jobs.swept == 2)
    assert "rescue_failed" in [line["event"] for line in logs]


async def test_terminated_connections_do_not_end_the_work(database_url: str) -> None:
    jobs = Jobs()
    async with running(queue_of(database_url, jobs, grace=0.2)):
        await defer(database_url, 1)
        await jobs.until(lambda: jobs.ended == [1])
        # At this moment the end of the first job may be on its way into the record, and is lost then.
        await query(database_url, TERMINATE)
        await defer(database_url, 2)
        await jobs.until(lambda: 2 in jobs.ended)
        await until_states(database_url, [])


async def test_a_job_whose_end_was_lost_is_told_of_once_and_done_again(database_url: str) -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context["message"]))
    jobs = Jobs()

    async def answer(conversation_id: int) -> None:
        await jobs.answer(conversation_id)
        if jobs.ended == [1]:
            await query(database_url, TERMINATE)

    with capture_logs() as logs:
        async with running(queue_of(database_url, jobs, grace=0.2, answer=answer)):
            await defer(database_url, 1)
            await jobs.until(lambda: jobs.ended == [1, 1])
            await until_states(database_url, [])
    gc.collect()  # a task that died unheard is complained of when it is collected
    assert complaints == []
    assert [line["event"] for line in logs].count("job_end_lost") == 1


async def test_a_database_that_comes_later_is_waited_for(database_url: str) -> None:
    name = make_url(database_url).database
    admin = database_url.replace(f"/{name}?", "/frontdesk?", 1)
    await query(admin, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    jobs = Jobs()
    with capture_logs() as logs:
        async with running(queue_of(database_url, jobs)):
            await asyncio.sleep(0.3)
            await query(admin, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
            await defer(database_url, 1)
            await jobs.until(lambda: jobs.ended == [1])
    assert {line["log_level"] for line in logs} <= {"warning"}


async def test_running_answers_may_go_on_a_while_at_the_end(database_url: str) -> None:
    jobs = Jobs()
    jobs.doors[1] = asyncio.Event()
    task = asyncio.create_task(queue_of(database_url, jobs).run())
    await defer(database_url, 1)
    await jobs.until(lambda: jobs.begun == [1])
    task.cancel()
    await asyncio.sleep(0.1)
    jobs.doors[1].set()
    await asyncio.wait({task}, timeout=PATIENCE)
    assert jobs.ended == [1]
    assert await states(database_url) == []


async def test_answers_that_go_on_at_the_end_are_not_taken_for_a_dead_worker_s(database_url: str) -> None:
    leaving, staying = Jobs(), Jobs()
    leaving.doors[1] = staying.doors[1] = asyncio.Event()
    task = asyncio.create_task(queue_of(database_url, leaving, grace=PATIENCE).run())
    await defer(database_url, 1)
    await leaving.until(lambda: leaving.begun == [1])
    async with running(queue_of(database_url, staying)):
        task.cancel()
        looks = staying.swept + 8  # twice the silence after which a worker is dead
        await staying.until(lambda: staying.swept >= looks)
        assert staying.begun == []
        leaving.doors[1].set()
        await asyncio.wait({task}, timeout=PATIENCE)
    assert (leaving.ended, staying.begun) == ([1], [])
    assert await states(database_url) == []


async def test_what_does_not_end_in_time_is_cancelled_and_waits_for_another_worker(database_url: str) -> None:
    jobs = Jobs()
    jobs.doors[1] = asyncio.Event()
    cancelled = asyncio.Event()

    async def answer(conversation_id: int) -> None:
        try:
            await jobs.answer(conversation_id)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    task = asyncio.create_task(queue_of(database_url, jobs, 0.1, answer).run())
    await defer(database_url, 1)
    await jobs.until(lambda: jobs.begun == [1])
    task.cancel()
    await asyncio.wait({task}, timeout=PATIENCE)
    assert task.cancelled()
    assert cancelled.is_set()
    assert await states(database_url) == ["todo"]
    assert await query(database_url, "SELECT count(*) FROM procrastinate_workers") == [(0,)]
    jobs.doors[1].set()
    async with running(queue_of(database_url, jobs)):
        await jobs.until(lambda: jobs.ended == [1])


async def test_a_job_whose_end_could_not_be_written_does_not_block_its_conversation(
    database_url: str,
) -> None:
    jobs = Jobs()
    async with running(queue_of(database_url, jobs)):
        await defer(database_url, 1)
        await jobs.until(lambda: jobs.ended == [1])
        await until_states(database_url, [])
        await query(
            database_url,
            "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, args, status, worker_id)"
            " SELECT 'web', 'answer', 'answer:2', %s::jsonb, 'doing', id FROM procrastinate_workers",
            json.dumps({"conversation_id": 2}),
        )
        await jobs.until(lambda: 2 in jobs.ended)
    assert jobs.begun == [1, 2]


async def test_a_job_that_runs_long_is_not_taken_for_a_lost_one(database_url: str) -> None:
    jobs = Jobs()
    jobs.doors[1] = asyncio.Event()
    async with running(queue_of(database_url, jobs)):
        await defer(database_url, 1)
        await jobs.until(lambda: jobs.begun == [1])
        looks = jobs.swept + 3
        await jobs.until(lambda: jobs.swept >= looks)
        assert jobs.begun == [1]
        jobs.doors[1].set()
        await jobs.until(lambda: jobs.ended == [1])
        await until_states(database_url, [])
