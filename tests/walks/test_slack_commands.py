"""Walks on Slack with what is no message: the command, the message menu, the home tab, deletions, leaving."""

from __future__ import annotations

from bot.app.running import Standing
from tests.documents.made import a_pdf
from tests.doubles.model import Gate, ModelDouble, Script
from tests.doubles.slack import SlackDouble
from tests.doubles.slack_blocks import text_of
from tests.doubles.slack_state import Post
from tests.walks.conftest import Record
from tests.walks.test_slack import PLACE, said
from tests.walks.test_slack_buttons import answered, whole


async def test_a_question_by_command_is_answered_beneath_it(
    slack: SlackDouble, model: ModelDouble, slack_house: Standing, record: Record
) -> None:
    model.answer("Paris.", "It has two million people.")
    delivery = await slack.command("U0ANN", PLACE, "what is the capital of France?")
    await slack.sockets.repeat(delivery)
    await slack.until(lambda: slack.answers(PLACE))
    (question,) = slack.answers(PLACE)
    assert question.text == "**Ann** asks:\n\n> what is the capital of France?"
    await slack.until(whole(slack, question.ts))
    assert said(slack, question.ts)[1:] == ["Paris."]
    await slack.say("U0BEA", PLACE, "<@U0BOT> how large is it?", thread=question.ts)
    await slack.until(lambda: len(whole(slack, question.ts)()) == 2)
    assert "what is the capital of France?" in str(model.requests[-1].messages)
    assert [state for state, _ in await record.turns()] == ["done", "done"]


async def test_a_command_alone_explains_itself_in_ones_language(
    slack: SlackDouble, model: ModelDouble, slack_house: Standing
) -> None:
    await slack.command("U0BEA", PLACE, "")
    await slack.until(lambda: slack.whispers("U0BEA"))
    assert "/ask 怎么" in slack.whispers("U0BEA")[0]


async def test_where_the_bot_is_no_member_the_cure_is_told(
    slack: SlackDouble, model: ModelDouble, slack_house: Standing
) -> None:
    slack.space.members_only.add(PLACE)
    await slack.command("U0ANN", PLACE, "are you there?")
    await slack.until(lambda: slack.whispers("U0ANN"))
    assert "/invite @frontdesk" in slack.whispers("U0ANN")[0]
    assert model.requests == []


async def asked_about(slack: SlackDouble, ts: str, question: str) -> Post:
    """Ann's question about a message, answered to her alone."""
    await slack.pick("U0ANN", PLACE, ts)
    await slack.until(lambda: slack.space.windows)
    await slack.submit("U0ANN", question)
    await slack.until(lambda: slack.answers("D0ANN"))
    (post,) = slack.answers("D0ANN")
    await slack.until(whole(slack, post.ts, "D0ANN"))
    return post


async def test_about_a_message_one_asks_alone(
    slack: SlackDouble, model: ModelDouble, slack_house: Standing
) -> None:
    model.answer("It wants paper.", "Letter size.")
    ts = await slack.say("U0BEA", PLACE, "PC LOAD LETTER, says the printer")
    post = await asked_about(slack, ts, "what does it want?")
    assert [found.text for found in slack.answers("D0ANN", post.ts)][1:] == ["It wants paper."]
    question = model.requests[0].question
    assert question.index("what does it want?") < question.index("PC LOAD LETTER")
    await slack.say("U0ANN", "D0ANN", "which size?", thread=post.ts)
    await slack.until(lambda: len(whole(slack, post.ts, "D0ANN")()) == 2)
    assert slack.answers(PLACE) == []


async def test_about_a_message_its_files_are_read(
    slack: SlackDouble, model: ModelDouble, slack_house: Standing, record: Record
) -> None:
    model.answer("On Monday.")
    plan = slack.files.share("plan.pdf", a_pdf("Launch on Monday"), "application/pdf")
    ts = await slack.say("U0BEA", PLACE, "the plan is done", files=(plan,))
    await asked_about(slack, ts, "when do we launch?")
    assert "[file: plan.pdf (pages: 1)]\n```\n[page 1]\nLaunch on Monday" in model.requests[0].question
    await record.turns()
    assert await record.rows("SELECT manifest -> 'files' FROM turns") == [(["plan.pdf (pages: 1)"],)]


