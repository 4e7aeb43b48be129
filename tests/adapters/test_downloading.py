"""Bodies that are read no further than a bound."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from bot.adapters.downloading import read_within
from bot.errors import PostRefused

ENDLESS = b"x" * 70_000


@pytest.fixture
async def address() -> AsyncIterator[str]:
    async def whole(_: web.Request) -> web.Response:
        return web.Response(body=b"0123456789")

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while request.transport is not None and not request.transport.is_closing():
            await response.write(ENDLESS)
        return response

    app = web.Application()
    app.router.add_get("/whole", whole)
    app.router.add_get("/endless", endless)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def fetched(address: str, most: int) -> bytes:
    async with aiohttp.ClientSession() as session, session.get(address) as response:
        return await read_within(response, most)


async def test_a_body_within_the_bound_is_read_whole(address: str) -> None:
    assert await fetched(f"{address}/whole", 10) == b"0123456789"


async def test_a_body_that_says_it_is_larger_is_not_begun(address: str) -> None:
    with pytest.raises(PostRefused, match="has 10 bytes, more than 9"):
        await fetched(f"{address}/whole", 9)


async def test_a_body_without_end_is_left(address: str) -> None:
    with pytest.raises(PostRefused, match="more than 200000 bytes"):
        await fetched(f"{address}/endless", 200_000)
