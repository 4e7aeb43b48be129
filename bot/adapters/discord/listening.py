"""Listening: the gateway, supervised; what it brings goes into the lines."""

from __future__ import annotations

import asyncio
import random
import time

import aiohttp
import discord
import structlog

from bot.adapters.discord.catching_up import CatchingUp
from bot.adapters.discord.gateway import Ears, Identifies
from bot.adapters.discord.hearing import Hearing
from bot.adapters.discord.interactions import Interactions
from bot.adapters.discord.lines import Lines
from bot.adapters.discord.rest import Rest
from bot.adapters.presence import Presence
from bot.errors import TokenRefused

log = structlog.get_logger()

_SHORTEST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
_TOKEN_CODE = 4004
# What discord.py's own reading raises on an event it does not understand.
_UNREADABLE = (AttributeError, LookupError, TypeError, ValueError)


class Listener:
    """Keeps one gateway connection standing and hands on every message, until cancelled."""

    def __init__(
        self,
        token: str,
        rest: Rest,
        catching_up: CatchingUp,
        hearing: Hearing,
        interactions: Interactions,
        lines: Lines,
        tasks: asyncio.TaskGroup,
        proxy: str | None = None,
        presence: Presence | None = None,
    ) -> None:
        self._token = token
        presence = presence or Presence()
        self._parts = (rest, catching_up, hearing, interactions, lines, tasks, Identifies(), proxy, presence)
        self._content = True
        self._ears: Ears | None = None

    def guild(self, guild_id: int) -> discord.Guild | None:
        """Give what the gateway told of a guild: the names of its roles and channels."""
        return self._ears.get_guild(guild_id) if self._ears else None

    def names(self, guild_id: str) -> tuple[str, ...]:
        """Say what the bot is called in a guild ("" in direct messages), as the gateway told."""
        user = self._ears.user if self._ears else None
        if user is None:
            return ()
        guild = self.guild(int(guild_id)) if guild_id else None
        member = guild.get_member(user.id) if guild else None
        return (user.name, user.display_name, *([member.display_name] if member else []))

    async def run(self) -> None:
        """Connect, and connect again; raises `TokenRefused`."""
        pause = _SHORTEST_PAUSE
        while True:
            began, content = time.monotonic(), self._content
            await self._connect_once()
            if content and not self._content:
                continue  # without the intent it may work at once
            if time.monotonic() - began > _LONGEST_PAUSE:
                pause = _SHORTEST_PAUSE
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(_LONGEST_PAUSE, pause * 2)

    async def _connect_once(self) -> None:
        self._ears = Ears(self._content, *self._parts)
        try:
            await self._ears.listen(self._token)
            log.info("gateway_closed")
        except discord.PrivilegedIntentsRequired:
            self._content = False
            log.warning(
                "message_content_refused", lost="follow-ups that do not name the bot come without text"
            )
        except discord.LoginFailure as error:
            raise TokenRefused("BOT_DISCORD__TOKEN: Discord does not know this token") from error
        except discord.ConnectionClosed as error:
            if error.code == _TOKEN_CODE:
                raise TokenRefused("Discord's gateway refuses the token") from error
            log.warning("gateway_closed", code=error.code)
        except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
            log.warning("gateway_unreachable", reason=type(error).__name__)
        except _UNREADABLE as error:
            log.error("gateway_event_unreadable", reason=type(error).__name__)
        finally:
            await self._ears.leave()
