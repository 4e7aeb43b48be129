"""Buttons, windows, the command and the message menu do what people expect, and tell them alone."""

from __future__ import annotations

from typing import Any

import pytest

from bot.adapters.slack import SlackAdapter
from bot.adapters.slack.enclosed import write_along
from bot.adapters.slack.interactions import _carried
from bot.dialogue import Accepted, ChannelKind, Message, Piece, Reply, Wish
from bot.errors import StoreDown
from tests.adapters.slack.talk import DIRECT, GENERAL, asked, listening
from tests.doubles.slack import SlackDouble
from tests.doubles.slack_state import Post
from tests.fakes import FakeDoor, FakeReceipts, pieces_of


async def answered(slack: SlackDouble, adapter: SlackAdapter, channel: str = GENERAL) -> Post:
    """An answer with its buttons."""
    question = await asked(slack, channel)
    await adapter.send(question, pieces_of(Piece(0, "an answer", True, True)), FakeReceipts())
    return slack.answers(channel, question.channel.root)[0]


async def window_about(slack: SlackDouble, text: str, **more: Any) -> None:
    """Bea writes something, and Ann opens the window for a question about it."""
    ts = await slack.say("U0BEA", GENERAL, text, **more)
    await slack.pick("U0ANN", GENERAL, ts)
    await slack.until(lambda: slack.space.windows)


@pytest.mark.parametrize(
    ("label", "wish", "value"),
    [
        ("[en:button-again]", Wish.AGAIN, ""),
        ("[en:button-why]", Wish.WHY, ""),
        ("👍", Wish.VOTE, "up"),
    ],
)
async def test_a_button_names_its_answer_by_the_post_it_stands_under(
    slack: SlackDouble, adapter: SlackAdapter, label: str, wish: Wish, value: str
) -> None:
    door = FakeDoor()
    async with listening(slack, adapter, door):
        post = await answered(slack, adapter)
        delivery = await slack.press("U0BEA", post, label)
        await slack.until(lambda: slack.whispers("U0BEA") and delivery.acked)
    (request,) = door.requests
    assert (request.wish, request.value, request.message_id) == (wish, value, post.ts)
    assert (request.person.name, request.person.locale, request.moderator) == ("Bea", "zh-CN", False)
    assert (request.channel.id, request.channel.root, request.channel.kind) == (
        GENERAL,
        post.thread,
        ChannelKind.THREAD,
    )
    (whisper,) = slack.space.whispers
    assert (whisper.thread, whisper.text) == (post.thread, f"[{wish}]")


async def test_a_press_that_is_delivered_twice_is_one(slack: SlackDouble, adapter: SlackAdapter) -> None:
    door = FakeDoor()
    async with listening(slack, adapter, door):
        post = await answered(slack, adapter)
        delivery = await slack.press("U0ADA", post, "[en:button-again]")
        await slack.sockets.repeat(delivery)
        await slack.until(lambda: slack.whispers("U0ADA"))
    assert [request.moderator for request in door.requests] == [True]


