"""Guilds as REST tells of them: the names of roles and channels, for a process without a gateway."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import Any

import discord
import structlog

from bot.adapters.discord.rest import Rest
from bot.errors import PostRefused

log = structlog.get_logger()

_MOST = 200
_FRESH_SECONDS = 600.0
_GUILD = "/guilds/{guild_id}"


class Guilds:
    """Looks guilds up, and remembers each for ten minutes."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._known: OrderedDict[str, tuple[float, discord.Guild]] = OrderedDict()

    async def find(self, guild_id: str) -> discord.Guild | None:
        """
        Give a guild with its roles and channels, without its members and threads.

        None for direct messages, and where the bot may not look. Raises `TokenRefused`, `PlatformDown`.
        """
        if not guild_id:
            return None
        read_at, guild = self._known.get(guild_id, (0.0, None))
        if guild is not None and time.monotonic() - read_at < _FRESH_SECONDS:
            return guild
        try:
            guild = await self._read(guild_id)
        except PostRefused as error:
            log.info("guild_not_readable", guild=guild_id, reason=str(error))
            return None
        self._known[guild_id] = (time.monotonic(), guild)
        self._known.move_to_end(guild_id)
        while len(self._known) > _MOST:
            self._known.popitem(last=False)
        return guild

    async def _read(self, guild_id: str) -> discord.Guild:
        told: Any = await self._rest.call("GET", _GUILD, guild_id=guild_id)
        channels = await self._rest.call("GET", f"{_GUILD}/channels", guild_id=guild_id)
        client = await self._rest.client()
        told["channels"] = channels
        return discord.Guild(data=told, state=client._connection)
