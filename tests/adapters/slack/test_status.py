"""The status shows that the bot is at work, and never stays."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.adapters.slack import SlackAdapter
from bot.adapters.slack.status import title
from bot.dialogue import Piece, Slot
from tests.adapters.slack.talk import DIRECT, GENERAL, Talk, asked, sending
from tests.doubles.slack import SlackDouble
from tests.fakes import FakeReceipts, pieces_of


def statuses(slack: SlackDouble) -> list[Any]:
    return [call["status"] for call in slack.called("agents.sessions.setStatus")]


async def test_the_thread_is_at_work_until_the_answer_stands(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    question, talk = await asked(slack), Talk()
    place = (GENERAL, question.id)
    async with sending(adapter, question, talk, FakeReceipts()):
        await slack.until(lambda: slack.space.statuses.get(place) == "processing")
        talk.say("Hello", done=True, last=True)
        talk.end()
    assert slack.space.statuses[place] == ""
    assert slack.space.titles[place] == "a question"
    assert statuses(slack) == ["processing", "active"]
    assert slack.called("assistant.threads.setStatus") == []


async def test_the_end_of_a_stream_is_the_end_of_the_work(slack: SlackDouble, adapter: SlackAdapter) -> None:
    question, talk = await asked(slack), Talk()
    async with sending(adapter, question, talk, FakeReceipts()):
        await slack.until(lambda: slack.space.statuses.get((GENERAL, question.id)) == "processing")
        talk.say("Hello")
        await slack.until(lambda: slack.answers(GENERAL, question.id))
        talk.say("Hello.", done=True, last=True)
        talk.end()
    assert slack.space.statuses[GENERAL, question.id] == ""
    assert statuses(slack) == ["processing"]


async def test_without_sessions_a_text_stands_until_the_first_text(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    slack.space.agent = False
    for _ in range(2):  # that there are none is found out once
        question, talk = await asked(slack), Talk()
        place = (GENERAL, question.id)
        async with sending(adapter, question, talk, FakeReceipts()):
            await slack.until(lambda place=place: slack.space.statuses.get(place) == "[en:thinking]")  # type: ignore[misc]
            talk.say("Hello", done=True)
            talk.end()
        assert slack.space.statuses[place] == ""
    assert statuses(slack) == ["processing"]


async def test_when_the_rate_of_sessions_is_spent_a_text_does(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    slack.fail("agents.sessions.setStatus", error="ratelimited", retry_after=30)
    question, talk = await asked(slack), Talk()
    async with sending(adapter, question, talk, FakeReceipts()):
        await slack.until(lambda: slack.space.statuses.get((GENERAL, question.id)) == "[en:thinking]")
        talk.say("Hello", done=True)
        talk.end()
    assert slack.space.statuses[GENERAL, question.id] == ""


async def test_it_is_cleared_after_a_failure(slack: SlackDouble, adapter: SlackAdapter) -> None:
    question, talk = await asked(slack), Talk()
    task = asyncio.create_task(adapter.send(question, talk.pieces(), FakeReceipts()))
    await slack.until(lambda: slack.space.statuses.get((GENERAL, question.id)) == "processing")
    talk.end(RuntimeError("the worker failed"))
    with pytest.raises(RuntimeError):
        await task
    assert slack.space.statuses[GENERAL, question.id] == ""


async def test_an_answer_at_once_needs_no_sign(slack: SlackDouble, adapter: SlackAdapter) -> None:
    question = await asked(slack)
    await adapter.send(question, pieces_of(Piece(0, "Hello", True, True)), FakeReceipts())
    assert statuses(slack) == slack.called("assistant.threads.setStatus") == []


async def test_a_sign_that_an_earlier_try_left_is_cleared_by_an_answer_at_once(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    question = await asked(slack)
    slack.space.statuses[GENERAL, question.id] = "processing"
    receipts = FakeReceipts([Slot(0, "nonce", unsure=True)])
    await adapter.send(question, pieces_of(Piece(0, "Hello", True, True)), receipts)
    assert slack.space.statuses[GENERAL, question.id] == ""


async def test_an_answer_does_not_need_it(slack: SlackDouble, adapter: SlackAdapter) -> None:
    slack.fail("agents.sessions.setStatus", error="internal_error", status=500)
    slack.fail("assistant.threads.setStatus", times=2, error="missing_scope")
    question, talk = await asked(slack), Talk()
    async with sending(adapter, question, talk, FakeReceipts()):
        talk.say("Hello", done=True)
        talk.end()
    assert [post.text for post in slack.answers(GENERAL, question.id)] == ["Hello"]


async def test_a_direct_message_without_a_thread_has_none(slack: SlackDouble, adapter: SlackAdapter) -> None:
    question = await asked(slack, DIRECT)
    await adapter.send(question, pieces_of(Piece(0, "Hello", True, True)), FakeReceipts())
    assert statuses(slack) == slack.called("assistant.threads.setStatus") == []


def test_a_thread_is_named_by_the_first_line_of_its_question() -> None:
    assert title("\n  how do I   reset it?\nmore") == "how do I reset it?"
    assert len(title("word " * 60)) == 80
    assert title(" ") == ""


async def test_an_end_that_has_to_wait_for_the_rate_keeps_no_answer_open(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    question, talk = await asked(slack), Talk()
    async with sending(adapter, question, talk, FakeReceipts()):
        await slack.until(lambda: slack.space.statuses.get((GENERAL, question.id)) == "processing")
        slack.fail("agents.sessions.setStatus", error="ratelimited", retry_after=1)
        talk.say("Hello", done=True, last=True)
        talk.end()
    assert slack.space.statuses[GENERAL, question.id] == "processing"
    await slack.until(lambda: slack.space.statuses[GENERAL, question.id] == "")


async def test_a_session_that_a_dead_try_began_is_ended_where_this_one_had_none(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    question, talk, receipts = await asked(slack), Talk(), FakeReceipts()
    place = (GENERAL, question.id)
    slack.space.statuses[place] = "processing"  # by a process that was killed
    receipts.taken_up_before = True
    slack.fail("agents.sessions.setStatus", error="ratelimited", retry_after=0)
    async with sending(adapter, question, talk, receipts):
        await slack.until(lambda: slack.called("agents.sessions.setStatus"))
        talk.say("Hello", done=True, last=True)
        talk.end()
    await slack.until(lambda: slack.space.statuses[place] == "")


async def test_an_end_that_slack_does_not_take_is_tried_again(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    question, talk = await asked(slack), Talk()
    place = (GENERAL, question.id)
    async with sending(adapter, question, talk, FakeReceipts()):
        await slack.until(lambda: slack.space.statuses.get(place) == "processing")
        slack.fail("agents.sessions.setStatus", dropped=True)
        talk.say("Hello", done=True, last=True)
        talk.end()
    await slack.until(lambda: slack.space.statuses[place] == "")
