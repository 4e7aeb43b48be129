"""A Discord on the wire, and the adapter listening to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from bot.adapters.discord import DiscordAdapter, sharing
from bot.dialogue import Accepted, Message, Platform
from bot.errors import StoreDown
from tests.doubles.discord import DiscordDouble, Person, Place
from tests.fakes import FakeDoor, FakeWords


@dataclass
class FakeMarks:
    """Marks in memory, by guild and channel."""

    kept: dict[str, dict[str, str]] = field(default_factory=dict)
    down: int = 0
    asked: int = 0
    slow: asyncio.Event | None = None  # the next look at a guild takes until this is set

    async def newest(self, workspace: str) -> Mapping[str, str]:
        self.asked += bool(workspace)
        slow, self.slow = (self.slow, None) if workspace else (None, self.slow)
        if slow is not None:
            await slow.wait()
        if self.down:
            self.down -= 1
            raise StoreDown("no database")
        return dict(self.kept.get(workspace, {}))


@dataclass(frozen=True)
class FakeChoice:
    """What a guild chose."""

    answers: str = ""
    language: str = ""


@dataclass
class FakeChoices:
    """The choices of the one guild there is."""

    chosen: FakeChoice = FakeChoice()

    async def settings(self, platform: Platform, workspace: str) -> FakeChoice:
        return self.chosen

    async def change(
        self, platform: Platform, workspace: str, *, answers: str | None = None, language: str | None = None
    ) -> FakeChoice:
        given = {"answers": answers, "language": language}
        self.chosen = replace(self.chosen, **{name: one for name, one in given.items() if one is not None})
        return self.chosen


class Inbox(FakeDoor):
    """Counts how often a text was brought."""

    def __init__(self) -> None:
        super().__init__()
        self.knocks: list[str] = []

    async def accept(self, message: Message) -> Accepted:
        self.knocks.append(message.text)
        return await super().accept(message)


@dataclass
class World:
    """The double, and what the adapter hands on."""

    discord: DiscordDouble
    adapter: DiscordAdapter
    inbox: Inbox
    marks: FakeMarks
    choices: FakeChoices

    @property
    def heard(self) -> list[Message]:
        return self.inbox.messages

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.inbox.messages]

    async def until_heard(self, *texts: str) -> None:
        await self.discord.until(lambda: set(texts) <= set(self.texts))

    async def hears(self, author: Person, place: Place, text: str) -> str:
        """Have something said, and heard; return its id."""
        said = await self.discord.say(author, place, text)
        await self.until_heard(text)
        return said

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[asyncio.Task[None]]:
        """Listen until left; the connection stands and its first catching up is on its way."""
        known = self.discord.gateway.identified
        task = asyncio.create_task(self.adapter.listen(self.inbox))
        try:
            await self.discord.until(lambda: self.discord.gateway.identified > known or task.done())
            yield task
        finally:
            task.cancel()
            await asyncio.wait({task})


@pytest.fixture(autouse=True)
def quick_identifies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let new sessions follow each other at once, where the double does not mind."""
    monkeypatch.setattr(sharing, "IDENTIFY_SECONDS", 0.02)


@pytest.fixture
async def discord() -> AsyncIterator[DiscordDouble]:
    async with DiscordDouble() as double:
        yield double


@pytest.fixture
async def world(discord: DiscordDouble) -> AsyncIterator[World]:
    marks = FakeMarks()
    choices = FakeChoices()
    adapter = DiscordAdapter(discord.token, discord.api_url, marks, FakeWords(), choices)
    yield World(discord, adapter, Inbox(), marks, choices)
    await adapter.close()


@pytest.fixture
def anna(world: World) -> Person:
    """A person of the guild."""
    return world.discord.person("Anna")


@pytest.fixture
def place(world: World) -> Place:
    """A channel that all may read."""
    return world.discord.channel("general")


@pytest.fixture
async def heard(world: World, place: Place) -> AsyncIterator[World]:
    """The world while the adapter listens."""
    async with world.listening():
        await world.discord.connected()
        yield world
