"""Walks where one house only hears and another only answers: the answerer has no gateway and no socket."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import pytest

from bot.app.roles import Role
from tests.doubles.discord import DiscordDouble
from tests.doubles.model import Gate, ModelDouble, Script
from tests.doubles.slack import SlackDouble
from tests.walks.conftest import Opener, Record
from tests.walks.test_discord_buttons import buttons
from tests.walks.test_slack import PLACE, said
from tests.walks.test_slack_buttons import under, whole

STOP_SECONDS = 3.0  # a second is promised (0.2 on two busy cores); a loaded machine may take longer


@pytest.fixture
async def discord_apart(
    house: Opener, discord: DiscordDouble, discord_environment: dict[str, str]
) -> AsyncIterator[None]:
    """Open a gateway and a worker for Discord."""
    async with AsyncExitStack() as stack:
        for role in (Role.GATEWAY, Role.WORKER):
            await stack.enter_async_context(house(roles={role}, **discord_environment))
        await discord.connected()
        yield


@pytest.fixture
async def slack_apart(
    house: Opener, slack: SlackDouble, slack_environment: dict[str, str]
) -> AsyncIterator[None]:
    """Open a gateway and a worker for Slack."""
    async with AsyncExitStack() as stack:
        for role in (Role.GATEWAY, Role.WORKER):
            await stack.enter_async_context(house(roles={role}, **slack_environment))
        await slack.until(lambda: slack.sockets.open)
        yield


@pytest.mark.usefixtures("discord_apart")
async def test_a_discord_worker_answers_in_every_kind_of_place(
    discord: DiscordDouble, model: ModelDouble, record: Record
) -> None:
    ann, bot = discord.person("Ann"), discord.bot.mention
    model.reply = lambda body: f"Answer to {body['messages'][-1]['content'].splitlines()[-1]}"
    place, direct, forum = await discord.opened("general"), discord.direct(ann), discord.forum("ideas")
    asked = await discord.say(ann, place, f"{bot} one")
    await discord.until(lambda: len(discord.answers(place)) == 1)
    assert discord.messages(place)[-1].reply_to == asked
    await discord.say(ann, place, "two", reply_to=discord.messages(place)[-1].id)
    await discord.until(lambda: len(discord.answers(place)) == 2)
    await discord.say(ann, direct, "three")
    await discord.until(lambda: discord.answers(direct) == ["Answer to three"])
    post = await discord.publish(ann, forum, "A new chair", f"{bot} four")
    await discord.until(lambda: len(discord.answers(post)) == 1)
    ann.permissions = 1 << 5
    typed = await discord.command(ann, place, "settings", answers="thread")
    await discord.until(lambda: bool(typed.told))
    begun = await discord.say(ann, place, f"{bot} five")
    await discord.until(lambda: begun in discord.state.places)
    await discord.until(lambda: len(discord.answers(discord.state.places[begun])) == 1)
    assert await record.turns() == [("done", 1)] * 5
    assert len(discord.gateway.connected) == 1


@pytest.mark.usefixtures("discord_apart")
async def test_a_discord_worker_reads_a_thread_with_the_names_of_its_server(
    discord: DiscordDouble, model: ModelDouble
) -> None:
    staff, general = discord.role("Staff"), await discord.opened("general")
    ann, bea = discord.person("Ann"), discord.person("Bea")
    thread = await discord.thread(general, "printer")
    await discord.say(bea, thread, f"{staff.mention} said in <#{general.id}> that it is broken")
    model.answer("Put paper in.")
    await discord.say(ann, thread, f"{discord.bot.mention} any idea?")
    await discord.until(lambda: discord.answers(thread) == ["Put paper in."])
    assert "Bea: @Staff said in #general that it is broken" in model.requests[0].question


@pytest.mark.usefixtures("discord_apart")
async def test_what_people_do_at_discords_gateway_reaches_the_answer_in_the_worker(
    discord: DiscordDouble, model: ModelDouble, record: Record
) -> None:
    ann, place = discord.person("Ann"), await discord.opened("general")
    stopped, edited, deleted = Gate(), Gate(), Gate()
    model.script(
        Script(["A long story about a ship that ", "never ends."], gate=stopped, hold_after=1),
        Script(["It rains in Bern, ", "I think."], gate=edited, hold_after=1),
        Script("It is sunny in Rome."),
        Script(["Your code is 1234, ", "is it not?"], gate=deleted, hold_after=1),
    )
    await discord.say(ann, place, f"{discord.bot.mention} tell me a story")
    await discord.until(
        lambda: bool(discord.answers(place)) and "stop" in buttons(discord.messages(place)[-1])
    )
    pressed = time.monotonic()
    await discord.press(ann, discord.messages(place)[-1].id, "stop")
    await record.until("SELECT count(*) = 1 FROM turns WHERE state = 'stopped'")
    assert time.monotonic() - pressed < STOP_SECONDS

    asked = await discord.say(ann, place, f"{discord.bot.mention} how is the weather in Bern?")
    await discord.until(lambda: len(discord.answers(place)) == 2)
    await discord.change(asked, f"{discord.bot.mention} how is the weather in Rome?")
    await discord.until(lambda: discord.answers(place)[1:] == ["It is sunny in Rome."])
    await record.turns()

    asked = await discord.say(ann, place, f"{discord.bot.mention} my code is 1234, say it")
    await discord.until(lambda: len(discord.answers(place)) == 3)
    await discord.remove(asked)
    await discord.until(lambda: len(discord.answers(place)) == 2)
    assert [state for state, _ in await record.turns()] == ["stopped", "done", "withdrawn"]
    for gate in (stopped, edited, deleted):
        gate.release()


async def test_a_worker_withdraws_what_was_deleted_while_no_gateway_stood(
    discord: DiscordDouble,
    model: ModelDouble,
    house: Opener,
    discord_environment: dict[str, str],
    record: Record,
) -> None:
    ann, place = discord.person("Ann"), discord.channel("general")
    model.script(Script("Never seen."))
    earlier = datetime.now(UTC) - timedelta(hours=1)
    async with house(roles={Role.GATEWAY}, **discord_environment):
        await discord.connected()
        asked = await discord.say(ann, place, f"{discord.bot.mention} my code is 1234", at=earlier)
        await record.until("SELECT count(*) = 1 FROM turns")
    await discord.remove(asked)
    async with house(roles={Role.WORKER}, **discord_environment):
        await record.until("SELECT count(*) = 1 FROM turns WHERE state = 'withdrawn'")
    assert discord.answers(place) == []
    assert discord.gateway.identified == 1


@pytest.mark.usefixtures("slack_apart")
async def test_a_slack_worker_answers_and_hears_what_people_do_at_the_socket(
    slack: SlackDouble, model: ModelDouble, record: Record
) -> None:
    root = await slack.say("U0BEA", PLACE, "the printer on floor 3 is broken")
    stopped, edited = Gate(), Gate()
    model.script(
        Script("Put paper in."),
        Script("A long story that goes on and on for ever", gate=stopped, hold_after=6),
        Script("Your code is 1234, is it not?", gate=edited, hold_after=3),
    )
    await slack.say("U0ANN", PLACE, "<@U0BOT> any idea?", thread=root)
    await slack.until(whole(slack, root))
    assert said(slack, root) == ["Put paper in."]
    assert "Bea: the printer" in model.requests[0].question

    await slack.say("U0ANN", "D0ANN", "tell me a story")
    await slack.until(lambda: [post for post in slack.answers("D0ANN") if under(post) == ["Stop"]])
    pressed = time.monotonic()
    await slack.press("U0ANN", slack.answers("D0ANN")[0], "Stop", "D0ANN")
    await record.until("SELECT count(*) = 1 FROM turns WHERE state = 'stopped'")
    assert time.monotonic() - pressed < STOP_SECONDS

    asked = await slack.say("U0ANN", PLACE, "<@U0BOT> my code is 1234, say it")
    await slack.until(lambda: slack.answers(PLACE, asked))
    await slack.delete(PLACE, asked)
    await slack.until(lambda: not slack.answers(PLACE, asked))
    assert [state for state, _ in await record.turns()] == ["done", "stopped", "withdrawn"]
    for gate in (stopped, edited):
        gate.release()
