"""The Discord adapter: the doors of the port, opened onto the parts of this room."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from functools import lru_cache, partial

from bot.adapters.discord.asking import Asking
from bot.adapters.discord.buttons import Buttons
from bot.adapters.discord.catching_up import CatchingUp, Marks
from bot.adapters.discord.checking import check
from bot.adapters.discord.choices import Choices
from bot.adapters.discord.commands import commands, register
from bot.adapters.discord.direct import Direct, link_to
from bot.adapters.discord.files import fetch_file
from bot.adapters.discord.gateway import Parts
from bot.adapters.discord.guilds import Guilds
from bot.adapters.discord.hearing import Hearing
from bot.adapters.discord.history import read_history
from bot.adapters.discord.interactions import Interactions
from bot.adapters.discord.lines import Lines, Patience
from bot.adapters.discord.links import read_links
from bot.adapters.discord.listening import Listener
from bot.adapters.discord.rest import Rest
from bot.adapters.discord.sending import PACE, DiscordPost, Typing
from bot.adapters.discord.sharing import Sharing
from bot.adapters.discord.starters import is_starter
from bot.adapters.discord.waiting import look_after
from bot.adapters.discord.writing import LIMIT, length, write_text
from bot.adapters.pieces import Cutter
from bot.adapters.posting import clear_away, post_and_edit
from bot.adapters.presence import Presence
from bot.dialogue import Channel, ChannelKind, File, Finding, Linked, Message, Piece, Platform
from bot.ports import Door, Receipts, Tell, Words


class DiscordAdapter:
    """Discord's dialect, in and out; keeps `Adapter`, `History`, `Notices` and `Checks`."""

    platform = Platform.DISCORD

    def __init__(
        self,
        token: str,
        api_url: str,
        marks: Marks,
        words: Words,
        choices: Choices,
        proxy: str | None = None,
        sharing: Sharing | None = None,
        retried: Callable[[], None] = lambda: None,
        gaps: timedelta = timedelta(hours=24),
    ) -> None:
        """
        `api_url` is like https://discord.com/api/v10; `marks` tell how far the record goes, and what was
        written meanwhile is fetched unless it is older than `gaps`.

        `proxy` is the address of an HTTP proxy for both the calls and the gateway; `sharing` is this process
        among others with the same token. `retried` is told of each call for a post that is made once more.
        """
        self._token = token
        self._marks = marks
        self._words = words
        self._choices = choices
        self._proxy = proxy
        self._gaps = gaps
        self._sharing = sharing or Sharing()
        self._rest = Rest(token, api_url, proxy, processes=self._sharing.processes, retried=retried)
        self._guilds = Guilds(self._rest)
        self._direct = Direct(self._rest)
        self._buttons = lru_cache(100)(partial(Buttons, words))
        self._listener: Listener | None = None
        self._door: Door | None = None
        self._presence = Presence()

    async def listen(self, door: Door) -> None:
        """Hand on every message, those missed first, until cancelled; raises `TokenRefused`."""
        catching_up = CatchingUp(self._rest, self._marks, self._gaps)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(register(self._rest, commands(self._words)))
                await self._hear(Patience(door), catching_up, tasks)
        except BaseExceptionGroup as group:
            # Callers know our errors, not groups of them; the first is what broke the rest.
            raise group.exceptions[0] from group

    async def _hear(self, door: Patience, catching_up: CatchingUp, tasks: asyncio.TaskGroup) -> None:
        rest, words, choices = self._rest, self._words, self._choices
        hearing = Hearing(rest, choices, words)
        asking = Asking(rest, self._direct, hearing, words)
        interactions, lines = Interactions(words, choices, asking, door), Lines(door, tasks)
        shared = (rest, self._sharing, catching_up, hearing, interactions, lines, tasks, self._presence)
        self._listener = Listener(self._token, Parts(*shared, proxy=self._proxy))
        await self._listener.run()

    def withdraw_by(self, door: Door) -> None:
        """Withdraw by this door what was deleted while it waited for its answer."""
        self._door = door

    def cutter(self) -> Callable[[str], list[str]]:
        """Begin to cut one answer into texts that each fit one post."""
        return Cutter(LIMIT, length).feed

    async def send(self, question: Message, pieces: AsyncIterator[Piece], receipts: Receipts) -> None:
        """Type, post the first text as a reply, edit it while it grows, let the rest follow."""
        await look_after(self._rest, self._door, question, receipts)
        buttons = self._buttons(self._words.language_for(question))
        # Until its thread is made, the channel shows that an answer is on its way.
        place = question.channel.parent if is_starter(question) else question.channel.id
        async with Typing(self._rest, place) as typing:
            poster = DiscordPost(self._rest, question, receipts, typing, buttons)
            await post_and_edit(pieces, receipts, poster, PACE)

    async def take_away(self, question: Message, receipts: Receipts) -> None:
        """Delete the answer's posts; no typing is shown."""
        typing = Typing(self._rest, question.channel.id)
        await clear_away(receipts, DiscordPost(self._rest, question, receipts, typing, self._buttons("en")))

    async def history(self, question: Message) -> Sequence[Message]:
        """Read what stands before the question; direct messages are all on record."""
        if question.channel.kind is ChannelKind.DIRECT and not question.reply_to:
            return ()
        workspace = question.channel.workspace
        known = self._listener.guild(int(workspace)) if self._listener and workspace else None
        return await read_history(self._rest, question, known or await self._guilds.find(workspace))

    async def fetch(self, channel: Channel, file: File, most: int) -> bytes:
        """Fetch a file of at most `most` bytes."""
        return await fetch_file(self._rest, file, most)

    async def linked(self, question: Message) -> Sequence[Linked]:
        """Read what the question links to, where everybody who reads the answer may."""
        return await read_links(self._rest, question)

    async def notice(self, question: Message, text: str) -> bool:
        """Tell the asker in a direct message, with the way back; False where they take none."""
        place = question.channel
        link = link_to(place.workspace, place.parent or place.id, question.id)
        post = await self._direct.post(question.author.id, f"{write_text(text)}\n{link}", f"n{question.id}")
        return post is not None

    def names(self, channel: Channel) -> Sequence[str]:
        """Say what the bot is called: its own name, and its server's nickname for it."""
        return self._listener.names(channel.workspace) if self._listener else ()

    def connected(self) -> bool:
        """Say whether every shard stands."""
        return self._presence.whole()

    def hears(self) -> bool:
        """Say whether any connection stands; one that waits for others' to become free has none."""
        return self._presence.some()

    def check(self, tell: Tell) -> AsyncIterator[Finding]:
        """Look at token, intents, servers and permissions; ends with the invite link."""
        return check(self._rest, commands(self._words), tell)

    async def close(self) -> None:
        """Close the connections."""
        await self._rest.close()
