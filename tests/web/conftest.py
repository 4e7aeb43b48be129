"""The console on a free port of this machine, over a record in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx2
import pytest

from bot.catalogue import Catalogue
from bot.web.probes import Probes
from bot.web.serve import bound, serve
from bot.web.site import create_app
from tests.web.record import FakeRecord


@dataclass
class Console:
    """A running console."""

    address: str
    record: FakeRecord
    health: dict[str, bool | float | str]
    client: httpx2.AsyncClient
    serving: asyncio.Task[None]

    async def stop(self) -> None:
        """Cancel the server and wait until it is gone."""
        self.serving.cancel()
        await asyncio.wait({self.serving}, timeout=10)
        assert self.serving.cancelled()


@asynccontextmanager
async def running(token: str | None = None) -> AsyncIterator[Console]:
    """Serve a console until the block ends."""
    record, words = FakeRecord(), Catalogue()
    health: dict[str, bool | float | str] = {"database": True, "oldest_waiting_seconds": 1.5}

    async def look() -> Mapping[str, bool | float | str]:
        return health

    async def metrics() -> bytes:
        return b"frontdesk_database_up 1.0\n"

    def note(language: str) -> str:
        return words.say("web-model-small", language, model="SmolLM2-135M")

    app = create_app(record, record, words, token, Probes(look, metrics, "only numbers"), note)
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve(app, bound("127.0.0.1", 0), ready.set_result))
    address = await asyncio.wait_for(ready, 10)
    try:
        async with httpx2.AsyncClient(base_url=address, timeout=10) as client:
            yield Console(address, record, health, client, serving)
    finally:
        serving.cancel()
        await asyncio.wait({serving}, timeout=10)


@pytest.fixture
async def console() -> AsyncIterator[Console]:
    """An open console."""
    async with running() as found:
        yield found


@pytest.fixture
async def locked() -> AsyncIterator[Console]:
    """A console behind the token `open sesame`."""
    async with running("open sesame") as found:
        yield found
