"""How many shards there are: what Discord asks for, and what others with our token hold already."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass

import structlog
import yarl
from discord.gateway import DiscordWebSocket

from bot.adapters.discord.rest import Rest
from bot.adapters.discord.sharing import Seats
from bot.errors import PlatformError, StoreDown, TokenRefused

log = structlog.get_logger()

_KIND = "discord-shard:"
_SHORTEST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0


@dataclass(frozen=True, slots=True)
class Plan:
    """So many shards, of which `at_once` may IDENTIFY side by side."""

    count: int
    at_once: int

    @property
    def kind(self) -> str:
        """The seats' kind: sessions of different counts share out the guilds differently."""
        return f"{_KIND}{self.count}"


async def made(rest: Rest, seats: Seats) -> Plan:
    """
    Plan with what Discord recommends, or with more where another process does so already.

    Raises `PlatformError`, `StoreDown`.
    """
    found = await rest.call("GET", "/gateway/bot")
    # After an invalid session discord.py goes to this address, whatever it was told before.
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(found["url"])
    count = max(int(found["shards"]), await most_held(seats))
    return Plan(count, max(1, int(found["session_start_limit"]["max_concurrency"])))


async def most_held(seats: Seats) -> int:
    """Give the largest number of shards that a living process works with; raises `StoreDown`."""
    return max((int(kind.removeprefix(_KIND)) for kind in await seats.kinds(_KIND)), default=0)


async def awaited(rest: Rest, seats: Seats) -> Plan:
    """Plan, however long Discord or the database is away; raises `TokenRefused`."""
    pause = _SHORTEST_PAUSE
    while True:
        try:
            return await made(rest, seats)
        except TokenRefused:
            raise
        except (PlatformError, StoreDown) as error:
            log.warning("gateway_unreachable", reason=str(error))
        await asyncio.sleep(pause * random.uniform(0.5, 1.0))
        pause = min(_LONGEST_PAUSE, pause * 2)
