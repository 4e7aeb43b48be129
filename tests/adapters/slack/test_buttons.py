"""Buttons stand under the right posts at the right time, and tell what they wish."""

from __future__ import annotations

from typing import Any

import pytest

from bot.adapters.slack import SlackAdapter
from bot.adapters.slack.buttons import buttons, language_choice, pressed, simple
from bot.dialogue import Piece, Wish
from tests.adapters.slack.talk import DIRECT, GENERAL, Talk, asked, sending
from tests.doubles.slack import SlackDouble
from tests.doubles.slack_blocks import check_blocks, controls
from tests.doubles.slack_state import Post
from tests.fakes import FakeReceipts, FakeWords, pieces_of

WHOLE = ["[en:button-again]", "[en:button-why]", "👍", "👎"]


def under(post: Post) -> list[str]:
    return [name for name, _ in controls(post.blocks)]


async def test_under_an_answer_whole_at_once_stand_its_buttons_in_the_same_call(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    question = await asked(slack)
    await adapter.send(question, pieces_of(Piece(0, "**Hello**", True, True)), FakeReceipts())
    (post,) = slack.answers(GENERAL, question.id)
    assert (post.text, under(post)) == ("**Hello**", WHOLE)
    assert post.told()["text"] == "*Hello*"
    assert len([call for call in slack.calls if call.method.startswith("chat.")]) == 1


async def test_a_stream_ends_with_the_buttons(slack: SlackDouble, adapter: SlackAdapter) -> None:
    question, talk = await asked(slack), Talk()
    async with sending(adapter, question, talk, FakeReceipts()):
        talk.say("Hello")
        await slack.until(lambda: slack.answers(GENERAL, question.id))
        assert under(slack.answers(GENERAL, question.id)[0]) == []
        talk.say("Hello, Ann.", done=True, last=True)
        talk.end()
    (post,) = slack.answers(GENERAL, question.id)
    assert (post.text, post.was_streamed, under(post)) == ("Hello, Ann.", True, WHOLE)
    assert slack.called("chat.update") == []


async def test_while_a_message_is_edited_it_can_be_stopped(slack: SlackDouble, adapter: SlackAdapter) -> None:
    question, talk = await asked(slack, DIRECT), Talk()
    async with sending(adapter, question, talk, FakeReceipts()):
        for text in ("one", "one two"):
            talk.say(text)
            await slack.until(lambda text=text: [p.text for p in slack.answers(DIRECT)] == [text])  # type: ignore[misc]
            assert under(slack.answers(DIRECT)[0]) == ["[en:button-stop]"]
        talk.say("one two three", done=True, last=True)
        talk.end()
    (post,) = slack.answers(DIRECT)
    assert (post.text, under(post)) == ("one two three", WHOLE)


async def test_only_the_last_of_several_posts_has_buttons(slack: SlackDouble, adapter: SlackAdapter) -> None:
    question, talk = await asked(slack, DIRECT), Talk()
    async with sending(adapter, question, talk, FakeReceipts()):
        talk.say("one")
        await slack.until(lambda: slack.answers(DIRECT))
        talk.say("one", done=True)  # nothing new to show, and yet it can no longer be stopped here
        talk.say("two", 1, done=True, last=True)
        talk.end()
    assert [under(post) for post in slack.answers(DIRECT)] == [[], WHOLE]


async def test_an_answer_that_is_made_again_can_be_stopped_meanwhile(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    question, talk, receipts = await asked(slack), Talk(), FakeReceipts()
    await adapter.send(question, pieces_of(Piece(0, "old", True, True)), receipts)
    async with sending(adapter, question, talk, receipts):
        talk.say("new")
        await slack.until(lambda: [post.text for post in slack.answers(GENERAL, question.id)] == ["new"])
        assert under(slack.answers(GENERAL, question.id)[0]) == ["[en:button-stop]"]
        talk.say("new one", done=True, last=True)
        talk.end()
    (post,) = slack.answers(GENERAL, question.id)
    assert (post.text, under(post)) == ("new one", WHOLE)


async def test_where_the_newer_blocks_are_refused_plain_buttons_do(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    slack.fail("chat.postMessage", error="invalid_blocks")
    question = await asked(slack)
    await adapter.send(question, pieces_of(Piece(0, "**Hello** & bye", True, True)), FakeReceipts())
    (post,) = slack.answers(GENERAL, question.id)
    assert (post.text, post.form, under(post)) == ("*Hello* &amp; bye", "mrkdwn", WHOLE)


async def test_buttons_speak_the_language_of_the_question(slack: SlackDouble, adapter: SlackAdapter) -> None:
    question = await asked(slack, text="你好吗")
    await adapter.send(question, pieces_of(Piece(0, "很好", True, True)), FakeReceipts())
    assert under(slack.answers(GENERAL, question.id)[0])[0] == "[zh:button-again]"


def test_every_button_tells_its_wish() -> None:
    made = buttons(FakeWords(), "en")
    check_blocks(made.whole)
    check_blocks(made.growing)
    check_blocks(simple(made.whole))
    found = [pressed(action) for _, action in controls([*made.growing, *made.whole])]
    votes = [(Wish.VOTE, "up"), (Wish.VOTE, "down")]
    assert found == [(Wish.STOP, ""), (Wish.AGAIN, ""), (Wish.WHY, ""), *votes]
    assert [pressed(action) for _, action in controls(simple(made.whole))] == found[1:]


def test_a_choice_of_language_tells_its_tag() -> None:
    block = language_choice({"": "as I write", "zh-TW": "繁體中文"}, "Language", "zh-TW")
    check_blocks([block])
    assert block["accessory"]["initial_option"]["text"]["text"] == "繁體中文"
    assert [pressed(action) for _, action in controls([block])] == [
        (Wish.LANGUAGE, ""),
        (Wish.LANGUAGE, "zh-TW"),
    ]


@pytest.mark.parametrize(
    "action",
    [
        {},
        {"action_id": "somebody_elses"},
        {"action_id": ["x"]},
        {"action_id": "frontdesk_vote", "value": "sideways"},
        {"action_id": "frontdesk_vote", "selected_option": "x"},
    ],
)
def test_what_is_not_ours_is_no_wish(action: dict[str, Any]) -> None:
    assert pressed(action) is None
