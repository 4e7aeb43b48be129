"""Over HTTP only Slack is heard, and what it says is kept before it is answered."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from bot.adapters.slack import SlackAdapter
from bot.adapters.slack.signed import BODY_BYTES, PATH
from bot.dialogue import Wish
from bot.errors import StoreDown
from bot.web.serve import bound, serve
from tests.adapters.slack.talk import DIRECT, GENERAL
from tests.adapters.slack.together import FakeMarks, ago, together
from tests.doubles.slack import SlackDouble
from tests.doubles.slack_signed import SECRET, SignedDeliveries
from tests.fakes import FakeDoor, FakeWords


@pytest.fixture
async def adapter(slack: SlackDouble) -> AsyncIterator[SlackAdapter]:
    made = SlackAdapter(slack.bot_token, "", slack.api_url, FakeWords(), signing_secret=SECRET)
    yield made
    await made.close()


@pytest.fixture
async def way(slack: SlackDouble, adapter: SlackAdapter) -> AsyncIterator[SignedDeliveries]:
    """Slack's way to the adapter, mounted beside a locked console."""
    addresses: asyncio.Queue[str] = asyncio.Queue()
    locked = Route("/{rest:path}", lambda _: PlainTextResponse("locked", 401), methods=["GET", "POST"])
    console = Starlette(routes=[locked])
    console.state.close = lambda: None
    serving = asyncio.create_task(serve(console, bound("127.0.0.1", 0), addresses.put_nowait, adapter.routes))
    slack.way = made = SignedDeliveries(await addresses.get() + PATH)
    yield made
    serving.cancel()
    await asyncio.wait({serving})


@asynccontextmanager
async def taken_in(adapter: SlackAdapter, door: FakeDoor, way: SignedDeliveries) -> AsyncIterator[None]:
    """Have the adapter listen while the block lasts."""
    listening = asyncio.create_task(adapter.listen(door))
    async with asyncio.timeout(10):
        while (await way.post(b"{}"))[0] == 503:  # noqa: ASYNC110 - only asking tells
            await asyncio.sleep(0.02)
    way.answers.clear()
    try:
        yield
    finally:
        listening.cancel()
        await asyncio.wait({listening})


async def test_a_message_is_kept_and_answered_with_200(
    slack: SlackDouble, adapter: SlackAdapter, way: SignedDeliveries
) -> None:
    door = FakeDoor()
    async with taken_in(adapter, door, way):
        await slack.say("U0ANN", GENERAL, "<@U0BOT> hello, 你好")
    assert way.answers == [200, 200]
    assert [message.text for message in door.messages] == ["hello, 你好"]
    assert slack.sockets.connections == 0


async def test_what_cannot_be_kept_is_told_to_come_again_and_is_one_message(
    slack: SlackDouble, adapter: SlackAdapter, way: SignedDeliveries
) -> None:
    door = FakeDoor()
    door.error = StoreDown("no database")
    async with taken_in(adapter, door, way):
        await slack.say("U0ANN", DIRECT, "hello")
        door.error = None
        await way.redeliver()
        await way.redeliver()
    assert way.answers == [503, 200]
    assert len(door.messages) == 1


async def test_buttons_and_commands_come_the_same_way(
    slack: SlackDouble, adapter: SlackAdapter, way: SignedDeliveries
) -> None:
    door = FakeDoor()
    async with taken_in(adapter, door, way):
        await slack.command("U0ANN", GENERAL, "50 % off? a&b")
        await slack.until(lambda: door.messages)
        await slack.say("U0ANN", DIRECT, "stop")
        await slack.open_home("U0ANN")
        await slack.until(lambda: "U0ANN" in slack.space.homes)
        await slack.choose("U0ANN", "English")
        await slack.until(lambda: len(door.requests) == 2)
    assert door.messages[0].text == "50 % off? a&b"
    assert [request.wish for request in door.requests] == [Wish.STOP, Wish.LANGUAGE]
    assert set(way.answers) == {200}


async def test_the_address_is_confirmed_to_slack(adapter: SlackAdapter, way: SignedDeliveries) -> None:
    body = json.dumps({"type": "url_verification", "token": "old", "challenge": "3eZb"}).encode()
    status, text = await way.post(body)  # also before it listens: this is asked while the app is made
    assert (status, json.loads(text)) == (200, {"challenge": "3eZb"})


@pytest.mark.parametrize("age", [-400, 400])
async def test_an_old_or_a_future_request_is_refused(
    adapter: SlackAdapter, way: SignedDeliveries, age: int
) -> None:
    status, _ = await way.post(b'{"type":"url_verification","challenge":"x"}', stamp=int(time.time()) - age)
    assert status == 401


