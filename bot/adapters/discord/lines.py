"""Each channel's events in order to the one door in, different channels side by side."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import structlog

from bot.dialogue import Accepted, Deletion, Message, Platform, Reply, Request
from bot.errors import StoreDown
from bot.ports import Door

log = structlog.get_logger()

_AT_ONCE = 16
_LONGEST_PAUSE = 10.0
_NO_ID = 1 << 63  # above every id
_T = TypeVar("_T")


class Patience:
    """The door, knocked at again and again until what came is committed."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def accept(self, message: Message) -> Accepted:
        """Have a message kept."""
        return await self.insist(partial(self._door.accept, message), message.key)

    async def withdraw(self, deletion: Deletion) -> None:
        """Have deleted messages taken away."""
        place = deletion.channel
        await self.insist(partial(self._door.withdraw, deletion), f"deletion in {place.workspace}:{place.id}")

    async def left(self, workspace: str) -> None:
        """Note that the bot was removed from a guild."""
        await self.insist(partial(self._door.left, Platform.DISCORD, workspace), f"leaving {workspace}")

    async def request(self, request: Request) -> Reply:
        """Have a wish carried out, or not: somebody waits for the word. Raises `StoreDown`."""
        return await self._door.request(request)

    async def insist(self, knock: Callable[[], Awaitable[_T]], key: str) -> _T:
        """Do something until the store is there for it; `key` is for the log."""
        tried = 0
        while True:
            try:
                async with self._room:
                    return await knock()
            except StoreDown:
                tried += 1
                pause = min(_LONGEST_PAUSE, 0.1 * 2**tried) * random.uniform(0.5, 1.0)
                log.warning("message_waits_for_store", key=key, tried=tried, seconds=round(pause, 2))
            await asyncio.sleep(pause)


@dataclass(frozen=True, slots=True)
class Item:
    """Something that came in a channel: the lowest message id it may bring, and how to bring it in."""

    first: int
    bring: Callable[[Patience], Awaitable[None]]


class Lines:
    """
    Brings what came through the door, channel by channel in order.

    A workspace that is held keeps its items waiting until it is known what came before them.
    """

    def __init__(self, door: Patience, tasks: asyncio.TaskGroup) -> None:
        self._door = door
        self._tasks = tasks
        self._waiting: dict[str, deque[Item]] = {}
        self._gates: dict[str, asyncio.Event] = {}

    def put(self, channel_id: str, workspace: str, item: Item) -> None:
        """Let the item follow those that wait in its channel."""
        if channel_id in self._waiting:
            self._waiting[channel_id].append(item)
        else:
            self._begin(channel_id, workspace, item)

    def put_first(self, channel_id: str, workspace: str, item: Item) -> None:
        """Let the item go before those that wait in its channel."""
        if channel_id in self._waiting:
            self._waiting[channel_id].appendleft(item)
        else:
            self._begin(channel_id, workspace, item)

    def length(self, channel_id: str) -> int:
        """Say how many items wait in the channel."""
        return len(self._waiting.get(channel_id, ()))

    def drop(self, channel_id: str) -> int:
        """Forget the messages that wait in the channel and say from which id on to fetch them again."""
        waiting = self._waiting[channel_id]
        messages = [item for item in waiting if item.first]
        for item in messages:
            waiting.remove(item)
        return min((item.first for item in messages), default=_NO_ID)

    def hold(self, workspace: str) -> None:
        """Let the workspace's items wait."""
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
                await waiting.popleft().bring(self._door)
        finally:
            del self._waiting[channel_id]
