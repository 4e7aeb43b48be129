"""A name is never worth a message."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.adapters.slack.names import Names
from bot.adapters.slack.reading import Me, Wanted
from bot.adapters.slack.web import Web
from tests.doubles.slack import SlackDouble

ME = Me("U0BOT", "B0BOT", "T0001", "frontdesk")


@pytest.fixture
async def names(slack: SlackDouble) -> AsyncIterator[Names]:
    web = Web(slack.bot_token, slack.api_url)
    yield Names(web)
    await web.close()


async def test_people_and_channels_are_looked_up_once(slack: SlackDouble, names: Names) -> None:
    for _ in range(2):
        known = await names.look_up(Wanted(("U0ANN", "B0DEPLOY"), ("C0GENERAL",)), ME)
    ann = known.people["U0ANN"]
    assert (ann.name, ann.time_zone, ann.locale) == ("Ann", "Europe/Berlin", "en-GB")
    assert known.people["B0DEPLOY"].name == "Bot B0DEPLOY"
    assert known.people["U0BOT"].name == "frontdesk"
    assert known.places == {"C0GENERAL": "general"}
    assert len(slack.called("users.info")) == len(slack.called("conversations.info")) == 1
    assert slack.called("users.info")[0]["include_locale"] == "1"


async def test_who_is_not_found_is_left_out_and_not_asked_for_again(slack: SlackDouble, names: Names) -> None:
    for _ in range(2):
        known = await names.look_up(Wanted(("U0GONE",), ("C0GONE",)), ME)
        assert set(known.people) == {"U0BOT"}
        assert known.places == {}
    assert len(slack.called("users.info")) == len(slack.called("conversations.info")) == 1


async def test_a_slow_answer_is_not_waited_for_long(slack: SlackDouble) -> None:
    held = asyncio.Event()
    slack.fail("users.info", hold=held)
    web = Web(slack.bot_token, slack.api_url)
    names = Names(web, patience=0.1)
    known = await names.look_up(Wanted(("U0ANN",)), ME)
    assert "U0ANN" not in known.people
    held.set()
    await web.close()
