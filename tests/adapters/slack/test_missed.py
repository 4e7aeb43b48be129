"""What was written while nobody listened is read from the history, within Slack's limits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.adapters.slack.budgets import Budget
from bot.adapters.slack.missed import Missed, Spot, Window
from bot.adapters.slack.web import Web
from bot.errors import TokenRefused
from tests.adapters.slack.talk import DIRECT, GENERAL
from tests.doubles.slack import SlackDouble

SPOT = Spot(GENERAL, "channel")


@pytest.fixture
async def missed(slack: SlackDouble) -> AsyncIterator[Missed]:
    web = Web(slack.bot_token, slack.api_url)
    yield Missed(web, Budget(60_000, 100))
    await web.close()


def since(ts: str, back: str = "") -> Window:
    return Window(float(ts), float(back or ts))


async def texts(missed: Missed, window: Window, spot: Spot = SPOT) -> list[str]:
    return [event["text"] for event in await missed.written(spot, window)]


async def test_what_is_newer_comes_as_events_oldest_first(slack: SlackDouble, missed: Missed) -> None:
    before = await slack.say("U0ANN", GENERAL, "known")
    await slack.say("U0ANN", GENERAL, "first")
    await slack.say("U0BEA", GENERAL, "second")
    first, second = await missed.written(SPOT, since(before))
    assert (first["text"], second["text"]) == ("first", "second")
    assert (first["type"], first["channel"], first["channel_type"]) == ("message", GENERAL, "channel")


async def test_many_messages_are_read_page_by_page(slack: SlackDouble, missed: Missed) -> None:
    before = await slack.say("U0ANN", GENERAL, "known")
    for number in range(7):
        await slack.say("U0ANN", GENERAL, str(number))
    slack.web.page = 3
    assert await texts(missed, since("1")) == ["known", *"0123456"]
    assert await texts(missed, since(before)) == list("0123456")


async def test_new_replies_are_found_in_threads_that_began_before(slack: SlackDouble, missed: Missed) -> None:
    old = await slack.say("U0ANN", GENERAL, "an old thread")
    quiet = await slack.say("U0ANN", GENERAL, "a quiet thread")
    heard = await slack.say("U0BEA", GENERAL, "heard", thread=quiet)
    await slack.say("U0BEA", GENERAL, "a reply", thread=old)
    await slack.say("U0BEA", GENERAL, "a question")
    assert await texts(missed, since(heard, back="1")) == ["a reply", "a question"]
    assert [call["ts"] for call in slack.called("conversations.replies")] == [old]


async def test_threads_of_the_record_are_asked_for_where_their_beginning_is_out_of_reach(
    slack: SlackDouble, missed: Missed
) -> None:
    old = await slack.say("U0ANN", GENERAL, "an old thread")
    heard = await slack.say("U0BEA", GENERAL, "heard", thread=old)
    await slack.say("U0BEA", GENERAL, "a reply", thread=old)
    assert await texts(missed, since(heard)) == []
    spot = Spot(GENERAL, "channel", (old, "123.4"))  # one that was deleted is no error
    assert await texts(missed, since(heard), spot) == ["a reply"]


async def test_an_edit_of_a_known_message_counts_as_new(slack: SlackDouble, missed: Missed) -> None:
    known = await slack.say("U0ANN", GENERAL, "knwon")
    heard = await slack.say("U0ANN", GENERAL, "heard")
    await slack.rewrite(GENERAL, known, "known")
    assert await texts(missed, since(heard, back="1")) == ["known"]


async def test_an_app_with_few_messages_a_call_reads_no_further_back_than_the_gap(
    slack: SlackDouble, missed: Missed
) -> None:
    for number in range(40):
        heard = await slack.say("U0ANN", GENERAL, f"old {number}")
    await slack.say("U0ANN", GENERAL, "new")
    slack.web.page = 15
    assert await texts(missed, since(heard, back="1")) == ["new"]
    assert len(slack.called("conversations.history")) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"error": "ratelimited", "retry_after": 0},
        {"status": 500},
        {"error": "internal_error"},
        {"dropped": True},
        {"lost": True},
    ],
)
async def test_a_fault_of_slack_is_waited_out(
    slack: SlackDouble, missed: Missed, fault: dict[str, Any]
) -> None:
    await slack.say("U0ANN", GENERAL, "still there")
    slack.fail("conversations.history", **fault)
    assert await texts(missed, since("1")) == ["still there"]
    assert len(slack.called("conversations.history")) == 2


async def test_after_a_rate_limit_nothing_is_asked_for_as_long_as_slack_says(slack: SlackDouble) -> None:
    web, budget = Web(slack.bot_token, slack.api_url), Budget(60_000, 100)
    slack.fail("conversations.history", error="ratelimited", retry_after=60)
    asking = asyncio.create_task(Missed(web, budget).written(SPOT, since("1")))
    await slack.until(lambda: budget.left() <= 0)
    assert len(slack.called("conversations.history")) == 1
    asking.cancel()
    await asyncio.wait({asking})
    await web.close()


@pytest.mark.parametrize("error", ["channel_not_found", "not_in_channel", "missing_scope"])
async def test_a_channel_that_may_not_be_read_is_left(slack: SlackDouble, missed: Missed, error: str) -> None:
    slack.fail("conversations.history", error=error)
    with capture_logs() as logs:
        assert await missed.written(SPOT, since("1")) == []
    assert [line["channel"] for line in logs if line["event"] == "slack_gap_unreadable"] == [GENERAL]


async def test_an_expired_token_is_said(slack: SlackDouble, missed: Missed) -> None:
    slack.fail("conversations.history", error="token_expired")
    with pytest.raises(TokenRefused):
        await missed.written(SPOT, since("1"))


async def test_the_channels_are_those_the_bot_is_in(slack: SlackDouble, missed: Missed) -> None:
    slack.space.add_place("G0TEAM", "team", "group")
    slack.space.add_place("C0OTHER", "other")
    slack.space.members_only.add("C0OTHER")
    slack.web.page = 1
    assert {(spot.id, spot.kind) for spot in await missed.spots()} == {
        (GENERAL, "channel"),
        ("G0TEAM", "group"),
        (DIRECT, "im"),
    }


async def test_a_missing_scope_leaves_out_only_the_channels_it_is_for(
    slack: SlackDouble, missed: Missed
) -> None:
    slack.fail("users.conversations", error="missing_scope", needed="channels:read")
    assert [spot.id for spot in await missed.spots()] == [DIRECT]


async def test_whether_a_message_still_stands(slack: SlackDouble, missed: Missed) -> None:
    root = await slack.say("U0ANN", GENERAL, "a question")
    reply = await slack.say("U0ANN", GENERAL, "another", thread=root)
    gone = await slack.say("U0ANN", GENERAL, "regretted", thread=root)
    await slack.delete(GENERAL, gone)
    assert await missed.stands(GENERAL, root, root)
    assert await missed.stands(GENERAL, root, reply)
    assert not await missed.stands(GENERAL, root, gone)
    direct = await slack.say("U0ANN", DIRECT, "regretted")
    assert await missed.stands(DIRECT, "", direct)
    await slack.delete(DIRECT, direct)
    assert not await missed.stands(DIRECT, "", direct)
    slack.fail("conversations.history", error="not_in_channel")
    assert await missed.stands(DIRECT, "", direct)  # it cannot be told
