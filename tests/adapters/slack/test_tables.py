"""Tables arrive as Slack's own, whether the answer came at once or grew as a stream."""

from __future__ import annotations

from bot.adapters.slack import SlackAdapter
from bot.dialogue import Piece
from tests.adapters.slack.talk import GENERAL, Talk, asked, sending
from tests.doubles.slack import SlackDouble
from tests.fakes import FakeReceipts, pieces_of

TEXT = "Prices:\n\n| Plan | Price |\n|---|--:|\n| Free | 0 |\n| Team | 12 |\n\nThat is all."


def kinds(slack: SlackDouble, root: str) -> list[str]:
    (post,) = slack.answers(GENERAL, root)
    return [block["type"] for block in post.blocks if block["type"] in ("markdown", "table")]


async def test_an_answer_whole_at_once_holds_a_table(slack: SlackDouble, adapter: SlackAdapter) -> None:
    question = await asked(slack)
    await adapter.send(question, pieces_of(Piece(0, TEXT, done=True)), FakeReceipts())
    assert kinds(slack, question.id) == ["markdown", "table", "markdown"]


async def test_a_stream_with_a_table_is_shown_with_it_once_it_is_over(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    question, talk, receipts = await asked(slack), Talk(), FakeReceipts()
    async with sending(adapter, question, talk, receipts):
        talk.say(TEXT[:40])
        await slack.until(lambda: slack.called("chat.startStream"))
        talk.say(TEXT, done=True)
        talk.end()
    assert kinds(slack, question.id) == ["markdown", "table", "markdown"]
    assert len(slack.called("chat.update")) == 1
    assert receipts.texts == {0: TEXT}


async def test_a_stream_that_stands_well_costs_no_update(slack: SlackDouble, adapter: SlackAdapter) -> None:
    question, talk = await asked(slack), Talk()
    async with sending(adapter, question, talk, FakeReceipts()):
        talk.say("Some **bold** words")
        await slack.until(lambda: slack.called("chat.startStream"))
        talk.say("Some **bold** words, and\n\n- a list\n- of two.", done=True)
        talk.end()
    assert slack.called("chat.update") == []


async def test_where_slack_refuses_the_table_the_text_stands(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    question = await asked(slack)
    slack.fail("chat.postMessage", error="invalid_blocks")
    await adapter.send(question, pieces_of(Piece(0, TEXT, done=True)), FakeReceipts())
    (post,) = slack.answers(GENERAL, question.id)
    assert "Team |    12" in post.text