async def test_a_request_with_another_signature_is_refused(
    adapter: SlackAdapter, way: SignedDeliveries
) -> None:
    async with taken_in(adapter, FakeDoor(), way):
        for signature in ("", "v0=", "v0=" + "0" * 64, "v1=x", "ä"):
            status, _ = await way.post(b'{"type":"url_verification","challenge":"x"}', signature=signature)
            assert status == 401, signature


async def test_an_odd_time_is_refused(adapter: SlackAdapter, way: SignedDeliveries) -> None:
    async with aiohttp.ClientSession() as session:
        for stamp in ("", "soon", "１２３", "9" * 40, "-1", "1e9"):
            headers = {"x-slack-request-timestamp": stamp, "x-slack-signature": "v0=x"}
            async with session.post(way.url, data=b"{}", headers=headers) as found:
                assert found.status == 401, stamp


async def test_a_body_that_was_changed_on_its_way_is_refused(
    adapter: SlackAdapter, way: SignedDeliveries
) -> None:
    stamp = int(time.time())
    signature = way.sign(b'{"type":"url_verification","challenge":"mine"}', str(stamp))
    body = b'{"type":"url_verification","challenge":"yours"}'
    assert (await way.post(body, stamp=stamp, signature=signature))[0] == 401


async def test_a_request_without_any_signature_is_refused(
    adapter: SlackAdapter, way: SignedDeliveries
) -> None:
    async with aiohttp.ClientSession() as session, session.post(way.url, data=b"{}") as found:
        assert found.status == 401


async def test_a_body_that_is_no_text_is_refused(adapter: SlackAdapter, way: SignedDeliveries) -> None:
    assert (await way.post(b"\xff\xfe"))[0] == 401


async def test_a_body_larger_than_anything_of_slacks_is_refused(
    adapter: SlackAdapter, way: SignedDeliveries
) -> None:
    assert (await way.post(b"x" * (BODY_BYTES + 1)))[0] == 413


async def test_what_cannot_be_read_though_signed_is_acknowledged(
    slack: SlackDouble, adapter: SlackAdapter, way: SignedDeliveries
) -> None:
    door = FakeDoor()
    kinds = ("application/json", "application/x-www-form-urlencoded", "text/plain")
    async with taken_in(adapter, door, way):
        for body in (b"", b"[]", b"{", b"null", b'{"event":7}', b"payload=%7B"):
            for kind in kinds:
                assert (await way.post(body, kind))[0] == 200, (body, kind)
    assert door.messages == []


async def test_only_the_one_path_passes_the_console_by(adapter: SlackAdapter, way: SignedDeliveries) -> None:
    base = way.url.removesuffix(PATH)
    async with aiohttp.ClientSession() as session:
        for path in (
            "/",
            "/slack",
            "/slack/",
            "/slack/events/",
            "/slack/events/x",
            "/api/threads",
            "/SLACK/events",
        ):
            async with session.post(base + path, data=b"{}") as found:
                assert (found.status, await found.text()) == (401, "locked"), path
        async with session.get(way.url) as found:
            assert found.status == 405


async def test_a_client_that_leaves_in_the_middle_hurts_nobody(
    slack: SlackDouble, adapter: SlackAdapter, way: SignedDeliveries
) -> None:
    port = int(way.url.split(":")[2].split("/")[0])
    with socket.create_connection(("127.0.0.1", port)) as half:
        half.sendall(b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    door = FakeDoor()
    async with taken_in(adapter, door, way):
        await slack.say("U0ANN", DIRECT, "hello")
    assert len(door.messages) == 1


def test_in_socket_mode_nothing_is_reachable_over_http(slack: SlackDouble) -> None:
    both = SlackAdapter("xoxb-x", "xapp-x", slack.api_url, FakeWords(), signing_secret=SECRET)
    assert both.routes == {}


async def test_what_was_written_while_nobody_served_is_fetched_at_the_start(slack: SlackDouble) -> None:
    shared = together(FakeMarks(ago(minutes=9)))
    adapter = SlackAdapter(
        slack.bot_token, "", slack.api_url, FakeWords(), signing_secret=SECRET, together=shared
    )
    await slack.say("U0ANN", DIRECT, "missed")
    door = FakeDoor()
    listening = asyncio.create_task(adapter.listen(door))
    await slack.until(lambda: door.messages)
    listening.cancel()
    await asyncio.wait({listening})
    assert [message.text for message in door.messages] == ["missed"]
    await adapter.close()
