"""The gateway: a connection of discord.py for one shard, whose events become items in the channels' lines."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import discord
import structlog

from bot.adapters.discord.catching_up import CatchingUp, Gap
from bot.adapters.discord.hearing import Hearing
from bot.adapters.discord.interactions import Interactions
from bot.adapters.discord.lines import Item, Lines, Patience
from bot.adapters.discord.racing import until
from bot.adapters.discord.reading import Place, read_message, read_parents, read_place
from bot.adapters.discord.rest import Rest
from bot.adapters.discord.shards import Plan
from bot.adapters.discord.sharing import Sharing
from bot.adapters.presence import Presence
from bot.dialogue import Channel, ChannelKind, Deletion, Platform
from bot.errors import PlatformDown, PostRefused, StoreDown

log = structlog.get_logger()

_LONGEST_LINE = 200
_LONGEST_PAUSE = 10.0
_READY_SECONDS = 30.0
# Who waits longer for a turn opens a new socket: nobody reads the heartbeats of one that waits.
_IDENTIFY_PATIENCE = 60.0
_GOODBYE_SECONDS = 3.0
_THREADS = frozenset({10, 11, 12})  # Discord's channel types


class Unanswered(Exception):
    """Discord took our IDENTIFY and never said READY."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What all shards of a process have in common."""

    rest: Rest
    sharing: Sharing
    catching_up: CatchingUp
    hearing: Hearing
    interactions: Interactions
    lines: Lines
    tasks: asyncio.TaskGroup
    presence: Presence
    proxy: str | None = None