async def test_the_home_tab_lists_what_one_asked_and_speaks_the_chosen_language(
    slack: SlackDouble, model: ModelDouble, slack_house: Standing, record: Record
) -> None:
    post = await answered(slack, model, record)
    await slack.open_home("U0ANN")
    await slack.until(lambda: "U0ANN" in slack.space.homes)
    shown = text_of(slack.space.homes["U0ANN"]["blocks"])
    assert f"/archives/{PLACE}/p{post.thread.replace('.', '')}|what is the answer?>" in shown
    await slack.choose("U0ANN", "简体中文")
    await slack.until(lambda: "我能做什么" in str(slack.space.homes["U0ANN"]))
    model.answer("你好。")
    ts = await slack.say("U0ANN", PLACE, "<@U0BOT> hello?")
    await slack.until(lambda: said(slack, ts) == ["你好。"])
    assert "重新回答" in str(slack.answers(PLACE, ts)[0].blocks)


async def test_first_questions_are_suggested_in_direct_messages(
    slack: SlackDouble, model: ModelDouble, slack_house: Standing
) -> None:
    await slack.open_home("U0BEA", "messages")
    await slack.until(lambda: slack.space.suggested)
    prompts = slack.space.suggested["D0ANN"]["prompts"]
    assert prompts[0]["message"] == "你能帮我做些什么？"


async def test_a_deleted_question_takes_its_answer_along(
    slack: SlackDouble, model: ModelDouble, slack_house: Standing, record: Record
) -> None:
    gate = Gate()
    model.script(Script("A long story that goes on and on for ever", gate=gate, hold_after=6))
    ts = await slack.say("U0ANN", PLACE, "<@U0BOT> tell me the secret")
    await slack.until(lambda: slack.answers(PLACE, ts))
    await slack.delete(PLACE, ts)
    await slack.until(lambda: not slack.answers(PLACE, ts))
    assert await record.turns() == [("withdrawn", 1)]
    assert not any(slack.space.statuses.values())
    gate.release()


async def test_a_question_by_command_that_is_deleted_takes_its_answer_along(
    slack: SlackDouble, model: ModelDouble, slack_house: Standing, record: Record
) -> None:
    model.answer("Paris.")
    await slack.command("U0ANN", PLACE, "what is the capital of France?")
    await slack.until(lambda: slack.answers(PLACE))
    (question,) = slack.answers(PLACE)
    await slack.until(whole(slack, question.ts))
    await record.turns()
    await slack.delete(PLACE, question.ts)
    await slack.until(lambda: not slack.answers(PLACE, question.ts))


async def test_an_edited_question_is_answered_anew_in_place(
    slack: SlackDouble, model: ModelDouble, slack_house: Standing, record: Record
) -> None:
    gate = Gate()
    model.script(
        Script("The capital of Sweden is Stockholm, of course", gate=gate, hold_after=6),
        Script("The capital of Norway is Oslo."),
    )
    ts = await slack.say("U0ANN", PLACE, "<@U0BOT> the capital of Sweden?")
    await slack.until(lambda: slack.answers(PLACE, ts))
    (post,) = slack.answers(PLACE, ts)
    await slack.rewrite(PLACE, ts, "<@U0BOT> the capital of Norway?")
    await slack.until(whole(slack, ts))
    gate.release()
    assert slack.answers(PLACE, ts) == [post]
    assert post.text == "The capital of Norway is Oslo."
    assert "Sweden" not in str(model.requests[-1].messages)


async def test_a_removed_bot_is_noted(
    slack: SlackDouble, model: ModelDouble, slack_house: Standing, record: Record
) -> None:
    await answered(slack, model, record)
    await slack.sockets.deliver({"type": "app_uninstalled"})
    await record.until("SELECT count(*) = 1 FROM workspaces WHERE platform = 'slack' AND left_at IS NOT NULL")


async def test_what_cannot_be_posted_is_told_the_asker_alone_with_its_cure(
    slack: SlackDouble, model: ModelDouble, slack_house: Standing, record: Record
) -> None:
    gate = Gate()
    model.script(Script("Never seen.", gate=gate))
    await slack.say("U0BEA", PLACE, "<@U0BOT> 你在吗？")
    await gate.reached()
    slack.space.place(PLACE).archived = True
    gate.release()
    await slack.until(lambda: "D0BEA" in slack.space.places and slack.answers("D0BEA"))
    (told,) = slack.answers("D0BEA")
    assert "归档" in told.text
    assert [state for state, _ in await record.turns()] == ["failed"]
    assert await record.rows("SELECT platform, place FROM troubles") == [("slack", PLACE)]
