"""One question on each platform, and what a person sees of its answer: for walks that kill houses."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from bot.dialogue import Author, Channel, ChannelKind, Message, Platform
from tests.doubles.discord import DiscordDouble
from tests.doubles.slack import APP_TOKEN, BOT_TOKEN, SlackDouble
from tests.walks.conftest import Record
from tests.walks.mortal import Mortal

Shown = list[tuple[str, str]]


class Door(ABC):
    """A place to ask in, later questions elsewhere; a long answer has `size` characters: two posts."""

    size = 4_200

    @abstractmethod
    def environment(self) -> dict[str, str]:
        """What a house needs to serve it."""

    @abstractmethod
    async def ask(self, house: Mortal) -> None:
        """Ask, as soon as the house listens."""

    @abstractmethod
    async def shown(self) -> Shown:
        """The posts of the answer to the first question as a person sees them, with their ids."""

    def watched(self, watch: Callable[[str, bool], bool]) -> None:  # noqa: B027
        """Have the double tell of each call."""

    async def ask_again(self, house: Mortal) -> None:  # noqa: B027
        """Do what a person does who got no answer from a dead house."""

    def unfinished(self) -> list[str]:
        """What looks as if the bot was still at work."""
        return []


class SlackDoor(Door):
    """A mention in a channel, answered by a stream, or a direct message, answered by edits."""

    def __init__(self, slack: SlackDouble, channel: str) -> None:
        self._slack = slack
        self._channel = channel
        self._threads: list[str] = []

    def environment(self) -> dict[str, str]:
        return {
            "BOT_SLACK__BOT_TOKEN": BOT_TOKEN,
            "BOT_SLACK__APP_TOKEN": APP_TOKEN,
            "BOT_SLACK__API_URL": self._slack.api_url,
        }

    def watched(self, watch: Callable[[str, bool], bool]) -> None:
        self._slack.watch = watch

    async def ask(self, house: Mortal) -> None:
        await self._slack.until(lambda: self._slack.sockets.open)
        ts = await self._slack.say("U0ANN", self._channel, "<@U0BOT> tell me all")
        self._threads.append("" if self._channel.startswith("D") else ts)

    async def shown(self) -> Shown:
        return [(post.ts, post.text) for post in self._slack.answers(self._channel, self._threads[0])]

    def unfinished(self) -> list[str]:
        statuses = [text for text in self._slack.space.statuses.values() if text]
        return [*(f"stream {post.ts}" for post in self._slack.space.streams()), *statuses]


class DiscordDoor(Door):
    """A mention in a channel, answered by a reply that is edited."""

    size = 2_400

    def __init__(self, discord: DiscordDouble) -> None:
        self._discord = discord
        self._place = discord.channel("general")
        self._ann = discord.person("Ann")
        self._asked = 0

    def environment(self) -> dict[str, str]:
        return {"BOT_DISCORD__TOKEN": self._discord.token, "BOT_DISCORD__API_URL": self._discord.api_url}

    def watched(self, watch: Callable[[str, bool], bool]) -> None:
        self._discord.rest.watch = watch

    async def ask(self, house: Mortal) -> None:
        await self._discord.connected()
        place = self._place if self._asked == 0 else self._discord.channel("elsewhere")
        self._asked += 1
        await self._discord.say(self._ann, place, f"{self._discord.bot.mention} tell me all")

    async def shown(self) -> Shown:
        posts = self._discord.messages(self._place)
        return [(post.id, post.content) for post in posts if post.author is self._discord.bot]


class WebDoor(Door):
    """A message on the page, which reads its answer from the record, in one piece however long."""

    def __init__(self, record: Record) -> None:
        self._record = record
        place = Channel(Platform.WEB, "local", "thread-1", kind=ChannelKind.DIRECT)
        self._message = Message("m-1", place, Author("you", "You"), "tell me all", datetime.now(UTC))

    def environment(self) -> dict[str, str]:
        return {}

    async def ask(self, house: Mortal) -> None:
        house.accept(self._message)

    async def ask_again(self, house: Mortal) -> None:
        house.accept(self._message)  # the page got no answer, or the person presses the button again

    async def shown(self) -> Shown:
        rows: list[tuple[Any, ...]] = await self._record.rows(
            "SELECT message_id, text FROM pieces WHERE state IN ('sent', 'final') ORDER BY ordinal"
        )
        return [(str(number), str(text)) for number, text in rows]


@asynccontextmanager
async def opened(name: str, record: Record) -> AsyncIterator[Door]:
    """Open a door by its name, with a platform behind it where it has one."""
    if name == "web":
        yield WebDoor(record)
    elif name == "discord":
        async with DiscordDouble() as discord:
            yield DiscordDoor(discord)
    else:
        async with SlackDouble() as slack:
            yield SlackDoor(slack, "C0GENERAL" if name == "slack-stream" else "D0ANN")
