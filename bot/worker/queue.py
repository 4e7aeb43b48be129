"""The wake-ups: procrastinate jobs that have conversations answered and folded, and the stalled rescued."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import procrastinate
import psycopg
import psycopg_pool
import structlog
from procrastinate.exceptions import ConnectorException
from procrastinate.job_context import JobContext
from procrastinate.jobs import Job
from procrastinate.worker import Worker

from bot.dialogue import Platform
from bot.errors import StoreDown

log = structlog.get_logger()

_BEAT_SECONDS = 1.5
_STALLED_BEATS = 3.5
_LONGEST_PAUSE = 30.0
# A call to a platform that is on its way, the end of a stream, and what became of the job.
_LAST_WORDS_SECONDS = 10.0

Task = Callable[[int], Awaitable[None]]


class Later(Exception):
    """The job has to run again after so many seconds; nothing is wrong with it."""

    def __init__(self, seconds: float) -> None:
        """`seconds` is from now."""
        super().__init__(f"again in {seconds:.1f} s")
        self.seconds = seconds


class _Retry(procrastinate.BaseRetryStrategy):
    """Runs a job again for ever, with growing pauses: it is the turn that counts its tries and ends."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> procrastinate.RetryDecision:
        if isinstance(exception, Later):
            seconds = exception.seconds
        elif isinstance(exception, asyncio.CancelledError):
            seconds = 0.0
        else:
            seconds = min(2.0 ** min(job.attempts, 10), _LONGEST_PAUSE)
            log.error("job_failed", job=job.id, kind=type(exception).__name__, again_in=seconds)
        return procrastinate.RetryDecision(retry_in={"milliseconds": int(seconds * 1000)})


