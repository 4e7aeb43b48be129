"""Messages that a question links to, read where the asker and everybody who reads the answer may."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from bot.adapters.discord.reading import Place, read_earlier
from bot.adapters.discord.rest import Rest, our_errors
from bot.dialogue import Channel, ChannelKind, Linked, Message, Platform
from bot.errors import PermissionMissing, PostRefused

log = structlog.get_logger()

_LINK = re.compile(
    r"https://(?:(?:ptb|canary)\.)?discord(?:app)?\.com/channels/"
    r"(?P<guild>@me|\d{1,20})/(?P<channel>\d{1,20})/(?P<message>\d{1,20})(?!\d)"
)
_MOST_LINKS = 3
_ADMINISTRATOR = 1 << 3
_READS = (1 << 10) | (1 << 16)  # View Channel and Read Message History
_PUBLIC_THREADS = frozenset({10, 11})
_PRIVATE_THREAD = 12


@dataclass(frozen=True, slots=True)
class _Address:
    link: str
    guild: str
    channel: str
    message: str


async def read_links(rest: Rest, question: Message) -> list[Linked]:
    """Read the first few links of a question; raises `TokenRefused`, `PlatformDown`."""
    return [await _linked(rest, question, address) for address in _addresses(question.text)]


def _addresses(text: str) -> list[_Address]:
    found: dict[str, _Address] = {}
    for match in _LINK.finditer(text):
        address = _Address(match[0], match["guild"], match["channel"], match["message"])
        found.setdefault(address.message, address)
    return list(found.values())[:_MOST_LINKS]


async def _linked(rest: Rest, question: Message, address: _Address) -> Linked:
    try:
        if await _is_open(rest, question, address):
            message = await _message(rest, address)
            return Linked(address.link, (message,) if message else ())
    except (PostRefused, PermissionMissing) as error:
        # Why is for us alone: who may not see a channel need not know that there is one.
        log.info("link_not_readable", kind=type(error).__name__, reason=str(error))
    return Linked(address.link)


async def _is_open(rest: Rest, question: Message, address: _Address) -> bool:
    """Say whether the asker and all who can read the answer can read the linked channel."""
    here = question.channel
    if address.channel == here.id:
        return True
    alone = here.kind is ChannelKind.DIRECT
    if address.guild == "@me" or not (alone or address.guild == here.workspace):
        return False
    linked = await _channel(rest, address.channel)
    if str(linked.get("guild_id")) != address.guild or linked["type"] == _PRIVATE_THREAD:
        return False
    # Who sees a channel sees its public threads.
    channel = await _channel(rest, linked["parent_id"]) if linked["type"] in _PUBLIC_THREADS else linked
    if not alone and await _stands_in(rest, here, str(channel["id"])):
        return True
    guild = await rest.call("GET", "/guilds/{guild_id}", guild_id=address.guild)
    if not alone:
        return _all_read(guild, channel)
    asker = question.author.id
    path = "/guilds/{guild_id}/members/{user_id}"
    member = await rest.call("GET", path, guild_id=address.guild, user_id=asker)
    return _one_reads(guild, channel, member, asker)


async def _stands_in(rest: Rest, here: Channel, channel: str) -> bool:
    """Say whether a place is a channel or one of its threads, whose readers all see the channel."""
    if channel in {here.id, here.parent}:
        return True
    if here.kind is not ChannelKind.THREAD or here.parent:
        return False
    return str((await _channel(rest, here.id)).get("parent_id")) == channel


async def _channel(rest: Rest, channel_id: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = await rest.call("GET", "/channels/{channel_id}", channel_id=channel_id)
    return found


def _all_read(guild: Mapping[str, Any], channel: Mapping[str, Any]) -> bool:
    """Say whether nobody of the server is kept out: not everyone, nor any role or person."""
    rights = _granted(guild, {str(guild["id"])})
    kept_out = False
    for rule in channel.get("permission_overwrites") or ():
        if str(rule["id"]) == str(guild["id"]):
            rights = _changed(rights, [rule])
        else:
            kept_out = kept_out or bool(int(rule["deny"]) & _READS)
    return rights & _READS == _READS and not kept_out


def _one_reads(
    guild: Mapping[str, Any], channel: Mapping[str, Any], member: Mapping[str, Any], person: str
) -> bool:
    """Compute one member's rights, as Discord's documentation of permissions has it."""
    if str(guild.get("owner_id")) == person:
        return True
    everyone, roles = str(guild["id"]), {str(role) for role in member.get("roles") or ()}
    rights = _granted(guild, {everyone, *roles})
    if rights & _ADMINISTRATOR:
        return True
    rules = channel.get("permission_overwrites") or ()
    for whom in ({everyone}, roles, {person}):
        rights = _changed(rights, [rule for rule in rules if str(rule["id"]) in whom])
    return rights & _READS == _READS


def _granted(guild: Mapping[str, Any], roles: set[str]) -> int:
    rights = 0
    for role in guild.get("roles") or ():
        if str(role["id"]) in roles:
            rights |= int(role["permissions"])
    return rights


def _changed(rights: int, rules: Iterable[Mapping[str, Any]]) -> int:
    denied = allowed = 0
    for rule in rules:
        denied |= int(rule["deny"])
        allowed |= int(rule["allow"])
    return (rights & ~denied) | allowed


async def _message(rest: Rest, address: _Address) -> Message | None:
    client = await rest.client()
    channel = client.get_partial_messageable(int(address.channel))
    with our_errors():
        found = await channel.fetch_message(int(address.message))
    workspace = "" if address.guild == "@me" else address.guild
    place = Channel(Platform.DISCORD, workspace, address.channel)
    return read_earlier(found, Place(place, await rest.my_id()))