class Ears(discord.AutoShardedClient):
    """One connection to the gateway: that of one shard."""

    def __init__(self, parts: Parts, shard: int, plan: Plan, since: datetime | None, content: bool) -> None:
        """
        `content` asks for the privileged message-content intent.

        `since` is when this shard was last known to be heard.
        """
        super().__init__(
            intents=discord.Intents(guilds=True, messages=True, message_content=content),
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            allowed_mentions=discord.AllowedMentions.none(),
            proxy=parts.proxy,
            shard_ids=[shard],
            shard_count=plan.count,
            shard_connect_timeout=_IDENTIFY_PATIENCE,
        )
        self._shard = shard
        self._plan = plan
        self._since = since
        self._sharing = parts.sharing
        self._rest = parts.rest
        self._catching_up = parts.catching_up
        self._hearing = parts.hearing
        self._interactions = parts.interactions
        self._lines = parts.lines
        self._work = parts.tasks
        self._identified = asyncio.Event()
        self._ready = asyncio.Event()
        self._presence = parts.presence

    async def listen(self, token: str) -> None:
        """Log in and hear the shard until it closes for good; raises `Unanswered`."""
        await self.login(token)
        await until(self._unanswered(), self.connect())

    async def leave(self) -> None:
        """Close, politely where the other side still answers."""
        self._presence.down(str(self._shard))
        try:
            async with asyncio.timeout(_GOODBYE_SECONDS):
                await self.close()
        except TimeoutError:
            await self.http.close()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Keep the rate of IDENTIFY, which all processes with this token share."""
        await self._sharing.may_identify(shard_id or 0, self._plan.at_once)
        self._ready.clear()
        self._identified.set()

    async def on_shard_connect(self, shard_id: int) -> None:
        """A new session: what came before it has to be found first."""
        self._ready.set()
        self._presence.up(str(shard_id))
        for guild in self.guilds:
            if guild.shard_id == shard_id:
                self._hold(str(guild.id))
        if shard_id == 0:
            self._hold("")
            self._work.create_task(self._catch_up("", self._catching_up.direct_gaps))
        log.info("gateway_connected", shard=shard_id, guilds=len(self.guilds))

    async def on_shard_resumed(self, shard_id: int) -> None:
        """The old session goes on."""
        self._presence.up(str(shard_id))

    async def on_shard_disconnect(self, shard_id: int) -> None:
        """It will connect again by itself."""
        self._presence.down(str(shard_id))

    async def on_guild_available(self, guild: discord.Guild) -> None:
        """Its channels are known now."""
        self._work.create_task(
            self._catch_up(str(guild.id), functools.partial(self._catching_up.gaps, guild, self._since))
        )

    async def on_guild_unavailable(self, guild: discord.Guild) -> None:
        """An outage: nothing comes until it is available again."""
        self._hold(str(guild.id))

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Somebody removed the bot."""
        log.info("guild_left", guild=guild.id)
        workspace = str(guild.id)
        self._lines.put(workspace, workspace, Item(0, lambda door: door.left(workspace)))

    async def on_message(self, message: discord.Message) -> None:
        """Put what was written into its channel's line."""
        self._hear(message, self._hearing.written)

    async def on_raw_message_edit(self, event: discord.RawMessageUpdateEvent) -> None:
        """Do so with an edit; without an edit's time it is only a link's preview that came."""
        if event.message.edited_at is not None:
            self._hear(event.message, self._hearing.edited)

    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        """Do so with a deletion, behind the message itself where that is still on its way."""
        self._deleted(event.channel_id, event.guild_id, (str(event.message_id),))

    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        """Do so with many."""
        self._deleted(event.channel_id, event.guild_id, tuple(str(one) for one in sorted(event.message_ids)))

    async def on_raw_thread_delete(self, event: discord.RawThreadDeleteEvent) -> None:
        """Do so with a whole thread."""
        kind = ChannelKind.THREAD
        self._gone(Channel(Platform.DISCORD, str(event.guild_id), str(event.thread_id), kind=kind))

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """Do so with a whole channel; Discord tells of each of its threads."""
        self._gone(Channel(Platform.DISCORD, str(channel.guild.id), str(channel.id)))

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """Answer a button, a command or a form at once: it waits in no line."""
        await self._interactions.answer(interaction, self._bot_id())

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:
        """Say that one of the handlers above failed; the others go on."""
        log.exception("gateway_event_failed", event_name=event_method)

    def _hear(self, message: discord.Message, how: Callable[..., Awaitable[None]]) -> None:
        workspace, channel_id = _workspace(message), str(message.channel.id)
        self._catching_up.note(workspace, message.id)
        if message.author.bot:
            return  # our own posts and edits above all
        if self._lines.length(channel_id) >= _LONGEST_LINE:
            first = min(self._lines.drop(channel_id), message.id)
            item = Item(first, functools.partial(self._hear_again, message, first - 1))
        else:
            item = Item(message.id, functools.partial(self._bring, message, how))
        self._lines.put(channel_id, workspace, item)

    async def _bring(
        self, message: discord.Message, how: Callable[..., Awaitable[None]], door: Patience
    ) -> None:
        place = await self._place(message.channel, message.guild)
        read = read_message(message, place) if place else None
        if read is not None:
            await how(message, read, place, door)

    async def _hear_again(self, message: discord.Message, after: int, door: Patience) -> None:
        """Read from Discord what was too much to keep waiting here."""
        place = await self._place(message.channel, message.guild)
        if place is not None:
            await self._missed(Gap(place, after), door)

    async def _missed(self, gap: Gap, door: Patience) -> None:
        async for found, read in self._catching_up.missed(gap):
            await self._hearing.late(found, read, gap.place, door)

    def _deleted(self, channel_id: int, guild_id: int | None, ids: tuple[str, ...]) -> None:
        async def bring(door: Patience) -> None:
            channel = self.get_channel(channel_id) or self.get_partial_messageable(
                channel_id, guild_id=guild_id
            )
            place = await self._place(channel, self.get_guild(guild_id or 0))
            if place is not None:
                await self._hearing.deleted(place, ids, door)

        self._lines.put(str(channel_id), str(guild_id or ""), Item(0, bring))

    def _gone(self, place: Channel) -> None:
        deletion = Deletion(place, (), datetime.now(UTC))
        self._lines.put(place.id, place.workspace, Item(0, lambda door: door.withdraw(deletion)))

    def _hold(self, workspace: str) -> None:
        self._catching_up.connected(workspace)
        self._lines.hold(workspace)

    async def _catch_up(self, workspace: str, find: Callable[[int], Awaitable[list[Gap]]]) -> None:
        session = self._catching_up.session(workspace)
        gaps = await self._found(workspace, find)
        for gap in gaps:
            bring = functools.partial(self._missed, gap)
            self._lines.put_first(gap.channel_id, workspace, Item(gap.after + 1, bring))
        if self._catching_up.done(workspace, session):
            self._lines.release(workspace)

    async def _found(self, workspace: str, find: Callable[[int], Awaitable[list[Gap]]]) -> list[Gap]:
        pause = 0.1
        while True:
            try:
                return await find(self._bot_id())
            except StoreDown:
                log.warning("catching_up_waits_for_store", guild=workspace)
                await asyncio.sleep(pause)
                pause = min(_LONGEST_PAUSE, pause * 2)

    async def _unanswered(self) -> None:
        """Watch that each IDENTIFY brings a READY."""
        while True:
            await self._identified.wait()
            self._identified.clear()
            try:
                async with asyncio.timeout(_READY_SECONDS):
                    await self._ready.wait()
            except TimeoutError:
                raise Unanswered from None

    def _bot_id(self) -> int:
        return self.user.id if self.user else 0

    async def _place(self, channel: Any, guild: discord.Guild | None) -> Place | None:
        """Say where something happened; a channel that the gateway has not told of is asked for."""
        if not isinstance(channel, discord.PartialMessageable):
            return read_place(channel, self._bot_id(), guild)
        if channel.guild_id is None:
            here = Channel(Platform.DISCORD, "", str(channel.id), kind=ChannelKind.DIRECT)
            return Place(here, self._bot_id())
        guild = self.get_guild(channel.guild_id)
        while guild is not None:
            try:
                found = await self._rest.call("GET", "/channels/{channel_id}", channel_id=channel.id)
            except PostRefused as error:
                log.info("channel_unreadable", channel=channel.id, reason=str(error))
                return None
            except PlatformDown:
                await asyncio.sleep(1.0)
                continue
            kind = ChannelKind.THREAD if found["type"] in _THREADS else ChannelKind.OPEN
            name = found.get("name") or ""
            above = read_parents(int(found.get("parent_id") or 0), guild)
            here = Channel(Platform.DISCORD, str(guild.id), str(channel.id), "", kind, name, above)
            return Place(here, self._bot_id(), guild)
        log.info("guild_unknown", channel=channel.id)
        return None


def _workspace(message: discord.Message) -> str:
    if message.guild is not None:
        return str(message.guild.id)
    guild_id = getattr(message.channel, "guild_id", None)
    return str(guild_id) if guild_id else ""
