"""Catching up: Discord's messages have no ack, so what came in our absence is fetched on connecting."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol, TypeVar

import discord
import structlog

from bot.adapters.discord.reading import Place, read_author, read_message, read_place
from bot.adapters.discord.rest import Rest, our_errors
from bot.dialogue import Author, Channel, ChannelKind, Message, Platform
from bot.errors import PlatformDown, PostRefused

log = structlog.get_logger()

_MOST = 1_000  # messages of one channel, the newest
_AT_ONCE = 8  # channels asked side by side: hundreds of direct ones would spend the whole token's rate
_LONGEST_PAUSE = 30.0
# What was on its way when a process died or a session began may be older than what is kept or seen; what
# is fetched once more changes nothing.
_ON_ITS_WAY = timedelta(minutes=1)


_T = TypeVar("_T")
_Speaking = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread


class Marks(Protocol):
    """How far the record goes."""

    async def newest(self, workspace: str) -> Mapping[str, str]:
        """
        Tell the newest kept message's id of each channel of the guild ("" for direct ones).

        Only what was heard on Discord counts. Raises `StoreDown`.
        """
        ...


@dataclass(frozen=True, slots=True)
class Gap:
    """What may be missing of a channel: all messages after this id."""

    place: Place
    after: int

    @property
    def channel_id(self) -> str:
        """The channel it is of."""
        return self.place.channel.id


class CatchingUp:
    """Knows what was seen in each guild, finds what is missing, and fetches it oldest first."""

    def __init__(self, rest: Rest, marks: Marks, oldest: timedelta = timedelta(hours=24)) -> None:
        """What is older than `oldest` is left."""
        self._rest = rest
        self._marks = marks
        self._age = oldest
        self._seen: dict[str, int] = {}
        self._floors: dict[str, int] = {}
        self._sessions: Counter[str] = Counter()
        self._room = asyncio.Semaphore(_AT_ONCE)

    def note(self, workspace: str, message_id: int) -> None:
        """Remember the newest message that the gateway brought, kept or not."""
        self._seen[workspace] = max(message_id, self._seen.get(workspace, 0))

    def connected(self, workspace: str) -> None:
        """A new session begins: all that the gateway brought until now is known, and no more."""
        if workspace in self._seen:
            self._floors.setdefault(workspace, self._seen[workspace])
        self._sessions[workspace] += 1
        self.note(workspace, discord.utils.time_snowflake(datetime.now(UTC) - _ON_ITS_WAY))

    async def gaps(self, guild: discord.Guild, since: datetime | None, bot_id: int) -> list[Gap]:
        """
        Find the guild's channels with messages that were not heard; raises `StoreDown`.

        A channel that was never heard counts from a minute before the newest message heard anywhere in the
        guild; where nothing was, from `since`, when somebody listened last; where nobody ever did, nothing
        is missing.
        """
        workspace = str(guild.id)
        kept = _numbers(await self._marks.newest(workspace))
        listened = discord.utils.time_snowflake(since) if since else 0
        newest = _a_little_before(max(kept.values(), default=listened))
        floor = self._floors.get(workspace, 0)
        found: list[Gap] = []
        for channel, last in _speaking(guild, bot_id):
            after = max(kept.get(channel.id, newest), floor)
            if after and last > max(after, self._oldest()):
                found.append(Gap(read_place(channel, bot_id, guild), max(after, self._oldest())))
        return found

    async def direct_gaps(self, bot_id: int) -> list[Gap]:
        """Name the direct channels heard before: whether they have more is only told by asking."""
        kept = _numbers(await self._marks.newest(""))
        floor = max(self._floors.get("", 0), self._oldest())
        return [
            Gap(
                Place(Channel(Platform.DISCORD, "", str(channel_id), kind=ChannelKind.DIRECT), bot_id),
                max(newest, floor),
            )
            for channel_id, newest in kept.items()
        ]

    def _oldest(self) -> int:
        return discord.utils.time_snowflake(datetime.now(UTC) - self._age)

    def session(self, workspace: str) -> int:
        """Number the session that is heard now."""
        return self._sessions[workspace]

    def done(self, workspace: str, session: int) -> bool:
        """The gaps before a session are on their way; False where a newer one began, with its own."""
        if session != self._sessions[workspace]:
            return False
        self._floors.pop(workspace, None)
        return True

    async def missed(self, gap: Gap) -> AsyncIterator[tuple[discord.Message, Message]]:
        """Fetch what is missing and read it, oldest first, however long Discord does not answer."""
        authors: dict[int, Author] = {}
        count = 0
        for found in await _patiently(gap, partial(self._fetch, gap)):
            author = await _patiently(gap, partial(self._author, found, gap, authors))
            message = read_message(found, gap.place, author)
            if message is not None:
                yield found, message
                count += 1
        if count:
            log.info("caught_up", channel=gap.channel_id, messages=count)

    async def _fetch(self, gap: Gap) -> list[discord.Message]:
        """Fetch the newest that are missing, oldest first: of too many the older ones are left."""
        client = await self._rest.client()
        channel = client.get_partial_messageable(int(gap.channel_id))
        after = discord.Object(gap.after)
        try:
            async with self._room:
                with our_errors():
                    found = [
                        one async for one in channel.history(limit=_MOST, after=after, oldest_first=False)
                    ]
        except PostRefused as error:
            log.info("catching_up_refused", channel=gap.channel_id, reason=str(error))
            return []
        if len(found) == _MOST:
            log.warning("catching_up_bounded", channel=gap.channel_id, messages=_MOST)
        return found[::-1]

    async def _author(self, message: discord.Message, gap: Gap, known: dict[int, Author]) -> Author | None:
        """Ask for the author's roles, which fetched messages do not carry."""
        guild, person = gap.place.guild, message.author
        if guild is None or person.bot or message.webhook_id is not None:
            return None
        if person.id not in known:
            known[person.id] = await self._member(guild, person)
        return known[person.id]

    async def _member(self, guild: discord.Guild, person: discord.abc.User) -> Author:
        path = "/guilds/{guild_id}/members/{user_id}"
        try:
            found = await self._rest.call("GET", path, guild_id=guild.id, user_id=person.id)
        except PostRefused:
            return read_author(person, guild)  # has left since
        roles = tuple(int(role_id) for role_id in found.get("roles", ()))
        return read_author(person, guild, roles, found.get("nick") or "")


