"""Questions that are no messages: `/ask`, and "Ask about this" in a message's menu."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

import discord
import structlog

from bot.adapters.discord.asked import Asked
from bot.adapters.discord.direct import Direct, link_to
from bot.adapters.discord.hearing import Hearing
from bot.adapters.discord.lines import Patience
from bot.adapters.discord.reading import read_earlier
from bot.adapters.discord.refusals import ACKNOWLEDGED
from bot.adapters.discord.rest import Rest, our_errors
from bot.dialogue import Accepted, Author, ChannelKind, Message
from bot.errors import PostRefused
from bot.ports import Words

log = structlog.get_logger()

_REMEMBERED = 200  # messages that somebody is about to ask about
_QUOTED = 4_000  # letters of it that a model reads
_SHOWN = 600  # letters of it that the post shows


class Asking:
    """Makes messages of questions: what stands in the channel is a post of ours that shows the question."""

    def __init__(self, rest: Rest, direct: Direct, hearing: Hearing, words: Words) -> None:
        self._rest = rest
        self._direct = direct
        self._hearing = hearing
        self._words = words
        self._targets: OrderedDict[str, Message] = OrderedDict()

    async def ask(self, asked: Asked, door: Patience) -> None:
        """
        Show the question in the channel at once, and have that post answered as a message.

        A command that comes again finds its post, whose id makes it the same question.
        """
        missing = _missing(asked)
        if missing:
            text = asked.say(self._words, "discord-ask-no-rights", permissions=", ".join(missing))
            await asked.interaction.response.send_message(text, ephemeral=True)
            return
        text = asked.option("question")
        post_id = await _shown(asked, "\n".join(f"> {line}" for line in text.splitlines()))
        question = _message(post_id, asked, text)
        placed = await self._hearing.placed(question, asked.interaction.channel, asked.place, door)
        if await door.accept(placed) is Accepted.IGNORED:
            await asked.interaction.delete_original_response()
            await asked.interaction.followup.send(asked.say(self._words, "discord-not-heard"), ephemeral=True)

    def remember(self, asked: Asked) -> None:
        """Keep the message that somebody is about to ask about: the bot itself may not be able to read it."""
        target = asked.target
        read = read_earlier(target, asked.place) if target is not None else None
        if read is not None:
            self._targets[read.id] = read
            while len(self._targets) > _REMEMBERED:
                self._targets.popitem(last=False)

    async def about(self, asked: Asked, message_id: str, question: str, door: Patience) -> str:
        """Ask about a message in the person's direct messages, and say so; the words for them alone."""
        target = self._targets.get(message_id) or await self._read(asked, message_id)
        if target is None:
            return asked.say(self._words, "discord-about-gone")
        link = link_to(asked.workspace, asked.place.channel.id, message_id)
        question = question or asked.say(self._words, "discord-about-default")
        head = asked.say(self._words, "discord-about-shown", link=link, name=target.author.name)
        shown = "\n".join([head, _quoted(target.text, _SHOWN), question])
        post = await self._direct.post(asked.person.id, shown, f"a{asked.interaction.id}")
        if post is None:
            return asked.say(self._words, "discord-about-closed")
        quote = f"{target.author.name}:\n{_quoted(target.text, _QUOTED)}"
        message = replace(
            _message(post.message_id, asked, f"{quote}\n\n{question}"),
            channel=post.channel,
            files=target.files,
        )
        refusals = {Accepted.IGNORED: "discord-not-heard", Accepted.LIMITED: "rate-limited"}
        if (refusal := refusals.get(await door.accept(message))) is not None:
            return asked.say(self._words, refusal)
        return asked.say(self._words, "discord-about-sent", link=post.link)

    async def _read(self, asked: Asked, message_id: str) -> Message | None:
        """Read it where the form was sent in, which is a place the person sees."""
        client = await self._rest.client()
        channel = client.get_partial_messageable(int(asked.place.channel.id))
        try:
            with our_errors():
                return read_earlier(await channel.fetch_message(int(message_id)), asked.place)
        except PostRefused as error:
            log.info("message_not_readable", channel=asked.place.channel.id, reason=str(error))
            return None


async def _shown(asked: Asked, text: str) -> str:
    """Answer with the question as a post that all see; gives its id."""
    interaction = asked.interaction
    try:
        shown = await interaction.response.send_message(text)
    except discord.HTTPException as error:
        if error.code != ACKNOWLEDGED:
            raise
        return str((await interaction.original_response()).id)
    return str(shown.message_id or (await interaction.original_response()).id)


def _missing(asked: Asked) -> list[str]:
    """Say what the bot may not do here although an answer needs it."""
    allowed, kind = asked.interaction.app_permissions, asked.place.channel.kind
    if kind is ChannelKind.DIRECT:
        return []
    speaking = "send_messages_in_threads" if kind is ChannelKind.THREAD else "send_messages"
    needed = ("view_channel", speaking)
    return [name.replace("_", " ").title() for name in needed if not getattr(allowed, name)]


def _message(message_id: str, asked: Asked, text: str) -> Message:
    person: Author = asked.person
    sent_at = asked.interaction.created_at
    return Message(message_id, asked.place.channel, person, text, sent_at, mentions_bot=True)


def _quoted(text: str, most: int) -> str:
    text = text if len(text) <= most else text[:most] + " …"
    return "\n".join(f"> {line}" for line in text.splitlines())
