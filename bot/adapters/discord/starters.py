"""
Where a message of an open channel is answered: there, or in a thread that it begins.

A thread made from a message has the message's id, so that it can be named before it exists; the
sender makes it.
"""

from __future__ import annotations

from dataclasses import replace

import discord

from bot.adapters.discord.refusals import EXISTS, Refused
from bot.adapters.discord.rest import Rest
from bot.dialogue import ChannelKind, Message
from bot.errors import PlatformError
from bot.ports import Receipts

_TITLE = 80  # of Discord's 100 letters
_DAY = 1_440  # minutes without a word until it is archived
_THREADS = "/channels/{channel_id}/messages/{message_id}/threads"


def may_begin(channel: object, me: discord.Member | None) -> bool:
    """Say whether a thread can be made and written to in this channel; told by what the gateway told."""
    if not isinstance(channel, discord.TextChannel) or me is None:
        return False
    allowed = channel.permissions_for(me)
    return allowed.create_public_threads and allowed.send_messages_in_threads


def as_starter(message: Message) -> Message:
    """Say the same message as the first of a thread of its own."""
    place = message.channel
    named = tuple(name for name in (place.id, place.name) if name)
    thread = replace(
        place,
        id=message.id,
        kind=ChannelKind.THREAD,
        name=title_of(message.text) or place.name,
        parents=(*named, *place.parents),
        parent=place.id,
    )
    return replace(message, channel=thread)


def is_starter(message: Message) -> bool:
    """Say whether its thread is made from it."""
    place = message.channel
    return place.kind is ChannelKind.THREAD and bool(place.parent) and place.id == message.id


async def begin(rest: Rest, starter: Message, receipts: Receipts) -> None:
    """
    Make the thread that a message begins; one that stands already is fine.

    Raises `PermissionMissing`, `PostRefused`, `PlatformDown` and what `receipts` raise.
    """
    place = starter.channel
    body = {"name": place.name or title_of(starter.text) or "Frontdesk", "auto_archive_duration": _DAY}
    guard, above = receipts.check, place.parent
    try:
        await rest.call("POST", _THREADS, payload=body, guard=guard, channel_id=above, message_id=starter.id)
    except Refused as error:
        if error.code != EXISTS and not await _stands(rest, place.id):
            raise


def title_of(text: str) -> str:
    """Name a thread after its first line."""
    line = next((" ".join(line.split()) for line in text.splitlines() if line.strip()), "")
    return line if len(line) <= _TITLE else line[: _TITLE - 1].rstrip() + "…"


async def _stands(rest: Rest, thread_id: str) -> bool:
    try:
        await rest.call("GET", "/channels/{channel_id}", channel_id=thread_id)
    except PlatformError:
        return False
    return True
