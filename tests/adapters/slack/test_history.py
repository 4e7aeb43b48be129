"""A thread is read page by page, with names, before a late mention is answered."""

from __future__ import annotations

from bot.adapters.slack import SlackAdapter
from bot.dialogue import Author, Channel, ChannelKind, Message, Platform
from bot.ports import History
from tests.adapters.slack.talk import DIRECT, GENERAL, asked
from tests.doubles.slack import SlackDouble
from tests.doubles.slack_state import BOT_ID, BOT_USER, Post


def as_question(message: Message, ts: str, root: str) -> Message:
    place = Channel(Platform.SLACK, "T0001", message.channel.id, root, ChannelKind.THREAD)
    return Message(ts, place, Author("U0ANN", "Ann"), "and now?", message.sent_at)


async def test_a_long_thread_is_read_in_small_pages(slack: SlackDouble, adapter: SlackAdapter) -> None:
    assert isinstance(adapter, History)
    slack.web.page = 15
    root = await asked(slack, text="the beginning")
    for number in range(40):
        await slack.say("U0BEA", GENERAL, f"reply {number} to <@U0ANN>", root.id)
    question = as_question(root, await slack.say("U0ANN", GENERAL, "and now?", root.id), root.id)
    await slack.say("U0BEA", GENERAL, "later", root.id)
    read = await adapter.history(question)
    assert [message.text for message in read] == ["the beginning", *(f"reply {n} to @Ann" for n in range(40))]
    assert [read[0].author.name, read[1].author.name] == ["Ann", "Bea"]
    assert len(slack.called("conversations.replies")) == 3
    assert not any(message.mentions_bot for message in read)
    assert all(message.channel == question.channel for message in read)


async def test_our_posts_are_said_and_other_bots_are_authors(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    root = await asked(slack)
    posts = [
        Post(slack.space.stamp(), BOT_USER, "our answer", root.id, bot_id=BOT_ID),
        Post(slack.space.stamp(), "", "deployed", root.id, bot_id="B0DEPLOY", subtype="bot_message"),
        Post(slack.space.stamp(), "U0BEA", "<@U0BEA> joined", root.id, subtype="channel_join"),
    ]
    for post in posts:
        slack.space.put(GENERAL, post)
    question = as_question(root, await slack.say("U0ANN", GENERAL, "and now?", root.id), root.id)
    read = await adapter.history(question)
    assert [(m.text, m.said, m.author.name) for m in read[1:]] == [
        ("our answer", True, "Frontdesk"),
        ("deployed", False, "Bot B0DEPLOY"),
    ]


async def test_a_rate_limit_is_waited_out(slack: SlackDouble, adapter: SlackAdapter) -> None:
    root = await asked(slack)
    question = as_question(root, await slack.say("U0ANN", GENERAL, "and now?", root.id), root.id)
    slack.fail("conversations.replies", error="ratelimited", retry_after=0)
    assert [message.text for message in await adapter.history(question)] == ["a question"]


async def test_a_direct_message_is_read_too(slack: SlackDouble, adapter: SlackAdapter) -> None:
    await slack.say("U0ANN", DIRECT, "first")
    await slack.say("U0ANN", DIRECT, "second")
    question = await asked(slack, DIRECT)
    assert [message.text for message in await adapter.history(question)] == ["first", "second"]
