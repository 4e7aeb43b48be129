"""A walk on Slack by signed HTTP: the same house, reached by requests on the console's port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from bot.app.serving import serve_pages
from bot.config import read_settings
from bot.web.serve import bound
from tests.doubles.model import ModelDouble
from tests.doubles.slack import BOT_TOKEN, SlackDouble
from tests.doubles.slack_signed import SECRET, SignedDeliveries
from tests.walks.conftest import Opener, Record
from tests.walks.test_slack import PLACE, said
from tests.walks.test_slack_buttons import whole


@pytest.fixture
async def way(slack: SlackDouble, house: Opener) -> AsyncIterator[SignedDeliveries]:
    """Slack's way into a house whose console is locked by a token."""
    signed = {"BOT_SLACK__BOT_TOKEN": BOT_TOKEN, "BOT_SLACK__SIGNING_SECRET": SECRET}
    more = {"BOT_SLACK__API_URL": slack.api_url, "BOT_WEB__TOKEN": "a-long-secret"}
    said_ready: asyncio.Queue[str] = asyncio.Queue()
    async with house(**signed, **more) as built:
        web = asyncio.create_task(
            serve_pages(read_settings(), built, bound("127.0.0.1", 0), said_ready.put_nowait)
        )
        ready = await said_ready.get()
        address = next(word for word in ready.split() if word.startswith("http://"))
        slack.way = made = SignedDeliveries(f"{address}/slack/events")
        async with asyncio.timeout(10):
            while (await made.post(b"{}"))[0] == 503:  # noqa: ASYNC110 - only asking tells
                await asyncio.sleep(0.02)
        yield made
        web.cancel()
        await asyncio.wait({web})


async def test_questions_buttons_and_commands_work_over_signed_http(
    slack: SlackDouble, model: ModelDouble, way: SignedDeliveries, record: Record
) -> None:
    model.answer("Paris.", "Paris, I said.", "Rome.")
    ts = await slack.say("U0ANN", PLACE, "<@U0BOT> what is the capital of France?")
    await slack.until(whole(slack, ts))
    (post,) = whole(slack, ts)()
    await record.turns()
    await slack.press("U0ANN", post, "Try again")
    await slack.until(lambda: said(slack, ts) == ["Paris, I said."])
    await slack.command("U0ANN", PLACE, "and of Italy?")
    await slack.until(lambda: [found for found in slack.answers(PLACE) if found.ts != ts])
    (asked,) = slack.answers(PLACE)
    await slack.until(whole(slack, asked.ts))
    assert said(slack, asked.ts)[1:] == ["Rome."]
    await slack.delete(PLACE, ts)
    await slack.until(lambda: not slack.answers(PLACE, ts))
    assert set(way.answers) <= {200, 503}
    assert slack.sockets.connections == 0


async def test_the_console_stays_locked_beside_it(way: SignedDeliveries) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(way.url.replace("/slack/events", "/api/threads")) as found:
            assert found.status == 401
        async with session.post(way.url, data=b"{}") as found:
            assert found.status == 401
