"""The status shows that the bot is at work, and never stays."""

from __future__ import annotations

import pytest

from bot.adapters.slack import SlackAdapter
from tests.adapters.slack.talk import DIRECT, GENERAL, Talk, asked, sending
from tests.doubles.slack import SlackDouble
from tests.fakes import FakeReceipts


async def test_it_stands_until_the_first_text(slack: SlackDouble, adapter: SlackAdapter) -> None:
    question, talk = await asked(slack), Talk()
    place = (GENERAL, question.id)
    async with sending(adapter, question, talk, FakeReceipts()):
        await slack.until(lambda: slack.space.statuses.get(place) == "[en:thinking]")
        talk.say("Hello", done=True)
        talk.end()
    assert slack.space.statuses[place] == ""


async def test_it_is_cleared_after_a_failure(slack: SlackDouble, adapter: SlackAdapter) -> None:
    question, talk = await asked(slack), Talk()
    talk.end(RuntimeError("the worker failed"))
    with pytest.raises(RuntimeError):
        await adapter.send(question, talk.pieces(), FakeReceipts())
    assert slack.space.statuses[GENERAL, question.id] == ""


async def test_an_answer_does_not_need_it(slack: SlackDouble, adapter: SlackAdapter) -> None:
    slack.fail("assistant.threads.setStatus", times=2, error="missing_scope")
    question, talk = await asked(slack), Talk()
    async with sending(adapter, question, talk, FakeReceipts()):
        talk.say("Hello", done=True)
        talk.end()
    assert [post.text for post in slack.answers(GENERAL, question.id)] == ["Hello"]


async def test_a_direct_message_without_a_thread_has_none(slack: SlackDouble, adapter: SlackAdapter) -> None:
    question, talk = await asked(slack, DIRECT), Talk()
    async with sending(adapter, question, talk, FakeReceipts()):
        talk.say("Hello", done=True)
        talk.end()
    assert slack.called("assistant.threads.setStatus") == []
