"""The Discord adapter: the doors of the port, opened onto the parts of this room."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

from bot.adapters.discord.catching_up import CatchingUp, Marks
from bot.adapters.discord.checking import check
from bot.adapters.discord.history import read_history
from bot.adapters.discord.lines import Lines
from bot.adapters.discord.listening import Listener
from bot.adapters.discord.rest import Rest
from bot.adapters.discord.sending import PACE, DiscordPost, Typing
from bot.adapters.discord.writing import LIMIT, length
from bot.adapters.pieces import Cutter
from bot.adapters.posting import post_and_edit
from bot.dialogue import ChannelKind, Finding, Message, Piece, Platform
from bot.ports import Door, Receipts, Tell


class DiscordAdapter:
    """Discord's dialect, in and out; keeps `Adapter`, `History` and `Checks`."""

    platform = Platform.DISCORD

    def __init__(self, token: str, api_url: str, marks: Marks) -> None:
        """`api_url` is like https://discord.com/api/v10; `marks` tell how far the record goes."""
        self._token = token
        self._marks = marks
        self._rest = Rest(token, api_url)
        self._listener: Listener | None = None

    async def listen(self, door: Door) -> None:
        """Hand on every message, those missed first, until cancelled; raises `TokenRefused`."""
        catching_up = CatchingUp(self._rest, self._marks)
        try:
            async with asyncio.TaskGroup() as tasks:
                lines = Lines(door, tasks)
                self._listener = Listener(self._token, self._rest, catching_up, lines, tasks)
                await self._listener.run()
        except BaseExceptionGroup as group:
            # Callers know our errors, not groups of them; the first is what broke the rest.
            raise group.exceptions[0] from group

    def cutter(self) -> Callable[[str], list[str]]:
        """Begin to cut one answer into texts that each fit one post."""
        return Cutter(LIMIT, length).feed

    async def send(self, question: Message, pieces: AsyncIterator[Piece], receipts: Receipts) -> None:
        """Type, post the first text as a reply, edit it while it grows, let the rest follow."""
        async with Typing(self._rest, question.channel.id) as typing:
            poster = DiscordPost(self._rest, question, receipts, typing)
            await post_and_edit(pieces, receipts, poster, PACE)

    async def history(self, question: Message) -> Sequence[Message]:
        """Read what stands before the question; direct messages are all on record."""
        if question.channel.kind is ChannelKind.DIRECT and not question.reply_to:
            return ()
        workspace = question.channel.workspace
        known = self._listener.guild(int(workspace)) if self._listener and workspace else None
        return await read_history(self._rest, question, known)

    def check(self, tell: Tell) -> AsyncIterator[Finding]:
        """Look at token, intents, servers and permissions; ends with the invite link."""
        return check(self._rest, tell)

    async def close(self) -> None:
        """Close the connections."""
        await self._rest.close()
