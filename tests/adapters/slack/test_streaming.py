"""A stream only takes what continues it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.adapters.slack.budgets import Budgets
from bot.adapters.slack.messages import Messages
from bot.adapters.slack.reading import Me
from bot.adapters.slack.streaming import Stream
from bot.adapters.slack.web import Refused, Web
from bot.dialogue import Message, Piece
from tests.adapters.slack.talk import GENERAL, asked
from tests.doubles.slack import SlackDouble
from tests.fakes import FakeReceipts

ME = Me("U0BOT", "B0BOT", "T0001", "frontdesk")


@pytest.fixture
async def web(slack: SlackDouble) -> AsyncIterator[Web]:
    made = Web(slack.bot_token, slack.api_url)
    yield made
    await made.close()


async def opened(slack: SlackDouble, web: Web, text: str) -> tuple[Stream, Message]:
    question = await asked(slack)
    messages = Messages(web, Budgets(), question, ME, FakeReceipts())
    return await Stream.open(web, messages, question, Piece(0, text)), question


async def test_only_what_is_new_is_appended(slack: SlackDouble, web: Web) -> None:
    stream, question = await opened(slack, web, "one")
    await stream.grow(Piece(0, "one"))
    await stream.grow(Piece(0, "one two"))
    await stream.stop(Piece(0, "one two three"))
    assert [post.text for post in slack.answers(GENERAL, question.id)] == ["one two three"]
    assert [call["markdown_text"] for call in slack.called("chat.appendStream")] == [" two"]
    assert slack.called("chat.stopStream")[0]["markdown_text"] == " three"


async def test_a_mention_that_is_being_begun_is_held_back(slack: SlackDouble, web: Web) -> None:
    stream, question = await opened(slack, web, "see <!ch")
    (post,) = slack.answers(GENERAL, question.id)
    assert post.text == "see "
    await stream.grow(Piece(0, "see <!channel> x <"))
    assert post.text == "see <\u2060!channel> x "
    assert stream.follows("see <!channel> x <@U1>")
    await stream.stop(Piece(0, "see <!channel> x < y"))
    assert post.text == "see <\u2060!channel> x < y"
    assert slack.space.pinged == []


async def test_another_text_does_not_follow(slack: SlackDouble, web: Web) -> None:
    stream, _ = await opened(slack, web, "one")
    assert stream.follows("one two")
    assert not stream.follows("on")
    assert not stream.follows("another")


async def test_a_stream_that_slack_closed_says_so(slack: SlackDouble, web: Web) -> None:
    stream, _ = await opened(slack, web, "one")
    slack.space.close_streams()
    with pytest.raises(Refused, match="message_not_in_streaming_state"):
        await stream.grow(Piece(0, "one two"))
