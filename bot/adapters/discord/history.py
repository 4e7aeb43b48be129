"""History: what stands in a thread, or in a chain of replies, before a question."""

from __future__ import annotations

from dataclasses import replace

import discord
import structlog

from bot.adapters.discord.reading import Place, read_earlier
from bot.adapters.discord.rest import Rest, our_errors
from bot.adapters.discord.starters import is_starter
from bot.dialogue import Channel, ChannelKind, Message
from bot.errors import PostRefused

log = structlog.get_logger()

_MOST = 1_000  # messages of a thread
_LONGEST_CHAIN = 50


async def read_history(rest: Rest, question: Message, guild: discord.Guild | None) -> list[Message]:
    """
    Read what stands before the question, oldest first.

    A thread gives its messages and the one it began from, any other place the chain of replies. What may
    not be read is left out. Raises `TokenRefused`, `PlatformDown`.
    """
    here = _above(question) if is_starter(question) else question.channel
    place = Place(here, await rest.my_id(), guild)
    client = await rest.client()
    channel = client.get_partial_messageable(int(here.id))
    found: list[discord.Message] = []
    try:
        with our_errors():
            if here.kind is ChannelKind.THREAD:
                await _thread(channel, question, found)
            else:
                await _chain(channel, question, found)
    except PostRefused as error:
        log.warning("history_not_readable", channel=question.channel.id, reason=str(error))
    read = [read_earlier(message, place) for message in reversed(found)]
    return [message for message in read if message is not None]


def _above(question: Message) -> Channel:
    """Say in which channel the message stands that a thread is to begin with."""
    return replace(question.channel, id=question.channel.parent, kind=ChannelKind.OPEN, parent="")


async def _thread(
    channel: discord.PartialMessageable, question: Message, found: list[discord.Message]
) -> None:
    async for message in channel.history(limit=_MOST, before=discord.Object(int(question.id))):
        if message.type is not discord.MessageType.thread_starter_message:
            found.append(message)
        elif (starter := await _starter(message)) is not None:
            found.append(starter)


async def _starter(message: discord.Message) -> discord.Message | None:
    """Give the message in the parent channel that the thread began from."""
    reference = message.reference
    if reference is None or reference.message_id is None:
        return None
    return reference.resolved if isinstance(reference.resolved, discord.Message) else None


async def _chain(
    channel: discord.PartialMessageable, question: Message, found: list[discord.Message]
) -> None:
    answered = int(question.reply_to) if question.reply_to else None
    while answered and len(found) < _LONGEST_CHAIN:
        message = await channel.fetch_message(answered)
        found.append(message)
        is_reply = message.type is discord.MessageType.reply and message.reference is not None
        answered = message.reference.message_id if is_reply and message.reference else None
