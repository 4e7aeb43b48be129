"""A walk with two Slack workspaces in one house: each installed by its people, answered apart, one leaves."""

from __future__ import annotations

import asyncio
import html
import re
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest

from bot.app.serving import serve_pages
from bot.config import read_settings
from bot.memory.sealing import new_key
from bot.web.serve import bound
from bot.worker import worker
from tests.doubles.model import ModelDouble
from tests.doubles.slack import APP_TOKEN, SlackDouble
from tests.doubles.slack_teams import CLIENT_ID, CLIENT_SECRET, Team
from tests.walks.conftest import Opener, Record

PLACE = "C0GENERAL"


@pytest.fixture
async def address(slack: SlackDouble, house: Opener) -> AsyncIterator[str]:
    """Where browsers reach a house that nobody has installed yet, and whose console is locked."""
    listener = bound("127.0.0.1", 0)
    made = f"http://127.0.0.1:{listener.getsockname()[1]}"
    app = {"BOT_SLACK__CLIENT_ID": CLIENT_ID, "BOT_SLACK__CLIENT_SECRET": CLIENT_SECRET}
    delivery = {"BOT_SLACK__APP_TOKEN": APP_TOKEN, "BOT_SLACK__API_URL": slack.api_url}
    web = {"BOT_WEB__PUBLIC_URL": made, "BOT_WEB__TOKEN": "a-long-secret", "BOT_SECRETS__KEY": new_key()}
    ready: asyncio.Queue[str] = asyncio.Queue()
    async with house(**app, **delivery, **web) as built:
        serving = asyncio.create_task(serve_pages(read_settings(), built, listener, ready.put_nowait))
        await ready.get()
        await slack.until(lambda: slack.sockets.open)
        yield made
        serving.cancel()
        await asyncio.wait({serving})


async def install(slack: SlackDouble, address: str, team: Team, language: str = "en") -> str:
    """Somebody opens the page, presses its button and says yes; returns the last page."""
    slack.directory.chosen = team.id
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar, headers={"accept-language": language}) as browser:
        async with browser.get(f"{address}/slack/install") as answer:
            page = await answer.text()
        link = re.search(r'class="button" href="([^"]+)"', page)
        assert link is not None
        async with browser.get(html.unescape(link[1])) as answer:
            assert answer.status == 200
            return await answer.text()


async def test_two_workspaces_are_installed_and_answered_apart_and_one_leaves(
    slack: SlackDouble, model: ModelDouble, address: str, record: Record
) -> None:
    acme, bird = slack.directory.add("T0ACME", "Acme"), slack.directory.add("T0BIRD", "Bird")
    assert "Frontdesk is in Acme" in await install(slack, address, acme)
    assert "Frontdesk 已加入 Bird" in await install(slack, address, bird, "zh-CN")
    assert acme.token != bird.token
    ts = f"{time.time() - 1:.6f}"  # the same in both
    for team, said in ((acme, "For Acme."), (bird, "For Bird.")):
        model.answer(said)
        await team.say(slack.way, "U0ANN", PLACE, f"<@U0BOT> who are we? {team.name}", ts=ts)
        await slack.until(lambda: team.answers(PLACE, ts) == [said])  # noqa: B023
        await record.turns()
    assert (acme.answers(PLACE, ts), bird.answers(PLACE, ts)) == (["For Acme."], ["For Bird."])
    seen = await record.rows("SELECT workspace, count(*) FROM conversations GROUP BY 1 ORDER BY 1")
    assert seen == [("T0ACME", 1), ("T0BIRD", 1)]
    assert "Acme" not in str(model.requests[-1])
    assert await record.rows("SELECT count(*) FROM installations WHERE token LIKE '%xoxb%'") == [(0,)]

    model.answer("Never seen.", "Still here.")
    await slack.directory.remove(slack.way, acme.id)
    await record.until("SELECT count(*) = 1 FROM installations")
    await record.until(
        "SELECT count(*) = 1 FROM workspaces WHERE left_at IS NOT NULL AND workspace = 'T0ACME'"
    )
    await acme.say(slack.way, "U0ANN", PLACE, "<@U0BOT> anybody there?")
    later = await bird.say(slack.way, "U0ANN", PLACE, "<@U0BOT> and here?")
    await slack.until(lambda: bird.answers(PLACE, later))
    await install(slack, address, acme)
    assert await record.rows("SELECT workspace FROM workspaces WHERE left_at IS NOT NULL") == []
    back = await acme.say(slack.way, "U0ANN", PLACE, "<@U0BOT> and now?")
    await slack.until(lambda: acme.answers(PLACE, back))


async def test_an_open_answer_waits_for_its_token_and_ends_with_the_installation(
    slack: SlackDouble,
    model: ModelDouble,
    address: str,
    record: Record,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker, "_PLATFORM_PAUSE", 0.2)
    acme = slack.directory.add("T0ACME", "Acme")
    await install(slack, address, acme)
    acme.gone = "token_revoked"
    model.answer("Never seen.")
    await acme.say(slack.way, "U0ANN", PLACE, "<@U0BOT> hello?")
    await record.until("SELECT count(*) = 1 FROM turns WHERE state = 'waiting' AND attempts = 0")
    await slack.until(lambda: len(slack.called("auth.test")) > 2)  # once in installing, then at each try
    await slack.directory.remove(slack.way, acme.id)
    await record.until("SELECT count(*) = 0 FROM installations")
    assert await record.turns(30) == [("failed", 1)]
    ((kind, reason),) = await record.rows("SELECT kind, reason FROM troubles")
    assert kind == "NotInstalled"
    assert "/slack/install" in reason
