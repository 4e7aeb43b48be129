"""Two tasks of which the first to end ends the other."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


async def until(end: Coroutine[Any, Any, Any], work: Coroutine[Any, Any, None]) -> None:
    """Do the work until the end comes or it is done; raises what either of them dies of."""
    tasks = [asyncio.create_task(work), asyncio.create_task(end)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await ended(*tasks)
    for task in tasks:
        if not task.cancelled():
            task.result()


async def ended(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks and wait until they have ended."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
