"""Tells people, each alone and once a minute, that they ask more than is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol

import structlog

from bot.dialogue import Message, Platform
from bot.errors import PlatformError, StoreDown
from bot.ports import Adapter, Notices, Words

log = structlog.get_logger()

_GRACE_SECONDS = 3.0


class Rates(Protocol):
    """The record of who was told."""

    async def first_told(self, message: Message) -> bool:
        """Note that a message's author is told now; False where they were in this minute."""
        ...


class Courtesy:
    """
    Says it after the message was kept, so that no acknowledgement waits for it.

    Who dies before it is said leaves it to the person's next message.
    """

    def __init__(self, adapters: Mapping[Platform, Adapter], rates: Rates, words: Words) -> None:
        """Where an adapter has no `bot.ports.Notices`, pages and terminals say it themselves."""
        self._adapters = adapters
        self._rates = rates
        self._words = words
        self._telling: set[asyncio.Task[None]] = set()

    def tell(self, message: Message) -> None:
        """Begin to tell a message's author that it is not answered."""
        task = asyncio.create_task(self._tell(message))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def close(self) -> None:
        """Let what was begun come to its end, for a moment."""
        if not self._telling:
            return
        _, late = await asyncio.wait(self._telling, timeout=_GRACE_SECONDS)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)

    async def _tell(self, message: Message) -> None:
        adapter = self._adapters[message.channel.platform]
        try:
            if not isinstance(adapter, Notices) or not await self._rates.first_told(message):
                return
            text = self._words.say("rate-limited", self._words.language_for(message))
            told = await adapter.notice(message, text)
            log.info("person_limited", platform=str(message.channel.platform), told=told)
        except (PlatformError, StoreDown) as error:
            log.warning("person_not_told", reason=type(error).__name__)
