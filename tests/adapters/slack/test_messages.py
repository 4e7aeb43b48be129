"""Plain calls: patient with rates, careful with posts, and fenced before each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.adapters.posting import PostGone
from bot.adapters.slack.budgets import Budgets
from bot.adapters.slack.messages import QUESTION_TYPE, TRIES, CannotEdit, Messages
from bot.adapters.slack.reading import Me
from bot.adapters.slack.web import Web
from bot.adapters.slack.whispers import NOTE_TYPE
from bot.errors import LeaseLost, PlatformDown
from tests.adapters.slack.talk import GENERAL, asked
from tests.doubles.slack import SlackDouble
from tests.doubles.slack_state import BOT_ID, BOT_USER, Post
from tests.fakes import FakeReceipts

ME = Me(BOT_USER, BOT_ID, "T0001", "frontdesk")


@pytest.fixture
async def web(slack: SlackDouble) -> AsyncIterator[Web]:
    made = Web(slack.bot_token, slack.api_url)
    yield made
    await made.close()


@pytest.fixture
def receipts() -> FakeReceipts:
    return FakeReceipts()


@pytest.fixture
async def messages(slack: SlackDouble, web: Web, receipts: FakeReceipts) -> Messages:
    return Messages(web, Budgets(), await asked(slack), ME, receipts)


async def test_a_rate_limit_is_waited_out(slack: SlackDouble, messages: Messages) -> None:
    slack.fail("chat.postMessage", error="ratelimited", retry_after=0)
    message_id = await messages.say("Hello", "n1")
    assert message_id in slack.space.place(GENERAL).posts


async def test_each_further_try_of_a_post_is_told(
    slack: SlackDouble, web: Web, receipts: FakeReceipts
) -> None:
    told: list[str] = []
    slack.fail("chat.postMessage", error="ratelimited", retry_after=0, times=2)
    messages = Messages(web, Budgets(), await asked(slack), ME, receipts, lambda: told.append("again"))
    await messages.say("Hello", "n1")
    assert told == ["again"] * 2


async def test_the_lease_is_looked_at_before_each_call(
    slack: SlackDouble, messages: Messages, receipts: FakeReceipts
) -> None:
    slack.fail("chat.postMessage", error="ratelimited", retry_after=0)
    looks = 0

    async def check() -> None:
        nonlocal looks
        looks += 1
        if looks == 2:
            raise LeaseLost("it ran out while we waited")

    receipts.check = check  # type: ignore[method-assign]
    with pytest.raises(LeaseLost):
        await messages.say("Hello", "n1")
    assert len(slack.called("chat.postMessage")) == 1


async def test_an_update_is_repeated_after_no_answer(slack: SlackDouble, messages: Messages) -> None:
    message_id = await messages.say("Hello", "n1")
    slack.fail("chat.update", times=2, lost=True)
    await messages.update(message_id, "Hello there")
    assert slack.space.place(GENERAL).posts[message_id].text == "Hello there"


async def test_a_platform_that_stays_down_is_said(slack: SlackDouble, messages: Messages) -> None:
    message_id = await messages.say("Hello", "n1")
    slack.fail("chat.update", times=TRIES, status=503)
    with pytest.raises(PlatformDown):
        await messages.update(message_id, "Hello there")


async def test_an_open_stream_is_stopped_before_its_update(slack: SlackDouble, messages: Messages) -> None:
    post = Post(slack.space.stamp(), BOT_USER, "half", messages.root, streaming=True, bot_id=BOT_ID)
    slack.space.put(GENERAL, post)
    await messages.update(post.ts, "whole")
    assert (post.text, post.streaming) == ("whole", False)


async def test_what_cannot_be_edited_or_is_gone_has_a_name(slack: SlackDouble, messages: Messages) -> None:
    message_id = await messages.say("Hello", "n1")
    slack.space.edits_refused = True
    with pytest.raises(CannotEdit):
        await messages.update(message_id, "Hello there")
    await messages.delete(message_id)
    await messages.delete(message_id)
    with pytest.raises(PostGone):
        await messages.update(message_id, "Hello there")


async def test_a_message_is_found_by_its_nonce(slack: SlackDouble, messages: Messages) -> None:
    first = await messages.say("one", "n1")
    await messages.say("two", "n2")
    now = datetime.now(UTC)
    assert await messages.find("n1", now) == first
    assert await messages.find("n3", now) is None
    assert await messages.find("n1", now + timedelta(minutes=5)) == first  # our clock may have jumped
    assert await messages.find("n1", now + timedelta(hours=2)) is None


async def test_the_bots_messages_of_other_records_are_let_be(
    slack: SlackDouble, messages: Messages, receipts: FakeReceipts
) -> None:
    streams = [Post(slack.space.stamp(), BOT_USER, "x", messages.root, bot_id=BOT_ID) for _ in range(2)]
    for post in streams:
        slack.space.put(GENERAL, post)
    receipts.foreign.add(streams[0].ts)
    assert await messages.find("n1", datetime.now(UTC)) == streams[1].ts


async def test_many_pages_are_looked_through(slack: SlackDouble, messages: Messages) -> None:
    slack.web.page = 3
    found = await messages.say("one", "n1")
    for number in range(7):
        await slack.say("U0BEA", GENERAL, f"talk {number}", messages.root)
    assert await messages.find("n1", datetime.now(UTC)) == found


async def test_where_posts_cannot_be_read_none_is_found(slack: SlackDouble, messages: Messages) -> None:
    slack.fail("conversations.replies", error="missing_scope")
    assert await messages.find("n1", datetime.now(UTC)) is None


@pytest.mark.parametrize("kind", [QUESTION_TYPE, NOTE_TYPE])
async def test_what_the_bot_posted_beside_answers_is_no_answer(
    slack: SlackDouble, messages: Messages, kind: str
) -> None:
    other = {"event_type": kind, "event_payload": {}}
    post = Post(slack.space.stamp(), BOT_USER, "x", messages.root, metadata=other, bot_id=BOT_ID)
    slack.space.put(GENERAL, post)
    assert await messages.find("n1", datetime.now(UTC)) is None
    assert await messages.find("", datetime.now(UTC)) is None