async def test_a_press_that_another_process_met_before_is_told_by_its_moment(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    before, after = FakeDoor(), FakeDoor()
    async with listening(slack, adapter, before):
        post = await answered(slack, adapter)
        delivery = await slack.press("U0ANN", post, "[en:button-again]")
        await slack.until(lambda: slack.whispers("U0ANN"))
    async with listening(slack, adapter, after):
        await slack.sockets.repeat(delivery)
        await slack.until(lambda: len(slack.whispers("U0ANN")) == 2)
    (first,), (second,) = before.requests, after.requests
    assert first.asked_at is not None
    assert first == second


async def test_in_a_direct_message_a_press_is_about_its_place(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    door = FakeDoor()
    async with listening(slack, adapter, door):
        post = await answered(slack, adapter, DIRECT)
        await slack.press("U0ANN", post, "[en:button-why]", DIRECT)
        await slack.until(lambda: len(slack.answers(DIRECT)) == 2)
    assert door.requests[0].channel.root == ""
    assert slack.answers(DIRECT)[1].text == "[why]"


async def test_a_reply_without_words_says_nothing(slack: SlackDouble, adapter: SlackAdapter) -> None:
    door = FakeDoor()
    door.replies[Wish.AGAIN] = Reply("")
    async with listening(slack, adapter, door):
        post = await answered(slack, adapter)
        await slack.press("U0ANN", post, "[en:button-again]")
        await slack.until(lambda: door.requests)
    assert slack.space.whispers == []


async def test_a_thumb_down_asks_for_a_reason_and_counts_without_one(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    door = FakeDoor()
    door.replies[Wish.VOTE] = Reply("Thank you.")
    async with listening(slack, adapter, door):
        post = await answered(slack, adapter)
        await slack.press("U0ANN", post, "👎")
        await slack.until(lambda: slack.space.windows and len(door.requests) == 1)
        await slack.submit("U0ANN", " It is wrong. ")
        await slack.until(lambda: slack.whispers("U0ANN"))
    assert slack.whispers("U0ANN") == ["Thank you."]  # once it was sent
    assert slack.space.windows[0]["title"]["text"] == "[en-GB:slack-vote-title]"
    first, second = door.requests
    assert (first.value, first.reason, first.message_id) == ("down", "", post.ts)
    assert (second.value, second.reason, second.message_id) == ("down", "It is wrong.", post.ts)
    assert second.channel == first.channel


async def test_a_window_sent_empty_changes_nothing(slack: SlackDouble, adapter: SlackAdapter) -> None:
    door = FakeDoor()
    async with listening(slack, adapter, door):
        post = await answered(slack, adapter)
        await slack.press("U0ANN", post, "👎")
        await slack.until(lambda: slack.space.windows and door.requests)
        delivery = await slack.submit("U0ANN")
        await slack.until(lambda: delivery.acked)
    assert len(door.requests) == 1


async def test_while_the_database_is_away_a_press_says_so(slack: SlackDouble, adapter: SlackAdapter) -> None:
    door = FakeDoor()
    door.error = StoreDown("no database")
    async with listening(slack, adapter, door):
        post = await answered(slack, adapter)
        delivery = await slack.press("U0ANN", post, "[en:button-again]")
        await slack.until(lambda: slack.whispers("U0ANN"))
        assert delivery.acked
    assert slack.whispers("U0ANN") == ["[en-GB:slack-away]"]


async def test_a_question_by_command_stands_in_the_channel_and_is_asked(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    door = FakeDoor()
    async with listening(slack, adapter, door):
        delivery = await slack.command("U0ANN", GENERAL, "how is <@U0BEA|bea> &amp; co?\nand why")
        await slack.sockets.repeat(delivery)
        await slack.until(lambda: door.messages)
        await slack.until(lambda: delivery.acked)
    (post,) = slack.answers(GENERAL)
    assert post.text == "[en-GB:slack-asked name=**Ann**]\n\n> how is @Bea & co?\n> and why"
    (message,) = door.messages
    assert (message.id, message.text, message.author.name) == (post.ts, "how is @Bea & co?\nand why", "Ann")
    assert (message.channel.root, message.channel.name, message.mentions_bot) == (post.ts, "general", True)
    assert slack.space.pinged == []


async def test_a_question_by_command_to_the_bot_itself_goes_on_with_the_talk(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    door = FakeDoor()
    async with listening(slack, adapter, door):
        await slack.command("U0ANN", DIRECT, "hello?")
        await slack.until(lambda: door.messages)
    assert (door.messages[0].channel.kind, door.messages[0].channel.root) == (ChannelKind.DIRECT, "")


async def test_a_command_that_comes_again_after_a_restart_is_one_question(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    door = FakeDoor()
    async with listening(slack, adapter, door):
        delivery = await slack.command("U0ANN", GENERAL, "hello?")
        await slack.until(lambda: door.messages)
    async with listening(slack, adapter, door):  # a new process, which knows nothing of it
        await slack.sockets.repeat(delivery)
        await slack.until(lambda: slack.called("conversations.history"))
        await slack.command("U0ANN", GENERAL, "another")
        await slack.until(lambda: len(door.messages) == 2)
    assert len(slack.answers(GENERAL)) == 2


async def test_a_window_that_comes_again_after_a_restart_is_one_question(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    door = FakeDoor()
    async with listening(slack, adapter, door):
        await window_about(slack, "hm")
        delivery = await slack.submit("U0ANN", "what is this?")
        await slack.until(lambda: slack.whispers("U0ANN"))
    async with listening(slack, adapter, door):  # a new process, which knows nothing of it
        await slack.sockets.repeat(delivery)
        await slack.until(lambda: len(slack.whispers("U0ANN")) == 2)
    (post,) = slack.answers(DIRECT)
    assert [message.id for message in door.messages[1:]] == [post.ts]


async def test_a_post_without_a_clear_answer_is_looked_for(slack: SlackDouble, adapter: SlackAdapter) -> None:
    slack.fail("chat.postMessage", lost=True)
    door = FakeDoor()
    async with listening(slack, adapter, door):
        await slack.command("U0ANN", GENERAL, "hello?")
        await slack.until(lambda: door.messages)
    assert [post.ts for post in slack.answers(GENERAL)] == [door.messages[0].id]


@pytest.mark.parametrize("text", ["", "  ", "help", "帮助"])
async def test_a_command_without_a_question_explains_itself(
    slack: SlackDouble, adapter: SlackAdapter, text: str
) -> None:
    async with listening(slack, adapter, FakeDoor()):
        await slack.command("U0ANN", GENERAL, text)
        await slack.until(lambda: slack.whispers("U0ANN"))
    assert slack.whispers("U0ANN") == ["[en-GB:slack-ask-usage]"]
    assert slack.answers(GENERAL) == []


async def test_where_the_bot_is_no_member_the_asker_is_told_the_cure(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    slack.space.members_only.add(GENERAL)
    async with listening(slack, adapter, FakeDoor()):
        await slack.command("U0ANN", GENERAL, "hello?")
        await slack.until(lambda: slack.whispers("U0ANN"))
    (text,) = slack.whispers("U0ANN")
    assert text.startswith("[en-GB:slack-refused-not-in-channel bot=frontdesk")


async def test_a_question_that_is_not_heard_is_taken_away_again(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    class Deaf(FakeDoor):
        async def accept(self, message: Message) -> Accepted:
            return Accepted.IGNORED

    async with listening(slack, adapter, Deaf()):
        await slack.command("U0ANN", GENERAL, "hello?")
        await slack.until(lambda: slack.whispers("U0ANN"))
    assert slack.answers(GENERAL) == []
    assert slack.whispers("U0ANN") == ["[en-GB:slack-not-heard]"]


async def test_about_a_message_one_is_answered_alone(slack: SlackDouble, adapter: SlackAdapter) -> None:
    door = FakeDoor()
    async with listening(slack, adapter, door):
        await window_about(slack, "the printer says *PC LOAD LETTER*")
        delivery = await slack.submit("U0ANN", "what does it want?")
        await slack.sockets.repeat(delivery)
        await slack.until(lambda: slack.whispers("U0ANN"))
    asked_about = door.messages[-1]
    quote = "[en-GB:slack-about-quote name=Bea]\n\n> the printer says **PC LOAD LETTER**"
    assert asked_about.text == f"what does it want?\n\n{quote}"
    (post,) = slack.answers(DIRECT)
    place = asked_about.channel
    assert (asked_about.id, place.id, place.root, place.kind) == (
        post.ts,
        DIRECT,
        post.ts,
        ChannelKind.DIRECT,
    )
    assert "PC LOAD LETTER" in post.text
    assert slack.answers(GENERAL) == []
    assert slack.whispers("U0ANN") == ["[en-GB:slack-about-sent]"]


async def test_about_a_message_its_files_come_along(slack: SlackDouble, adapter: SlackAdapter) -> None:
    door = FakeDoor()
    plan = slack.files.share("the plan.txt", b"Launch on Monday", "text/plain")
    async with listening(slack, adapter, door):
        await window_about(slack, "see the plan", files=(plan,))
        await slack.submit("U0ANN", "when?")
        await slack.until(lambda: slack.whispers("U0ANN"))
        heard = door.messages[-1]
        (file,) = heard.files
        assert (file.name, file.media_type, file.size) == ("the plan.txt", "text/plain", 16)
        assert await adapter.fetch(heard.channel, file, 1_000) == b"Launch on Monday"


async def test_about_a_message_no_question_need_be_written(slack: SlackDouble, adapter: SlackAdapter) -> None:
    door = FakeDoor()
    async with listening(slack, adapter, door):
        await window_about(slack, "hm")
        await slack.submit("U0ANN")
        await slack.until(lambda: len(door.messages) == 2)
    assert door.messages[-1].text.startswith("[en-GB:slack-about-default]")


async def test_a_long_message_is_read_whole(slack: SlackDouble, adapter: SlackAdapter) -> None:
    door = FakeDoor()
    text = " ".join(f'"word{number}"\n' for number in range(600))
    async with listening(slack, adapter, door):
        root = await slack.say("U0BEA", GENERAL, "see below")
        await window_about(slack, text, thread=root)
        await slack.submit("U0ANN", "sum it up")
        await slack.until(lambda: len(door.messages) == 3)
    assert "word599" in door.messages[-1].text
    assert len(slack.answers(DIRECT)[0].text) < 3_900


@pytest.mark.parametrize("text", ["x" * 40_000, "中" * 5_000, '"' * 5_000, "\n\x01" * 3_000, "short"])
def test_what_a_window_carries_along_fits(text: str) -> None:
    import json

    files = write_along({"files": [{"id": f"F{n:010}", "name": '"' * 200 + ".pdf"} for n in range(12)]})
    about = {"channel": "C1", "ts": "1.0", "thread": "", "user": "U1", "name": "", "files": files}
    carried = _carried(about, text)
    assert len(json.dumps(carried, ensure_ascii=False)) <= 3_000
    assert ("cut" in carried) == (text != "short")


async def test_a_window_that_cannot_be_opened_costs_no_vote(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    slack.fail("views.open", error="expired_trigger_id")
    door = FakeDoor()
    async with listening(slack, adapter, door):
        post = await answered(slack, adapter)
        await slack.press("U0ANN", post, "👎")
        await slack.until(lambda: door.requests)
    assert (door.requests[0].wish, door.requests[0].value) == (Wish.VOTE, "down")


@pytest.mark.parametrize(
    "payload",
    [
        {"type": "block_actions"},
        {"type": "block_actions", "actions": [7, {"action_id": "frontdesk_why"}], "user": "x"},
        {
            "type": "view_submission",
            "view": {"type": "modal", "callback_id": "somebody_elses", "id": "V9"},
            "user": {"id": "U0ANN"},
        },
        {"type": "view_closed"},
        {},
    ],
)
async def test_odd_interactions_are_acknowledged(
    slack: SlackDouble, adapter: SlackAdapter, payload: dict[str, object]
) -> None:
    async with listening(slack, adapter, FakeDoor()):
        delivery = await slack.sockets.send("interactive", payload)
        await slack.until(lambda: delivery.acked)
