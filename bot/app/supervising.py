"""Keeps the parts of a process alive, and ends them."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog

from bot.errors import PlatformError

log = structlog.get_logger()

_STOPS = (signal.SIGINT, signal.SIGTERM)


def supervised(name: str, run: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
    """Keep something running until cancelled; what it dies of is logged and it is begun again."""

    async def keep() -> None:
        pause = 1.0
        while True:
            try:
                await run()
            except PlatformError as error:
                log.error("platform_refused", part=name, kind=type(error).__name__, reason=str(error))
                return
            except Exception as error:
                log.exception("part_failed", part=name, kind=type(error).__name__, again_in=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 30.0)

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
