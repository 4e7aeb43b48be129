"""Keeps the parts of a process alive, and ends them."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog

from bot.errors import PlatformError

log = structlog.get_logger()

_SHORTEST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0
_REFUSED_PAUSE = 60.0

_STOPS = (signal.SIGINT, signal.SIGTERM)


def supervised(name: str, run: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
    """Keep something running until cancelled; what it dies of is logged and it is begun again."""

    async def keep() -> None:
        pause = _SHORTEST_PAUSE
        while True:
            began = time.monotonic()
            try:
                await run()
            except PlatformError as error:
                # A token may be put right, and a refusal be a passing one; others are served meanwhile.
                pause = _REFUSED_PAUSE
                told = {"kind": type(error).__name__, "reason": str(error), "again_in": pause}
                log.error("platform_refused", part=name, **told)
            except Exception as error:
                pause = _SHORTEST_PAUSE if time.monotonic() - began > _LONGEST_PAUSE else pause
                log.exception("part_failed", part=name, kind=type(error).__name__, again_in=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    return asyncio.create_task(keep(), name=name)


def ending(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Cancel tasks that were not told yet: a second word would cut short how they end."""
    for task in tasks:
        if not task.cancelling():
            task.cancel()


async def cancelled(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Cancel tasks and wait until they have ended."""
    ending(tasks)
    if tasks:
        await asyncio.wait(tasks)


def stop_signal() -> asyncio.Event:
    """Tell of the first SIGINT or SIGTERM by an event; the next one of either ends the process at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def told() -> None:
        stop.set()
        for number in _STOPS:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    for number in _STOPS:
        loop.add_signal_handler(number, told)
    return stop
