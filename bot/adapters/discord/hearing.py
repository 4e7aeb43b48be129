"""Brings what was written, edited and deleted through the door, each message as what it is kept as."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import discord
import structlog

from bot.adapters.discord.choices import Choice, Choices
from bot.adapters.discord.lines import Patience
from bot.adapters.discord.reading import Place, is_named
from bot.adapters.discord.rest import Rest
from bot.adapters.discord.starters import as_starter, may_begin
from bot.adapters.discord.writing import write_text
from bot.adapters.wishes import read_wish
from bot.dialogue import Accepted, ChannelKind, Deletion, Message, Platform, Request, Wish
from bot.errors import PlatformError, StoreDown
from bot.ports import Words

log = structlog.get_logger()

_LONGEST = 2_000
_KNOWN = frozenset({Accepted.REVISED, Accepted.KNOWN})
_MESSAGES = "/channels/{channel_id}/messages"


class Hearing:
    """Knows by which name a message is kept: its channel's, or that of the thread it begins."""

    def __init__(self, rest: Rest, choices: Choices, words: Words) -> None:
        self._rest = rest
        self._choices = choices
        self._words = words

    async def written(self, found: discord.Message, read: Message, place: Place, door: Patience) -> None:
        """Hand on what was written this moment; a word of command is carried out instead."""
        wish = _wish(found, read, place)
        if wish is None:
            await door.accept(await self.placed(read, found.channel, place, door))
        else:
            about, asked_at = read.reply_to, read.sent_at
            request = Request(wish[0], read.author, read.channel, about, wish[1], asked_at=asked_at)
            await self._carry_out(request, found, door)

    async def late(self, found: discord.Message, read: Message, place: Place, door: Patience) -> None:
        """Hand on what was fetched, and may have been heard before; an old word of command is past."""
        if _wish(found, read, place) is None:
            await self._again(found, read, place, door)

    async def edited(self, found: discord.Message, read: Message, place: Place, door: Patience) -> None:
        """Hand on an edit, wherever the message is kept."""
        await self._again(found, read, place, door)

    async def placed(self, read: Message, channel: object, place: Place, door: Patience) -> Message:
        """Say the message where it is to be answered, in the language of the place."""
        guild = place.guild
        if guild is None:
            return read
        chosen = await self._chosen(place, door)
        language = chosen.language or (str(guild.preferred_locale) if "COMMUNITY" in guild.features else "")
        read = replace(read, channel=replace(read.channel, language=language))
        if chosen.answers != "thread" or not read.mentions_bot or read.channel.kind is not ChannelKind.OPEN:
            return read
        standing = guild.get_channel(int(read.channel.id)) or channel
        return as_starter(read) if may_begin(standing, guild.me) else read

    async def deleted(self, place: Place, ids: Sequence[str], door: Patience) -> None:
        """Hand on deletions; the record knows that a message may be the first of a thread too."""
        await door.withdraw(Deletion(place.channel, tuple(ids), datetime.now(UTC)))

    async def _again(self, found: discord.Message, read: Message, place: Place, door: Patience) -> None:
        """
        Hand on a message that may be kept already, by either of its names.

        What a guild chose may have changed since: under the other name it may only be known or not.
        """
        placed = await self.placed(read, found.channel, place, door)
        other = await self._other(found, read, placed, place, door)
        if other is not None and await door.accept(_unasked(other)) in _KNOWN:
            placed = _unasked(placed)
        await door.accept(placed)

    async def _other(
        self, found: discord.Message, read: Message, placed: Message, place: Place, door: Patience
    ) -> Message | None:
        if place.guild is None or read.channel.kind is not ChannelKind.OPEN:
            return None
        if placed.channel.kind is ChannelKind.THREAD:
            return read
        chose = bool((await self._chosen(place, door)).answers)
        return as_starter(read) if chose or found.flags.has_thread else None

    async def _chosen(self, place: Place, door: Patience) -> Choice:
        workspace = place.channel.workspace
        return await door.insist(
            partial(self._choices.settings, Platform.DISCORD, workspace), f"choices of {workspace}"
        )

    async def _carry_out(self, request: Request, found: discord.Message, door: Patience) -> None:
        """Do what a word of command asks, and say so in a plain reply, for there is no other way."""
        request = replace(request, moderator=_may_moderate(found))
        try:
            text = (await door.request(request)).text
        except StoreDown:
            text = self._words.say("discord-away", self._words.language_of(found.content) or "en")
        place = {"message_id": str(found.id), "fail_if_not_exists": False}
        payload = {
            "content": write_text(text)[:_LONGEST],
            "nonce": f"w{found.id}",
            "enforce_nonce": True,
            "flags": 1 << 2,
            "allowed_mentions": {"parse": [], "replied_user": False},
            "message_reference": place,
        }
        try:
            await self._rest.call("POST", _MESSAGES, payload=payload, channel_id=found.channel.id)
        except PlatformError as error:
            log.info("wish_not_answered", wish=str(request.wish), reason=str(error))


def _wish(found: discord.Message, read: Message, place: Place) -> tuple[Wish, str] | None:
    """Read a word of command: it names the bot in so many words, or tells it to stop."""
    wish = read_wish(read.text) if not read.files else None
    if wish is None or is_named(found, place):
        return wish
    to_us = read.mentions_bot or read.channel.kind is ChannelKind.DIRECT
    return wish if to_us and wish[0] is Wish.STOP else None


def _may_moderate(found: discord.Message) -> bool:
    author, channel = found.author, found.channel
    if not isinstance(author, discord.Member):
        return False
    try:
        return channel.permissions_for(author).manage_messages
    except discord.ClientException:  # a thread whose channel is not known
        return author.guild_permissions.manage_messages


def _unasked(message: Message) -> Message:
    """Say it so that it is kept where it is known, and nowhere answered."""
    return replace(message, mentions_bot=False, mentions_others=True)
