"""Walks on Slack with the buttons under an answer, and with words of command."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.app.running import Standing
from tests.doubles.model import QUOTA, Gate, ModelDouble, Script
from tests.doubles.slack import SlackDouble
from tests.doubles.slack_blocks import controls
from tests.doubles.slack_state import Post
from tests.walks.conftest import Opener, Record
from tests.walks.test_slack import PLACE, said

WHOLE = ["Try again", "Why this answer?", "👍", "👎"]


def under(post: Post) -> list[str]:
    return [name for name, _ in controls(post.blocks)]


def whole(slack: SlackDouble, ts: str, channel: str = PLACE) -> Callable[[], list[Post]]:
    """Say when the finished answer stands, with its buttons."""
    return lambda: [post for post in slack.answers(channel, ts) if under(post) == WHOLE]


async def answered(slack: SlackDouble, model: ModelDouble, record: Record, text: str = "Forty-two.") -> Post:
    """Ann's question, answered in a channel, and that on record."""
    model.answer(text)
    ts = await slack.say("U0ANN", PLACE, "<@U0BOT> what is the answer?")
    await slack.until(whole(slack, ts))
    await record.turns()
    return whole(slack, ts)()[0]


async def test_stop_ends_a_growing_answer_where_it_stands(
    slack: SlackDouble, model: ModelDouble, slack_house: Standing, record: Record
) -> None:
    gate = Gate()
    model.script(Script("A long story that goes on and on for ever", gate=gate, hold_after=6))
    await slack.say("U0ANN", "D0ANN", "tell me a story")
    await slack.until(lambda: [post for post in slack.answers("D0ANN") if under(post) == ["Stop"]])
    (post,) = slack.answers("D0ANN")
    await slack.press("U0ANN", post, "Stop", "D0ANN")
    await slack.until(lambda: under(post) == WHOLE)
    assert await record.turns() == [("stopped", 1)]
    assert post.text.startswith("A long story")
    assert not post.text.endswith("for ever")
    gate.release()


async def test_slacks_own_button_ends_a_stream(
    slack: SlackDouble, model: ModelDouble, slack_house: Standing, record: Record
) -> None:
    gate = Gate()
    model.script(Script("A long story that goes on and on for ever", gate=gate, hold_after=6))
    ts = await slack.say("U0ANN", PLACE, "<@U0BOT> tell me a story")
    await slack.until(lambda: [post for post in slack.answers(PLACE, ts) if post.streaming])
    await slack.stop("U0ANN", PLACE, ts)
    await slack.until(whole(slack, ts))
    assert await record.turns() == [("stopped", 1)]
    assert not any(slack.space.statuses.values())
    gate.release()


async def test_a_word_of_command_stops_it_too(
    slack: SlackDouble, model: ModelDouble, slack_house: Standing, record: Record
) -> None:
    gate = Gate()
    model.script(Script("A long story that goes on and on for ever", gate=gate, hold_after=6))
    ts = await slack.say("U0ANN", PLACE, "<@U0BOT> tell me a story")
    await slack.until(lambda: slack.answers(PLACE, ts))
    await slack.say("U0BEA", PLACE, "<@U0BOT> 停止", thread=ts)
    await slack.until(lambda: slack.whispers("U0BEA"))
    assert "只有" in slack.whispers("U0BEA")[0]  # she neither asked nor administers
    await slack.say("U0ANN", PLACE, "<@U0BOT> stop!", thread=ts)
    await slack.until(whole(slack, ts))
    assert await record.turns() == [("stopped", 1)]
    assert len(model.requests) == 1
    gate.release()


async def test_try_again_replaces_the_answer_in_place(
    slack: SlackDouble, model: ModelDouble, slack_house: Standing, record: Record
) -> None:
    post = await answered(slack, model, record, "A poor answer.")
    model.answer("A better answer.", "It was better.")
    await slack.press("U0ANN", post, "Try again")
    await slack.until(lambda: post.text == "A better answer." and under(post) == WHOLE)
    assert len(slack.answers(PLACE, post.thread)) == 1
    await slack.say("U0ANN", PLACE, "and was it better?", thread=post.thread)
    await slack.until(lambda: len(whole(slack, post.thread)()) == 2)
    read = [line["content"] for line in model.requests[-1].messages]
    assert "A better answer." in read
    assert "A poor answer." not in str(read)
    assert [state for state, _ in await record.turns()] == ["done", "done"]