class Queue:
    """This process' share of the wake-ups."""

    def __init__(
        self,
        url: str,
        answer: Task,
        fold: Task,
        sweep: Callable[[], Awaitable[object]],
        platforms: Sequence[Platform],
        concurrency: int = 600,
        grace: float = 5.0,
        beat: float = _BEAT_SECONDS,
        rescued: Callable[[str], None] = lambda _: None,
    ) -> None:
        """
        `platforms` are those this process can deliver to; `grace` is how long answers may go on at the end.

        `sweep` wakes conversations that were left without a wake-up; every `beat` seconds it is called, and
        what others left behind is looked for. Who misses three beats in a row is taken for dead. `rescued`
        is told the platform of each wake-up that was left behind.
        """
        connector = procrastinate.PsycopgConnector(
            conninfo=url, min_size=1, max_size=8, timeout=5.0, pool_factory=_pool, configure=_at_once
        )
        self._app = procrastinate.App(connector=connector)
        self._platforms = [str(platform) for platform in platforms]
        self._concurrency = concurrency
        self._grace = grace
        self._beat = beat
        self._sweep = sweep
        self._rescued = rescued
        self._worker: int | None = None
        self._running: set[int | None] = set()
        self._idle: set[int | None] = set()
        for name, task in (("answer", answer), ("fold", fold)):
            self._register(name, task)

    async def run(self) -> None:
        """Work until cancelled; a database that goes away is waited for."""
        while True:
            try:
                async with self._app.open_async():
                    _heed_cancellation()
                    await self._work()
            except (ConnectorException, psycopg.Error, StoreDown) as error:
                log.warning("queue_lost", reason=str(error).split("\n", 1)[0])
            await asyncio.sleep(1.0)

    async def _work(self) -> None:
        worker = Worker(
            self._app,
            queues=self._platforms,
            concurrency=self._concurrency,
            fetch_job_polling_interval=1.0,
            update_heartbeat_interval=self._beat,
            stalled_worker_timeout=_STALLED_BEATS * self._beat,
            shutdown_graceful_timeout=self._grace,
            delete_jobs="successful",
            install_signal_handlers=False,
        )
        rescuing = asyncio.create_task(self._rescue())
        working = asyncio.create_task(worker.run())  # type: ignore[no-untyped-call]
        try:
            await asyncio.shield(working)
        finally:
            rescuing.cancel()
            beating = asyncio.create_task(self._beat_on(worker))
            await self._stop(worker, working)
            beating.cancel()
            await asyncio.wait({rescuing, beating})

    async def _stop(self, worker: Worker, working: asyncio.Task[None]) -> None:
        """
        End the worker, which writes down what became of its jobs; a database that is away is not waited for.

        What could not be written stays a dead worker's job, and is found stalled by the next one.
        """
        # Both: one that has not begun would forget the word, and one that is beginning may miss the other.
        worker.stop()  # type: ignore[no-untyped-call]
        working.cancel()
        await asyncio.wait({working}, timeout=self._grace + _LAST_WORDS_SECONDS)
        if not working.done():
            log.warning("queue_left", reason="the database does not answer")
            await self._app.connector.close_async()
            await asyncio.wait({working})
        if not working.cancelled() and (error := working.exception()) is not None:
            log.info("queue_ended", kind=type(error).__name__)

    async def _beat_on(self, worker: Worker) -> None:
        """
        Go on saying that we live while running jobs have their grace.

        The engine stops saying so as soon as it is told to stop; the others would take those jobs for a
        dead worker's, and do them beside us.
        """
        while worker.worker_id is not None:
            try:
                await self._app.job_manager.update_heartbeat(worker.worker_id)
            except (ConnectorException, psycopg.Error) as error:
                log.warning("beat_missed", reason=str(error).split("\n", 1)[0])
            await asyncio.sleep(self._beat)

    def _register(self, name: str, task: Task) -> None:
        async def run(context: JobContext, conversation_id: int) -> None:
            number, self._worker = context.job.id, context.job.worker_id
            self._running.add(number)
            if (job := asyncio.current_task()) is not None:
                job.add_done_callback(partial(_heard, number))
            try:
                await task(conversation_id)
            finally:
                self._running.discard(number)

        self._app.task(name=name, retry=_Retry(), pass_context=True)(run)

    async def _rescue(self) -> None:
        """Have the jobs of dead workers run again: the engine itself leaves them as they are."""
        while True:
            try:
                await self._retry_stalled()
                await self._sweep()
            except (ConnectorException, psycopg.Error, StoreDown) as error:
                log.warning("rescue_failed", reason=str(error).split("\n", 1)[0])
            except Exception as error:
                # Whatever it is, a worker that no longer rescues would leave others' answers lying for ever.
                log.exception("rescue_failed", kind=type(error).__name__)
            _heed_cancellation()
            await asyncio.sleep(self._beat)

    async def _retry_stalled(self) -> None:
        manager = self._app.job_manager
        silent = _STALLED_BEATS * self._beat
        stalled = list(await manager.get_stalled_jobs(seconds_since_heartbeat=silent))
        for job in [*stalled, *await self._left_behind()]:
            if job.queue in self._platforms:
                log.info("job_rescued", job=job.id, task=job.task_name)
                await manager.retry_job(job)
                self._rescued(job.queue)

    async def _left_behind(self) -> list[Job]:
        """
        Find our own jobs that ended, but whose end could not be written: they would hold their lock for ever.

        Those just beginning or ending look the same for a moment, so they have to be seen twice.
        """
        if self._worker is None:
            return []
        ours = await self._app.job_manager.list_jobs_async(status="doing", worker_id=self._worker)
        idle = {job.id: job for job in ours if job.id not in self._running}
        found = [job for number, job in idle.items() if number in self._idle]
        self._idle = set(idle)
        return found


def _heed_cancellation() -> None:
    """
    End the task if it was cancelled and does not know.

    The pool waits by `asyncio.wait_for`, which in Python 3.11 swallows a cancellation that comes in the same
    moment as what it waits for.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _heard(number: int | None, job: asyncio.Task[Any]) -> None:
    """Tell of a job whose end could not be written, since the engine asks none of its tasks how it ended."""
    if not job.cancelled() and (error := job.exception()) is not None:
        log.warning("job_end_lost", job=number, kind=type(error).__name__)


def _pool(**given: Any) -> psycopg_pool.AsyncConnectionPool[psycopg.AsyncConnection[Any]]:
    """Make the engine's pool without its look at each connection before use: a dead one ends `_work`."""
    return psycopg_pool.AsyncConnectionPool(**{**given, "check": None})


async def _at_once(connection: psycopg.AsyncConnection[Any]) -> None:
    """Have no transaction around the engine's statements, which are single ones: one round trip, not four."""
    await connection.set_autocommit(True)
