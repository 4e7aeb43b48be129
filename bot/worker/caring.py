"""Tells the asker, where only they see it, why an answer could not be posted, and notes it for the doctor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import structlog

from bot.dialogue import Channel, Platform, Turn
from bot.errors import PlatformError, StoreDown
from bot.ports import Adapter, Notices, Words

log = structlog.get_logger()


class Troubles(Protocol):
    """The record of places where posts are refused."""

    async def note(self, channel: Channel, kind: str, reason: str) -> None:
        """Note that a post was refused in a place."""
        ...

    async def well(self, channel: Channel) -> None:
        """Note that an answer stands in a place."""
        ...


class Caring:
    """What is done about posts that a platform refuses for good."""

    def __init__(self, adapters: Mapping[Platform, Adapter], troubles: Troubles, words: Words) -> None:
        """`adapters` may keep `bot.ports.Notices`."""
        self._adapters = adapters
        self._troubles = troubles
        self._words = words

    async def refused(self, turn: Turn, error: PlatformError) -> None:
        """Note why an answer was refused, and tell the asker with the cure, in their language."""
        channel = turn.conversation.channel
        await self._troubles.note(channel, type(error).__name__, str(error))
        adapter = self._adapters[channel.platform]
        if not isinstance(adapter, Notices):
            return
        language = self._words.language_for(turn.asked)
        if error.reason:
            text = self._words.say(error.reason, language, **error.values)
        else:
            text = self._words.say("not-posted", language, reason=str(error))
        try:
            told = await adapter.notice(turn.asked, text)
        except PlatformError as unheard:
            log.warning("asker_not_told", turn=turn.id, reason=str(unheard))
            return
        if not told:
            log.warning("asker_not_told", turn=turn.id, reason="there is no way to reach them")

    async def well(self, turn: Turn) -> None:
        """Note that an answer stands; what was noted of its place is over."""
        try:
            await self._troubles.well(turn.conversation.channel)
        except StoreDown as error:
            # The answer stands and is on record; the next one in this place will say it again.
            log.warning("trouble_not_cleared", reason=str(error))
