"""The real house between doubles of the platforms and of the model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import psycopg
import pytest

from bot.adapters.discord import sharing
from bot.app.roles import ALL, Role
from bot.app.running import Standing, listening, standing
from bot.config import read_settings
from bot.dialogue import Platform
from tests.doubles.discord import DiscordDouble
from tests.doubles.model import ModelDouble
from tests.doubles.slack import APP_TOKEN, BOT_TOKEN, SlackDouble
from tests.walks.mortal import IDENTIFY
from tests.walks.program import Program


class Opener(Protocol):
    """Opens the house, with more settings if given, and with `roles` if not all."""

    def __call__(self, **more: Any) -> AbstractAsyncContextManager[Standing]: ...


@pytest.fixture
async def model() -> AsyncIterator[ModelDouble]:
    async with ModelDouble() as double:
        yield double


@pytest.fixture
async def slack() -> AsyncIterator[SlackDouble]:
    async with SlackDouble() as double:
        yield double


@pytest.fixture
async def discord() -> AsyncIterator[DiscordDouble]:
    async with DiscordDouble() as double:
        yield double


@pytest.fixture
def environment(database_url: str, model: ModelDouble, tmp_path: Path) -> dict[str, str]:
    """What every walk sets, by the names that a user would set."""
    return {
        "BOT_DATABASE_URL": database_url,
        "BOT_DATA_DIR": str(tmp_path / "data"),
        "BOT_MODEL__BASE_URL": model.url,
        "BOT_MODEL__API_KEY": "sk-double",
        "BOT_MODEL__NAME": "double-1",
        "BOT_WEB__PORT": "0",
        "BOT_WORK__GRACE_SECONDS": "3",  # nobody waits for what a test left unanswered
        "BOT_LIMITS__PERSON_PER_MINUTE": "0",
        "BOT_LIMITS__CHANNEL_PER_MINUTE": "0",
    }


@pytest.fixture
def slack_environment(slack: SlackDouble) -> dict[str, str]:
    return {
        "BOT_SLACK__BOT_TOKEN": BOT_TOKEN,
        "BOT_SLACK__APP_TOKEN": APP_TOKEN,
        "BOT_SLACK__API_URL": slack.api_url,
    }


@pytest.fixture
def discord_environment(discord: DiscordDouble) -> dict[str, str]:
    return {"BOT_DISCORD__TOKEN": discord.token, "BOT_DISCORD__API_URL": discord.api_url}


@pytest.fixture
def house(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Opener:
    """Open the house in this process; the doors stand open while the block lasts."""

    monkeypatch.setattr(sharing, "IDENTIFY_SECONDS", IDENTIFY)

    @asynccontextmanager
    async def opened(**more: Any) -> AsyncIterator[Standing]:
        roles: Collection[Role] = more.pop("roles", ALL)
        for name, value in (environment | more).items():
            monkeypatch.setenv(name, value)
        local = (Platform.WEB, Platform.CONSOLE)
        settings = read_settings()
        async with standing(settings, local, lambda _: None, platforms=True, roles=roles) as built:
            async with listening(built):
                await built.ground.bell.listening.wait()
                yield built

    return opened


@pytest.fixture
async def slack_house(
    house: Opener, slack: SlackDouble, slack_environment: dict[str, str]
) -> AsyncIterator[Standing]:
    async with house(**slack_environment) as built:
        await slack.until(lambda: slack.sockets.open)
        yield built


@pytest.fixture
async def discord_house(
    house: Opener, discord: DiscordDouble, discord_environment: dict[str, str]
) -> AsyncIterator[Standing]:
    async with house(**discord_environment) as built:
        await discord.connected()
        yield built


@pytest.fixture
async def program(environment: dict[str, str]) -> AsyncIterator[Program]:
    """The program as its own process, which a test may kill."""
    started = Program(environment)
    yield started
    await started.kill()


class Record:
    """What the tables say, for a judge."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def rows(self, statement: str) -> list[tuple[Any, ...]]:
        async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as connection:
            return await (await connection.execute(statement.encode())).fetchall()

    async def turns(self, seconds: float = 10.0) -> list[tuple[Any, ...]]:
        """Wait until no answer is in work, and give each turn's state and tries."""
        await self.until("SELECT count(*) = 0 FROM turns WHERE state IN ('waiting', 'answering')", seconds)
        return await self.rows("SELECT state, attempts FROM turns ORDER BY id")

    async def turns_of(self, count: int, seconds: float = 20.0) -> list[tuple[Any, ...]]:
        """Wait until there are so many turns and all have ended."""
        await self.until(f"SELECT count(*) >= {count} FROM turns", seconds)
        return await self.turns(seconds)

    async def until(self, condition: str, seconds: float = 20.0) -> None:
        """Wait until the statement yields true."""
        connecting = psycopg.AsyncConnection.connect(self._url, autocommit=True)
        async with asyncio.timeout(seconds), await connecting as connection:
            # Another process commits it, so there is no event to wait for.
            while await (await connection.execute(condition.encode())).fetchone() != (True,):  # noqa: ASYNC110
                await asyncio.sleep(0.02)


@pytest.fixture
def record(database_url: str) -> Record:
    return Record(database_url)
