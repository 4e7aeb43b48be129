"""Walks with kill -9: afterwards every message has exactly one whole answer, and nothing looks unfinished."""

from __future__ import annotations

from tests.doubles.discord import DiscordDouble
from tests.doubles.model import Gate, ModelDouble, Script
from tests.doubles.slack import SlackDouble
from tests.walks.conftest import Record
from tests.walks.program import Program
from tests.walks.test_slack import PLACE, said

# A dead holder's lease and call time-out are waited out, and its wake-up has to be found stalled.
TAKEOVER = 30.0

HALF = ["The first half is written. ", "Then it dies. "]


async def test_killed_in_mid_answer_on_slack(
    slack: SlackDouble,
    model: ModelDouble,
    program: Program,
    slack_environment: dict[str, str],
    record: Record,
) -> None:
    gate = Gate()
    model.script(Script([*HALF, "never"], gate=gate, hold_after=2), Script("The whole answer, at last."))
    await program.start(**slack_environment)
    await slack.until(lambda: slack.sockets.open)
    ts = await slack.say("U0ANN", PLACE, "<@U0BOT> tell me")
    await gate.reached()
    await slack.until(lambda: slack.answers(PLACE, ts))
    half = [post.ts for post in slack.answers(PLACE, ts)]
    await program.kill()
    await program.start(**slack_environment)
    await slack.until(lambda: said(slack, ts) == ["The whole answer, at last."], seconds=TAKEOVER)
    assert [post.ts for post in slack.answers(PLACE, ts)] == half
    assert await record.turns() == [("done", 2)]
    assert not any(slack.space.statuses.values())


async def test_killed_in_mid_answer_on_discord(
    discord: DiscordDouble,
    model: ModelDouble,
    program: Program,
    discord_environment: dict[str, str],
    record: Record,
) -> None:
    gate = Gate()
    model.script(Script([*HALF, "never"], gate=gate, hold_after=2), Script("The whole answer, at last."))
    await program.start(**discord_environment)
    await discord.connected()
    ann, place = discord.person("Ann"), discord.channel("general")
    await discord.say(ann, place, f"{discord.bot.mention} tell me")
    await gate.reached()
    await discord.until(lambda: bool(discord.answers(place)))
    half = discord.messages(place)[-1].id
    await program.kill()
    await program.start(**discord_environment)
    whole = ["The whole answer, at last."]
    await discord.until(lambda: discord.answers(place) == whole, seconds=TAKEOVER)
    assert discord.messages(place)[-1].id == half
    assert await record.turns() == [("done", 2)]


async def test_killed_before_the_first_text_and_with_more_waiting(
    slack: SlackDouble,
    model: ModelDouble,
    program: Program,
    slack_environment: dict[str, str],
    record: Record,
) -> None:
    gate = Gate()
    model.script(Script("never", gate=gate))
    model.reply = lambda body: "Answer to " + body["messages"][-1]["content"].rsplit("Bea: ", 1)[-1]
    await program.start(**slack_environment)
    await slack.until(lambda: slack.sockets.open)
    ts = await slack.say("U0ANN", PLACE, "<@U0BOT> one")
    await gate.reached()
    await slack.say("U0BEA", PLACE, "<@U0BOT> two", thread=ts)
    other = await slack.say("U0BEA", PLACE, "<@U0BOT> three")
    await slack.until(lambda: said(slack, other) == ["Answer to three"])
    await program.kill()
    await program.start(**slack_environment)
    await slack.until(lambda: said(slack, ts) == ["Answer to one", "Answer to two"], seconds=TAKEOVER)
    assert [state for state, _ in await record.turns()] == ["done"] * 3
    assert said(slack, other) == ["Answer to three"]


async def test_what_slack_got_no_ack_for_comes_again_and_is_answered_once(
    slack: SlackDouble,
    model: ModelDouble,
    program: Program,
    slack_environment: dict[str, str],
    record: Record,
) -> None:
    model.answer("Here I am.")
    ts = await slack.say("U0ANN", PLACE, "<@U0BOT> anybody there?")
    await program.start(**slack_environment)
    await slack.until(lambda: slack.sockets.open)
    await slack.sockets.redeliver()
    await slack.until(lambda: said(slack, ts) == ["Here I am."])
    assert await record.turns() == [("done", 1)]
