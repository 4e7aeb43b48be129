"""Answers stand whole in the thread, whatever Slack does."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.adapters.slack import SlackAdapter
from bot.dialogue import Author, Channel, ChannelKind, Message, Piece, Platform
from tests.doubles.slack import SlackDouble
from tests.fakes import FakeReceipts, pieces_of


async def asked(slack: SlackDouble, channel: str = "C0GENERAL") -> Message:
    ts = await slack.say("U0ANN", channel, "a question")
    direct = channel.startswith("D")
    kind = ChannelKind.DIRECT if direct else ChannelKind.OPEN
    place = Channel(Platform.SLACK, "T0001", channel, "" if direct else ts, kind)
    return Message(ts, place, Author("U0ANN", "Ann"), "a question", datetime.now(UTC))


async def test_a_whole_answer_stands_in_the_thread(slack: SlackDouble, adapter: SlackAdapter) -> None:
    question, receipts = await asked(slack), FakeReceipts()
    await adapter.send(question, pieces_of(Piece(0, "**Hello**", done=True)), receipts)
    (post,) = slack.answers("C0GENERAL", question.id)
    assert post.text == "**Hello**"
    assert receipts.slots[0].message_id == post.ts
