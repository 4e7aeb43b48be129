"""What is done after the acknowledgement, and outlives the envelope that asked for it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Coroutine
from typing import Any

import structlog

from bot.errors import FrontdeskError, PlatformError

log = structlog.get_logger()

GRACE_SECONDS = 3.0
REMEMBERED = 2_000


class Errands:
    """Runs what nothing waits for; an errand of the same name runs once, however often it is asked for."""

    def __init__(self) -> None:
        """Nothing runs yet."""
        self._running: set[asyncio.Task[None]] = set()
        self._names: OrderedDict[str, None] = OrderedDict()

    def run(self, work: Coroutine[Any, Any, None], name: str = "") -> None:
        """Begin the work; with a name only if none of that name was begun lately."""
        if name and name in self._names:
            work.close()
            return
        if name:
            self._names[name] = None
            while len(self._names) > REMEMBERED:
                self._names.popitem(last=False)
        task = asyncio.create_task(_told(work))
        self._running.add(task)
        task.add_done_callback(self._end)

    async def finish(self, seconds: float = GRACE_SECONDS) -> None:
        """Let what runs come to its end for so long, then cancel it."""
        if not self._running:
            return
        _, late = await asyncio.wait(self._running, timeout=seconds)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("slack_errand_failed", kind=type(error).__name__, exc_info=error)


async def _told(work: Awaitable[None]) -> None:
    try:
        await work
    except PlatformError as error:
        log.warning("slack_errand_refused", error=str(error))
    except FrontdeskError as error:
        log.warning("slack_errand_refused", error=type(error).__name__)