def _speaking(guild: discord.Guild, bot_id: int) -> Iterator[tuple[_Speaking, int]]:
    """Give the channels that can be read, with the id of the newest message in each."""
    places: Iterable[_Speaking] = (*guild.text_channels, *guild.voice_channels, *guild.stage_channels)
    me = guild.get_member(bot_id)
    for channel in places:
        allowed = channel.permissions_for(me) if me else discord.Permissions.all()
        if channel.last_message_id and allowed.view_channel and allowed.read_message_history:
            yield channel, channel.last_message_id
    for thread in guild.threads:
        if thread.last_message_id:
            yield thread, thread.last_message_id


async def _patiently(gap: Gap, call: Callable[[], Awaitable[_T]]) -> _T:
    tried = 0
    while True:
        try:
            return await call()
        except PlatformDown as error:
            tried += 1
            log.warning("catching_up_waits", channel=gap.channel_id, reason=str(error), tried=tried)
            await asyncio.sleep(min(_LONGEST_PAUSE, 0.25 * 2**tried))


def _numbers(marks: Mapping[str, str]) -> dict[int, int]:
    return {int(channel): int(newest) for channel, newest in marks.items() if channel and newest}


def _a_little_before(message_id: int) -> int:
    if not message_id:
        return 0
    return discord.utils.time_snowflake(discord.utils.snowflake_time(message_id) - _ON_ITS_WAY)
