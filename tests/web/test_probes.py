"""What machines are answered: on the console, and on the small server of a process without pages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx2
import pytest

from bot.errors import SettingError
from bot.web.probes import Probes, probe_app
from bot.web.serve import bound, serve
from tests.web.conftest import Console

SCRAPER = {"authorization": "Bearer only numbers", "host": "desk.example", "x-forwarded-for": "10.0.0.7"}
Small = Callable[[str], AbstractAsyncContextManager[httpx2.AsyncClient]]


@pytest.fixture
def small() -> Small:
    """Serve the small server with a token, "" for none."""

    async def ready() -> Mapping[str, bool | float | str]:
        return {"database": False}

    async def metrics() -> bytes:
        return b"frontdesk_database_up 0.0\n"

    @asynccontextmanager
    async def running(token: str) -> AsyncIterator[httpx2.AsyncClient]:
        app = probe_app(Probes(ready, metrics, token), "127.0.0.1")
        told: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        serving = asyncio.create_task(serve(app, bound("127.0.0.1", 0), told.set_result))
        async with httpx2.AsyncClient(base_url=await asyncio.wait_for(told, 10), timeout=10) as client:
            yield client
        serving.cancel()
        await asyncio.wait({serving}, timeout=10)

    return running


async def test_a_process_that_is_not_ready_is_alive_and_says_to_the_trusted_what_is_wrong(
    console: Console,
) -> None:
    assert (await console.client.get("/readyz")).json() == {"ok": True, **console.health}
    console.health["database"] = False
    for headers, told in (
        ({}, {"ok": False, **console.health}),
        ({"x-forwarded-for": "10.0.0.7"}, {"ok": False}),
    ):
        answer = await console.client.get("/readyz", headers=headers)
        assert (answer.status_code, answer.json()) == (503, told)
        answer = await console.client.get("/healthz", headers=headers)
        assert (answer.status_code, answer.json()) == (200, {"ok": True})


async def test_the_metrics_are_for_who_sits_here_or_has_a_token(console: Console, locked: Console) -> None:
    answer = await console.client.get("/metrics")
    assert (answer.status_code, answer.text) == (200, "frontdesk_database_up 1.0\n")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert (await console.client.get("/metrics", headers={"host": "evil.example"})).status_code == 403
    assert (await locked.client.get("/metrics")).status_code == 401
    owner = {"authorization": "Bearer open sesame"}
    assert (await locked.client.get("/metrics", headers=owner)).status_code == 200
    for one in (console, locked):
        assert (await one.client.get("/metrics", headers=SCRAPER)).status_code == 200


async def test_the_metrics_token_opens_nothing_else_and_is_no_guess_at_the_console_s(locked: Console) -> None:
    for _ in range(6):
        assert "database" in (await locked.client.get("/readyz", headers=SCRAPER)).json()
    assert (await locked.client.get("/api/threads", headers=SCRAPER)).status_code == 401
    assert (await locked.client.post("/login", data={"token": "open sesame"})).status_code == 303


async def test_the_small_server_tells_its_state_to_all_and_numbers_to_the_trusted(small: Small) -> None:
    async with small("") as client:
        assert (await client.get("/healthz")).json() == {"ok": True}
        assert (await client.get("/readyz")).json() == {"ok": False, "database": False}
        assert (await client.get("/metrics")).text == "frontdesk_database_up 0.0\n"
        for headers in ({"host": "evil.example"}, {"x-forwarded-for": "10.0.0.7"}):
            refused = await client.get("/metrics", headers=headers)
            assert (refused.status_code, "BOT_METRICS__TOKEN" in refused.text) == (403, True)
            assert (await client.get("/readyz", headers=headers)).json() == {"ok": False}
        assert (await client.get("/")).status_code == 404


async def test_with_a_token_the_small_server_asks_everybody_for_it(small: Small) -> None:
    async with small("only numbers") as client:
        assert (await client.get("/metrics")).status_code == 403
        assert (await client.get("/readyz")).json() == {"ok": False}
        assert (await client.get("/metrics", headers={"authorization": "Bearer x"})).status_code == 403
        assert (await client.get("/metrics", headers=SCRAPER)).status_code == 200


def test_metrics_that_others_can_reach_need_a_token() -> None:
    async def never() -> Mapping[str, bool | float | str]:
        raise AssertionError("nobody asks")

    async def nothing() -> bytes:
        raise AssertionError("nobody asks")

    with pytest.raises(SettingError, match="BOT_METRICS__TOKEN: missing"):
        probe_app(Probes(never, nothing), "0.0.0.0")
    probe_app(Probes(never, nothing, "a word"), "0.0.0.0")
