"""Slack's connections, each with a seat: an app may have ten, however many processes there are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

import structlog

log = structlog.get_logger()

KIND = "slack-socket"
CONNECTIONS = 10  # "Using Socket Mode" in Slack's documentation


Serve = Callable[[], Coroutine[Any, Any, None]]


class Seat(Protocol):
    """The right to do what only one process may do at a time."""

    @property
    def lost(self) -> asyncio.Event:
        """Set as soon as it is not ours any more."""
        ...


S = TypeVar("S", bound=Seat)


class Seats(Protocol[S]):
    """What is shared between processes."""

    async def take(self, kind: str, count: int, most: int) -> S:
        """Wait for one of the `count` seats of a kind, of which this process takes at most `most`."""
        ...

    async def give_back(self, seat: S) -> None:
        """Let another process have it at once."""
        ...


async def serve_seated(serve: Serve, seats: Seats[Any], sockets: int) -> None:
    """
    Serve over so many connections, each only while it has a seat; without one, stand by.

    Raises what `serve` raises.
    """
    try:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(sockets):
                tasks.create_task(_stand_by(serve, seats, sockets), name="slack socket")
    except BaseExceptionGroup as group:
        # Callers know our errors, not groups of them; the first is what broke the rest.
        raise group.exceptions[0] from group


async def until_one_ends(*works: Coroutine[Any, Any, None]) -> None:
    """Do several things until one of them ends, then cancel the others in order; raises what one raised."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
            await asyncio.wait({task})
    for task in tasks:
        if not task.cancelled():
            task.result()


async def _stand_by(serve: Serve, seats: Seats[Any], sockets: int) -> None:
    while True:
        seat = await seats.take(KIND, CONNECTIONS, sockets)
        try:
            await _serve_while(seat, serve)
        finally:
            await seats.give_back(seat)


async def _serve_while(seat: Seat, serve: Serve) -> None:
    async def lost() -> None:
        await seat.lost.wait()

    await until_one_ends(serve(), lost())
