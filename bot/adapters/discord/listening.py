"""Listening: a client for each shard whose seat is ours; what they bring goes into the same lines."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import suppress
from datetime import UTC, datetime

import aiohttp
import discord
import structlog

from bot.adapters.discord import shards
from bot.adapters.discord.gateway import Ears, Parts, Unanswered
from bot.adapters.discord.racing import ended, until
from bot.adapters.discord.sharing import Seat
from bot.errors import PlatformError, StoreDown, TokenRefused

log = structlog.get_logger()

_SHORTEST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
_LOOK_SECONDS = 3.0  # how often it is looked whether others hold more shards
_ASK_SECONDS = 3600.0  # how often Discord is asked for their number
_TOKEN_CODE = 4004
_PLAN = "plan"  # among the connections: how many there shall be is not known yet
_SHARD_CODES = frozenset({4010, 4011})  # this shard does not exist; there must be more of them
# What discord.py's own reading raises on an event it does not understand.
_UNREADABLE = (AttributeError, LookupError, TypeError, ValueError)


class Listener:
    """Holds our share of the shards and hands on every message, until cancelled."""

    def __init__(self, token: str, parts: Parts) -> None:
        self._token = token
        self._parts = parts
        self._rest, self._seats, self._tasks = parts.rest, parts.sharing.seats, parts.tasks
        self._presence = parts.presence
        self._content = True
        self._ears: dict[int, Ears] = {}
        self._holders: set[asyncio.Task[None]] = set()
        self._ask = asyncio.Event()
        self._left_at: datetime | None = None  # when we heard by another plan

    def guild(self, guild_id: int) -> discord.Guild | None:
        """Give what the gateway told of a guild: the names of its roles and channels."""
        found = (ears.get_guild(guild_id) for ears in self._ears.values())
        return next((guild for guild in found if guild is not None), None)

    def names(self, guild_id: str) -> tuple[str, ...]:
        """Say what the bot is called in a guild ("" in direct messages), as the gateway told."""
        user = next((ears.user for ears in self._ears.values() if ears.user is not None), None)
        if user is None:
            return ()
        guild = self.guild(int(guild_id)) if guild_id else None
        member = guild.get_member(user.id) if guild else None
        return (user.name, user.display_name, *([member.display_name] if member else []))

    async def run(self) -> None:
        """Connect, and connect again, with more shards where there are more; raises `TokenRefused`."""
        while True:
            self._presence.down(_PLAN)
            plan = await shards.awaited(self._rest, self._seats)
            self._presence.forget(_PLAN)
            log.info("shards_planned", shards=plan.count, at_once=plan.at_once)
            taking = self._tasks.create_task(self._take_seats(plan))
            try:
                await self._outgrown(plan)
            finally:
                await ended(taking, *self._holders)
            self._left_at = datetime.now(UTC)

    async def _take_seats(self, plan: shards.Plan) -> None:
        """Take what is our share, as it becomes free."""
        while True:
            seat = await self._seats.take(plan.kind, plan.count, plan.count)
            holder = self._tasks.create_task(self._hold(seat, plan))
            self._holders.add(holder)
            holder.add_done_callback(self._holders.discard)

    async def _hold(self, seat: Seat, plan: shards.Plan) -> None:
        """Hear one shard for as long as its seat is ours."""
        self._presence.down(str(seat.number))
        try:
            await until(seat.lost.wait(), self._hear(seat, plan))
        finally:
            self._presence.forget(str(seat.number))
            await self._seats.give_back(seat)

    async def _outgrown(self, plan: shards.Plan) -> None:
        """Return when there are more shards: Discord says so, or another process holds some."""
        asked_at = time.monotonic()
        while True:
            with suppress(TimeoutError):  # nobody wants it asked: it is looked by itself
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._ask.wait()
            due = self._ask.is_set() or time.monotonic() - asked_at > _ASK_SECONDS
            self._ask.clear()
            try:
                if await shards.most_held(self._seats) > plan.count:
                    return
                if due:
                    if (await shards.made(self._rest, self._seats)).count > plan.count:
                        return
                    asked_at = time.monotonic()
            except TokenRefused:
                raise
            except (PlatformError, StoreDown) as error:
                log.info("shards_not_counted", reason=str(error))

    async def _hear(self, seat: Seat, plan: shards.Plan) -> None:
        """Keep one shard connected."""
        pause = _SHORTEST_PAUSE
        while True:
            began, content = time.monotonic(), self._content
            await self._connect_once(seat, plan)
            if content and not self._content:
                continue  # without the intent it may work at once
            if time.monotonic() - began > _LONGEST_PAUSE:
                pause = _SHORTEST_PAUSE
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(_LONGEST_PAUSE, pause * 2)

    async def _connect_once(self, seat: Seat, plan: shards.Plan) -> None:
        shard, since = seat.number, seat.free_since or self._left_at
        ears = self._ears[shard] = Ears(self._parts, shard, plan, since, self._content)
        try:
            await ears.listen(self._token)
            log.info("gateway_closed", shard=shard)
        except discord.PrivilegedIntentsRequired:
            self._content = False
            log.warning(
                "message_content_refused", lost="follow-ups that do not name the bot come without text"
            )
        except discord.LoginFailure as error:
            raise TokenRefused("BOT_DISCORD__TOKEN: Discord does not know this token") from error
        except discord.ConnectionClosed as error:
            self._closed(shard, error)
        except (discord.DiscordException, aiohttp.ClientError, OSError, Unanswered) as error:
            log.warning("gateway_unreachable", shard=shard, reason=type(error).__name__)
        except _UNREADABLE as error:
            log.error("gateway_event_unreadable", shard=shard, reason=type(error).__name__)
        finally:
            await ears.leave()
            if self._ears.get(shard) is ears:
                del self._ears[shard]

    def _closed(self, shard: int, error: discord.ConnectionClosed) -> None:
        if error.code == _TOKEN_CODE:
            raise TokenRefused("Discord's gateway refuses the token") from error
        log.warning("gateway_closed", shard=shard, code=error.code)
        if error.code in _SHARD_CODES:
            self._ask.set()
