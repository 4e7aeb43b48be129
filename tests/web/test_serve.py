"""The server starts on its port or says why not, and stops at once."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from contextlib import suppress

import httpx2
import pytest

from bot.errors import SettingError
from bot.web.serve import bound
from tests.web.conftest import running


def test_a_port_in_use_is_told_with_the_cure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingError, match=f"BOT_WEB__PORT: port {port} .* in use") as refused:
            bound("127.0.0.1", port)
        with pytest.raises(SettingError, match=f"BOT_METRICS__PORT: port {port} .* set BOT_METRICS__PORT"):
            bound("127.0.0.1", port, "BOT_METRICS")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("host", ["no.such.host.invalid", "203.0.113.7"])
def test_an_address_of_another_machine_is_told(host: str) -> None:
    with pytest.raises(SettingError, match="BOT_WEB__HOST"):
        bound(host, 0)


async def test_open_streams_do_not_hold_the_server_and_its_port_is_free_again() -> None:
    async with running() as console:
        path = "/api/threads/7b0f7a58-6a0e-4a5c-9d0e-000000000000/events"
        async with httpx2.AsyncClient(base_url=console.address, timeout=10) as client:
            async with client.stream("GET", path) as answer:
                lines = answer.aiter_lines()
                await anext(lines)
                began = time.monotonic()
                # Leaving the block stops the server while the stream is still open.
                stopping = asyncio.create_task(_drain(lines))
                await console.stop()
                await asyncio.wait_for(stopping, 5)
        assert time.monotonic() - began < 2
        port = int(console.address.rpartition(":")[2])
        with socket.create_server(("127.0.0.1", port)):
            pass


async def _drain(lines: object) -> None:
    with suppress(httpx2.HTTPError):
        async for _ in lines:  # type: ignore[attr-defined]
            pass


async def test_the_program_s_signal_handlers_stay_its_own() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    async with running() as console:
        assert (await console.client.get("/healthz")).status_code == 200
        assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
