"""Each channel's messages in order to the one door in, different channels side by side."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import structlog

from bot.dialogue import Message
from bot.errors import StoreDown
from bot.ports import Door

log = structlog.get_logger()

_AT_ONCE = 16
_LONGEST_PAUSE = 10.0


@dataclass(frozen=True, slots=True)
class Item:
    """Messages of one channel on their way in: the lowest id they may have, and how to come by them."""

    first: int
    read: Callable[[], AsyncIterator[Message]]


class Lines:
    """
    Hands messages to the door, again and again until each is committed.

    A workspace that is held keeps its messages waiting until it is known what came before them.
    """

    def __init__(self, door: Door, tasks: asyncio.TaskGroup) -> None:
        self._door = door
        self._tasks = tasks
        self._waiting: dict[str, deque[Item]] = {}
        self._gates: dict[str, asyncio.Event] = {}
        self._room = asyncio.Semaphore(_AT_ONCE)

    def put(self, channel_id: str, workspace: str, item: Item) -> None:
        """Let the item's messages follow those that wait in its channel."""
        if channel_id in self._waiting:
            self._waiting[channel_id].append(item)
        else:
            self._begin(channel_id, workspace, item)

    def put_first(self, channel_id: str, workspace: str, item: Item) -> None:
        """Let the item's messages go before those that wait in its channel."""
        if channel_id in self._waiting:
            self._waiting[channel_id].appendleft(item)
        else:
            self._begin(channel_id, workspace, item)

    def length(self, channel_id: str) -> int:
        """Say how many items wait in the channel."""
        return len(self._waiting.get(channel_id, ()))

    def drop(self, channel_id: str) -> int:
        """Forget what waits in the channel and say from which id on it has to be fetched again."""
        waiting = self._waiting[channel_id]
        first = min(item.first for item in waiting)
        waiting.clear()
        return first

    def hold(self, workspace: str) -> None:
        """Let the workspace's messages wait."""
        self._gates.setdefault(workspace, asyncio.Event())

    def release(self, workspace: str) -> None:
        """Let them go on."""
        gate = self._gates.pop(workspace, None)
        if gate is not None:
            gate.set()

    def _begin(self, channel_id: str, workspace: str, item: Item) -> None:
        self._waiting[channel_id] = deque([item])
        self._tasks.create_task(self._empty_line(channel_id, workspace), name=f"discord line {channel_id}")

    async def _empty_line(self, channel_id: str, workspace: str) -> None:
        waiting = self._waiting[channel_id]
        try:
            while waiting:
                while gate := self._gates.get(workspace):
                    await gate.wait()
                async for message in waiting.popleft().read():
                    await self._deliver(message)
        finally:
            del self._waiting[channel_id]

    async def _deliver(self, message: Message) -> None:
        tried = 0
        while True:
            try:
                async with self._room:
                    await self._door.accept(message)
            except StoreDown:
                tried += 1
                pause = min(_LONGEST_PAUSE, 0.1 * 2**tried) * random.uniform(0.5, 1.0)
                log.warning("message_waits_for_store", key=message.key, tried=tried, seconds=round(pause, 2))
                await asyncio.sleep(pause)
            else:
                return
