"""Walks on Slack: from what a person writes to what a person reads."""

from __future__ import annotations

import asyncio

from bot.app.running import Standing
from tests.doubles.model import Gate, ModelDouble, Script
from tests.doubles.slack import SlackDouble
from tests.walks.conftest import Record

PLACE = "C0GENERAL"


def said(slack: SlackDouble, ts: str, channel: str = PLACE) -> list[str]:
    """What the bot's finished posts in a thread say."""
    return [post.text for post in slack.answers(channel, ts) if not post.streaming]


async def test_a_mention_is_answered_in_its_thread(
    slack: SlackDouble, model: ModelDouble, slack_house: Standing, record: Record
) -> None:
    model.answer("Paris, as far as I know.")
    ts = await slack.say("U0ANN", PLACE, "<@U0BOT> what is the capital of France?")
    await slack.until(lambda: said(slack, ts))
    assert said(slack, ts) == ["Paris, as far as I know."]
    assert "capital of France" in (await model.asked()).question
    system = model.requests[0].messages[0]["content"]
    assert "Ann" in system
    assert "Europe/Berlin" in system
    assert "general" in system
    assert (await record.turns()) == [("done", 1)]


async def test_a_follow_up_needs_no_mention_and_remembers(
    slack: SlackDouble, model: ModelDouble, slack_house: Standing
) -> None:
    model.answer("Hello Ann.", "You said: my cat is called Tom.")
    ts = await slack.say("U0ANN", PLACE, "<@U0BOT> my cat is called Tom")
    await slack.until(lambda: len(said(slack, ts)) == 1)
    await slack.say("U0ANN", PLACE, "what did I say?", thread=ts)
    await slack.until(lambda: len(said(slack, ts)) == 2)
    roles = [(line["role"], line["content"]) for line in model.requests[1].messages[1:]]
    assert roles == [
        ("user", "my cat is called Tom"),
        ("assistant", "Hello Ann."),
        ("user", "what did I say?"),
    ]


async def test_a_direct_message_is_answered_where_it_stands(
    slack: SlackDouble, model: ModelDouble, slack_house: Standing
) -> None:
    model.answer("Yes, I am here.")
    await slack.say("U0ANN", "D0ANN", "are you there?")
    await slack.until(lambda: [p for p in slack.answers("D0ANN") if not p.streaming])
    assert [post.text for post in slack.answers("D0ANN")] == ["Yes, I am here."]


async def test_in_the_middle_of_a_thread_it_reads_the_thread_first(
    slack: SlackDouble, model: ModelDouble, slack_house: Standing
) -> None:
    ts = await slack.say("U0ANN", PLACE, "the printer on floor 3 is broken")
    await slack.say("U0BEA", PLACE, "it says PC LOAD LETTER", thread=ts)
    model.answer("Put paper in.")
    await slack.say("U0ANN", PLACE, "<@U0BOT> any idea?", thread=ts)
    await slack.until(lambda: said(slack, ts))
    asked = model.requests[0].question
    assert asked.index("Ann: the printer") < asked.index("Bea: it says PC") < asked.index("Ann: any idea?")
    assert "Ann, Bea" in model.requests[0].messages[0]["content"]


async def test_a_message_delivered_twice_is_answered_once(
    slack: SlackDouble, model: ModelDouble, slack_house: Standing, record: Record
) -> None:
    gate = Gate()
    model.script(Script("Once.", gate=gate))
    ts = await slack.say("U0ANN", PLACE, "<@U0BOT> hello?")
    await gate.reached()
    await slack.sockets.redeliver()
    gate.release()
    await slack.until(lambda: said(slack, ts))
    assert said(slack, ts) == ["Once."]
    assert len(model.requests) == 1
    assert (await record.turns()) == [("done", 1)]


async def test_a_long_answer_arrives_whole_in_several_posts(
    slack: SlackDouble, model: ModelDouble, slack_house: Standing
) -> None:
    paragraphs = [f"Paragraph {number}: " + "word " * 60 for number in range(60)]
    model.answer("\n\n".join(paragraphs))
    ts = await slack.say("U0ANN", PLACE, "<@U0BOT> tell me everything")
    await slack.until(lambda: f"Paragraph {59}:" in "".join(said(slack, ts)), seconds=40)
    whole = "\n".join(said(slack, ts))
    assert [whole.count(f"Paragraph {number}:") for number in range(60)] == [1] * 60
    assert len(said(slack, ts)) > 1


async def test_a_second_thought_before_the_first_text_is_part_of_the_question(
    slack: SlackDouble, model: ModelDouble, slack_house: Standing, record: Record
) -> None:
    gate = Gate()
    model.script(Script("Never seen.", gate=gate), Script("Both are answered."))
    ts = await slack.say("U0ANN", PLACE, "<@U0BOT> how is the weather")
    await gate.reached()
    await slack.say("U0ANN", PLACE, "in Berlin, I mean", thread=ts)
    await slack.until(lambda: said(slack, ts))
    gate.release()
    assert said(slack, ts) == ["Both are answered."]
    assert "weather" in model.requests[-1].question
    assert "Berlin" in model.requests[-1].question
    assert len(await record.turns()) == 1


async def test_another_person_gets_an_answer_of_their_own_in_order(
    slack: SlackDouble, model: ModelDouble, slack_house: Standing
) -> None:
    gate = Gate()
    model.script(Script("For Ann.", gate=gate), Script("For Bea."))
    ts = await slack.say("U0ANN", PLACE, "<@U0BOT> first question")
    await gate.reached()
    await slack.say("U0BEA", PLACE, "<@U0BOT> second question", thread=ts)
    gate.release()
    await slack.until(lambda: len(said(slack, ts)) == 2)
    assert said(slack, ts) == ["For Ann.", "For Bea."]
    assert "Bea: second question" in model.requests[1].question
    assert "second question" not in model.requests[0].question


async def test_conversations_run_side_by_side(
    slack: SlackDouble, model: ModelDouble, slack_house: Standing
) -> None:
    gates = [Gate() for _ in range(10)]
    model.script(*(Script(f"Answer {number}.", gate=gate) for number, gate in enumerate(gates)))
    threads = [await slack.say("U0ANN", PLACE, f"<@U0BOT> question {number}") for number in range(10)]
    await asyncio.gather(*(gate.reached() for gate in gates))
    for gate in gates:
        gate.release()
    await slack.until(lambda: all(said(slack, ts) for ts in threads))
    assert sorted(text for ts in threads for text in said(slack, ts)) == [f"Answer {n}." for n in range(10)]


async def test_nothing_that_does_not_name_the_bot_is_kept(
    slack: SlackDouble, model: ModelDouble, slack_house: Standing, record: Record
) -> None:
    await slack.say("U0ANN", PLACE, "lunch, anybody?")
    model.answer("Yes.")
    ts = await slack.say("U0ANN", PLACE, "<@U0BOT> still there?")
    await slack.until(lambda: said(slack, ts))
    await record.turns()
    texts = await record.rows("SELECT text FROM messages ORDER BY id")
    assert texts == [("still there?",), ("Yes.",)]