async def test_try_again_belongs_to_the_asker_and_to_administrators(
    slack: SlackDouble, model: ModelDouble, slack_house: Standing, record: Record
) -> None:
    post = await answered(slack, model, record)
    await slack.press("U0BEA", post, "Try again")
    await slack.until(lambda: slack.whispers("U0BEA"))
    assert len(model.requests) == 1
    model.answer("Forty-three.")
    await slack.press("U0ADA", post, "Try again")
    await slack.until(lambda: post.text == "Forty-three.")
    assert [whisper.thread for whisper in slack.space.whispers] == [post.thread] * 2


async def test_why_is_told_to_that_person_alone(
    slack: SlackDouble, model: ModelDouble, slack_house: Standing, record: Record
) -> None:
    post = await answered(slack, model, record)
    await slack.press("U0BEA", post, "Why this answer?")
    await slack.say("U0ANN", PLACE, "<@U0BOT> why?", thread=post.thread)
    await slack.until(lambda: slack.whispers("U0ANN") and slack.whispers("U0BEA"))
    assert "double-1" in slack.whispers("U0BEA")[0]
    assert "what is the answer" in slack.whispers("U0ANN")[0]
    assert said(slack, post.thread) == ["Forty-two."]


async def test_votes_are_kept_with_their_reason(
    slack: SlackDouble, model: ModelDouble, slack_house: Standing, record: Record
) -> None:
    post = await answered(slack, model, record)
    await slack.press("U0BEA", post, "👍")
    await slack.until(lambda: slack.whispers("U0BEA"))
    await slack.press("U0ANN", post, "👎")
    await slack.until(lambda: slack.space.windows)
    await slack.submit("U0ANN", "It is not forty-two.")
    await slack.until(lambda: slack.whispers("U0ANN"))
    kept = await record.rows("SELECT person_id, up, reason FROM votes ORDER BY person_id")
    assert kept == [("U0ANN", False, "It is not forty-two."), ("U0BEA", True, "")]


async def test_a_button_works_after_a_restart(
    slack: SlackDouble,
    model: ModelDouble,
    house: Opener,
    slack_environment: dict[str, str],
    record: Record,
) -> None:
    async with house(**slack_environment):
        await slack.until(lambda: slack.sockets.open)
        post = await answered(slack, model, record)
    await slack.until(lambda: not slack.sockets.open)
    async with house(**slack_environment):
        await slack.until(lambda: slack.sockets.open)
        model.answer("Forty-three.")
        await slack.press("U0ANN", post, "Try again")
        await slack.until(lambda: post.text == "Forty-three." and under(post) == WHOLE)


@pytest.mark.parametrize("name", ["<@U0BOT>", "Deskbot,"])  # as the workspace shows it
async def test_quiet_in_a_thread_until_it_is_named(
    slack: SlackDouble, model: ModelDouble, slack_house: Standing, record: Record, name: str
) -> None:
    slack.space.add_person("U0BOT", "Deskbot", "", "")
    post = await answered(slack, model, record)
    await slack.say("U0ANN", PLACE, "<@U0BOT> quiet", thread=post.thread)
    await slack.until(lambda: slack.whispers("U0ANN"))
    await slack.say("U0ANN", PLACE, "what about forty-three?", thread=post.thread)
    model.answer("Named, I speak.")
    await slack.say("U0ANN", PLACE, f"{name} and forty-four?", thread=post.thread)
    await slack.until(lambda: len(whole(slack, post.thread)()) == 2)
    assert said(slack, post.thread) == ["Forty-two.", "Named, I speak."]


async def test_new_in_a_direct_message_forgets_what_was_said(
    slack: SlackDouble, model: ModelDouble, slack_house: Standing
) -> None:
    model.answer("Hello Ann.", "I do not know.")
    await slack.say("U0ANN", "D0ANN", "my cat is called Tom")
    await slack.until(whole(slack, "", "D0ANN"))
    await slack.say("U0ANN", "D0ANN", "new conversation")
    await slack.until(lambda: len(slack.answers("D0ANN")) == 2)
    await slack.say("U0ANN", "D0ANN", "what is my cat called?")
    await slack.until(lambda: len(whole(slack, "", "D0ANN")()) == 2)
    assert "Tom" not in str(model.requests[-1].messages)


async def test_after_a_failure_one_can_try_again(
    slack: SlackDouble, model: ModelDouble, slack_house: Standing, record: Record
) -> None:
    model.script(QUOTA)
    ts = await slack.say("U0ANN", PLACE, "<@U0BOT> are you well?")
    await slack.until(whole(slack, ts))
    (post,) = whole(slack, ts)()
    assert await record.turns() == [("failed", 1)]
    model.answer("Well again.")
    await slack.press("U0ANN", post, "Try again")
    await slack.until(lambda: post.text == "Well again." and under(post) == WHOLE)
    assert [state for state, _ in await record.turns()] == ["done"]
