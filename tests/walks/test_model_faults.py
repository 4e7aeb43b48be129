"""Walks where the model fails: never silence, never a traceback, never a part without a word."""

from __future__ import annotations

import pytest

from bot.app.running import Standing
from tests.doubles.discord import DiscordDouble
from tests.doubles.model import DOWN, FILTERED, QUOTA, SILENT, Gate, ModelDouble, Script, fault
from tests.doubles.slack import SlackDouble
from tests.walks.conftest import Opener, Record
from tests.walks.test_slack import PLACE, said

TIMES = {"BOT_MODEL__FIRST_TOKEN_SECONDS": "0.3", "BOT_MODEL__NEXT_TOKEN_SECONDS": "0.3"}


@pytest.mark.parametrize(
    ("script", "word"),
    [
        (QUOTA, "quota"),
        (FILTERED, "filter"),
        (fault(401, "invalid_api_key", "Incorrect API key"), "key"),
        (SILENT, "time"),
        (DOWN, "model"),
    ],
    ids=["over quota", "refusing", "wrong key", "silent for ever", "down"],
)
async def test_a_model_that_fails_gets_one_honest_word(
    script: Script,
    word: str,
    slack: SlackDouble,
    model: ModelDouble,
    house: Opener,
    slack_environment: dict[str, str],
    record: Record,
) -> None:
    model.script(*[script] * 40)
    async with house(**slack_environment, **TIMES):
        await slack.until(lambda: slack.sockets.open)
        ts = await slack.say("U0ANN", PLACE, "<@U0BOT> are you well?")
        await slack.until(lambda: said(slack, ts), seconds=40)
        assert [state for state, _ in await record.turns()] == ["failed"]
    (text,) = said(slack, ts)
    assert 20 < len(text) < 300
    assert "Traceback" not in text
    assert "Error" not in text


async def test_an_answer_cut_twice_stands_marked_as_unfinished(
    slack: SlackDouble, model: ModelDouble, slack_house: Standing, record: Record
) -> None:
    cut = Script(["The answer begins here, ", "goes on ", "and "], cut_after=3)
    model.script(cut, cut)
    ts = await slack.say("U0ANN", PLACE, "<@U0BOT> tell me")
    assert [state for state, _ in await record.turns_of(1)] == ["failed"]
    await slack.until(lambda: said(slack, ts))
    (text,) = said(slack, ts)
    assert text.startswith("The answer begins here, goes on and")
    assert "broke off" in text
    kept = await record.rows("SELECT text FROM messages WHERE said")
    assert kept == [("The answer begins here, goes on and ",)]


async def test_an_answer_cut_once_is_made_whole_in_its_place(
    slack: SlackDouble, model: ModelDouble, slack_house: Standing, record: Record
) -> None:
    model.script(
        Script(["The first try begins well, ", "but "], cut_after=2),
        Script("The second try is whole."),
    )
    ts = await slack.say("U0ANN", PLACE, "<@U0BOT> tell me")
    assert [state for state, _ in await record.turns_of(1)] == ["done"]
    await slack.until(lambda: said(slack, ts))
    assert said(slack, ts) == ["The second try is whole."]


async def test_a_server_that_counts_more_gets_a_shorter_context(
    slack: SlackDouble, model: ModelDouble, slack_house: Standing
) -> None:
    too_long = fault(400, "context_length_exceeded", "This model's maximum context length is 8192 tokens.")
    model.script(too_long, Script("Short enough."))
    ts = await slack.say("U0ANN", PLACE, "<@U0BOT> " + "long words " * 3000)
    await slack.until(lambda: said(slack, ts))
    assert said(slack, ts) == ["Short enough."]
    first, second = (len(str(request.body["messages"])) for request in model.requests)
    assert second < first


async def test_the_next_model_answers_where_the_first_is_down(
    discord: DiscordDouble, house: Opener, discord_environment: dict[str, str], record: Record
) -> None:
    async with ModelDouble(models=["spare"]) as spare:
        spare.answer("From the spare one.")
        fallback = f'[{{"base_url": "{spare.url}", "api_key": "sk-spare", "name": "spare"}}]'
        gone = {"BOT_MODEL__BASE_URL": "http://127.0.0.1:9/v1", "BOT_MODEL__FALLBACKS": fallback}
        async with house(**discord_environment, **gone):
            await discord.connected()
            ann, place = discord.person("Ann"), discord.channel("general")
            await discord.say(ann, place, f"{discord.bot.mention} hello?")
            await discord.until(lambda: discord.answers(place) == ["From the spare one."], seconds=30)
            await record.turns()
    assert await record.rows("SELECT model FROM turns") == [("spare",)]


async def test_a_forgotten_key_cannot_ruin_anybody(
    slack: SlackDouble, model: ModelDouble, house: Opener, slack_environment: dict[str, str], record: Record
) -> None:
    async with house(**slack_environment, BOT_MODEL__DAILY_TOKENS="10"):
        await slack.until(lambda: slack.sockets.open)
        model.answer("The first is free.")
        ts = await slack.say("U0ANN", PLACE, "<@U0BOT> one")
        await slack.until(lambda: said(slack, ts))
        await record.turns()
        again = await slack.say("U0ANN", PLACE, "<@U0BOT> two")
        await slack.until(lambda: said(slack, again))
        assert "allowance" in said(slack, again)[0]
        assert len(model.requests) == 1


async def test_a_lost_client_leaves_no_request_running(
    slack: SlackDouble, model: ModelDouble, slack_house: Standing
) -> None:
    gate = Gate()
    model.script(Script("Never seen.", gate=gate), Script("Seen."))
    ts = await slack.say("U0ANN", PLACE, "<@U0BOT> one")
    await gate.reached()
    await slack.say("U0ANN", PLACE, "two", thread=ts)
    await slack.until(lambda: said(slack, ts))
    await model.requests[0].gone()
    assert not model.requests[0].whole
