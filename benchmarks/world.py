"""All doubles on one loop of the benchmark's own process, and the questions that people ask there."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

from aiohttp import web

from benchmarks.clock import Clock
from benchmarks.discord import Discord
from benchmarks.http import serve
from benchmarks.model import Model
from benchmarks.slack import Slack

CONVERSATIONS = 600


class Platform(Protocol):
    """A platform's double."""

    name: str
    calls: int

    @property
    def connected(self) -> int:
        """How many processes listen."""
        ...

    def environment(self, address: str) -> dict[str, str]:
        """What a bot has to be told."""
        ...

    async def ask(self, conversation: int, question: int) -> None:
        """Ask in a conversation."""
        ...


@dataclass(slots=True)
class World:
    """The doubles, and where they are."""

    clock: Clock
    model: Model
    slack: Slack
    discord: Discord
    address: str
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _places: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def environment(self, platform: Platform) -> dict[str, str]:
        """What a bot has to be told of the platform and of the model."""
        return {
            "BOT_MODEL__BASE_URL": f"{self.address}/v1",
            "BOT_MODEL__API_KEY": "bench",
            "BOT_MODEL__NAME": "bench-1",
            "BOT_MODEL__DAILY_TOKENS": "2000000000",
            "BOT_LIMITS__PERSON_PER_MINUTE": "0",
            "BOT_LIMITS__CHANNEL_PER_MINUTE": "0",
            "BOT_WEB__PORT": "0",
        } | platform.environment(self.address)

    def places(self, count: int) -> list[int]:
        """Name conversations that nobody has asked in yet."""
        return [next(self._places) for _ in range(count)]

    def question(self) -> int:
        """Give a question its number."""
        return next(self._numbers)

    async def ask(self, platform: Platform, conversation: int) -> int:
        """Ask something new, and give the question's number."""
        number = self.question()
        await platform.ask(conversation, number)
        return number


@asynccontextmanager
async def opened() -> AsyncIterator[World]:
    """Open all doubles on free ports of this machine."""
    clock = Clock()
    model, slack, discord = Model(clock), Slack(clock), Discord(clock, CONVERSATIONS)
    server, port = await serve({"/v1/": model.answer, "/api/v10/": discord.call, "/api/": slack.call})
    runner, sockets = await _sockets({"/slack": slack.connect, "/discord/": discord.connect})
    slack.socket_url, discord.gateway_url = f"{sockets}/slack", f"{sockets}/discord/"
    try:
        yield World(clock, model, slack, discord, f"http://127.0.0.1:{port}")
    finally:
        server.close()
        await runner.cleanup()


async def until(holds: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def _sockets(
    routes: dict[str, Callable[[web.Request], Awaitable[web.WebSocketResponse]]],
) -> tuple[web.AppRunner, str]:
    app = web.Application()
    for path, connect in routes.items():
        app.router.add_get(path, connect)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"ws://127.0.0.1:{runner.addresses[0][1]}"
