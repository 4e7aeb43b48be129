"""Several processes of the bot, on one Postgres that is given to them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import psycopg

from benchmarks import programs
from benchmarks.programs import Program
from benchmarks.world import Platform, World, until
from bot.memory.server import EmbeddedPostgres

BOTH = "gateway,worker"
_READY = "Frontdesk is ready"
_SETTLED_SECONDS = 2.0


class Team:
    """Processes that come and go; each asks the model at an address of its own, which tells them apart."""

    def __init__(self, world: World, platform: Platform, data: Path, url: str, stack: AsyncExitStack) -> None:
        """All end with the stack."""
        self.url = url
        self._world = world
        self._platform = platform
        self._data = data
        self._stack = stack
        self._numbers = itertools.count(1)
        self._programs: dict[str, Program] = {}

    @property
    def programs(self) -> list[Program]:
        """Those at work."""
        return list(self._programs.values())

    async def start(self, roles: Sequence[str]) -> None:
        """Start a process with each of these roles, and wait until all say that they are ready."""
        log, listening = self._data / "log.txt", self._platform.connected
        said = log.read_text().count(_READY) if log.exists() else 0
        for role in roles:
            name = f"/v1/{next(self._numbers)}"
            environment = self._world.environment(self._platform)
            environment |= {
                "BOT_MODEL__BASE_URL": f"{self._world.address}{name}",
                "BOT_DATABASE_URL": self.url,
            }
            words = "bot", "run", "--role", role
            self._programs[name] = await self._stack.enter_async_context(
                programs.running(environment, self._data, *words)
            )
        gateways = sum("gateway" in role for role in roles)
        await until(lambda: log.read_text().count(_READY) >= said + len(roles), 120)
        await until(lambda: self._platform.connected >= listening + gateways, 120)
        await asyncio.sleep(_SETTLED_SECONDS)

    def answering(self, question: int) -> str:
        """Name the process that asked the model last for a question."""
        return self._world.model.asked_by[question]

    def member(self, name: str) -> Program:
        """Give the process of a name."""
        return self._programs[name]

    def leave(self, name: str) -> Program:
        """Give a process that shall not count as at work any more."""
        return self._programs.pop(name)


@asynccontextmanager
async def together(world: World, platform: Platform, roles: Sequence[str]) -> AsyncIterator[Team]:
    """Start a Postgres and so many processes on it."""
    async with AsyncExitStack() as stack:
        data = await stack.enter_async_context(programs.folder())
        server = EmbeddedPostgres(data / "data")
        url = await server.start()
        stack.push_async_callback(server.stop)
        team = Team(world, platform, data, url, stack)
        await team.start(roles)
        yield team


class Writes:
    """
    Counts the transactions that have written something: each has a number then, and no other one has.

    Who only reads has none; a row lock and a NOTIFY count as writing, which in Postgres they are.
    """

    def __init__(self, connection: psycopg.AsyncConnection[tuple[int]]) -> None:
        """The connection itself only reads."""
        self._connection = connection

    async def count(self) -> int:
        """Say how many there were since the server was made."""
        found = await self._connection.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
        row = await found.fetchone()
        return int(row[0]) if row else 0


@asynccontextmanager
async def writes_of(url: str) -> AsyncIterator[Writes]:
    """Open a look at what is written."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        yield Writes(connection)
