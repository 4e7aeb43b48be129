"""Two houses on one database: a frozen one that thaws, and two that work side by side."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from tests.doubles.discord import DiscordDouble
from tests.doubles.model import ModelDouble
from tests.doubles.slack import SlackDouble
from tests.walks.conftest import Record
from tests.walks.doors import opened
from tests.walks.mortal import Death, Mortal
from tests.walks.test_slack import PLACE, said

QUESTIONS = 15
PATIENCE = 40.0

MakeHouse = Callable[..., Mortal]


@asynccontextmanager
async def street(environment: dict[str, str]) -> AsyncIterator[MakeHouse]:
    """Make houses in processes of their own, which are ended with the block."""
    houses: list[Mortal] = []

    def made(more: dict[str, str]) -> Mortal:
        houses.append(Mortal(environment | more))
        return houses[-1]

    try:
        yield made
    finally:
        await asyncio.gather(*(house.kill() for house in houses))


def answer_of(body: dict[str, object]) -> str:
    """Answer with the question, so that nothing can be mixed unseen."""
    messages = body["messages"]
    assert isinstance(messages, list)
    return "The whole answer to: " + str(messages[-1]["content"])


# After a piece was recorded, after it was posted, within the commit that ends the turn.
FROZEN = [
    ("slack-stream", Death("commit", 3, True, True)),
    ("slack-stream", Death("call", 2, True, True)),
    ("discord", Death("call", 2, True, True)),
    ("discord", Death("commit", 5, False, True)),
]


@pytest.mark.parametrize(("name", "step"), FROZEN, ids=str)
async def test_what_a_thawed_house_does_changes_nothing(
    name: str, step: Death, model: ModelDouble, record: Record, environment: dict[str, str]
) -> None:
    model.reply = answer_of
    async with opened(name, record) as door, street(environment) as house_of:
        frozen, other = house_of(door.environment()), house_of(door.environment())
        door.watched(frozen.watch)
        await frozen.start(step)
        await door.ask(frozen)
        async with asyncio.timeout(PATIENCE):
            await frozen.frozen.wait()
        await other.start()
        assert [state for state, _ in await record.turns_of(1, PATIENCE)] == ["done"]
        stands = await door.shown()
        assert len(stands) == 1
        frozen.thaw()
        await other.kill()
        # It is of use again, and by then it is done with what it held.
        await door.ask(frozen)
        assert [state for state, _ in await record.turns_of(2, PATIENCE)] == ["done", "done"]
        assert await door.shown() == stands
        assert not door.unfinished()
        assert await record.rows("SELECT count(*) FROM messages WHERE said") == [(2,)]


async def test_two_houses_answer_every_question_once(
    slack: SlackDouble,
    discord: DiscordDouble,
    slack_environment: dict[str, str],
    discord_environment: dict[str, str],
    model: ModelDouble,
    record: Record,
    environment: dict[str, str],
) -> None:
    async with street(environment) as house_of:
        model.reply = answer_of
        discord.rest.shards = 2
        houses = [house_of(slack_environment | discord_environment) for _ in range(2)]
        await asyncio.gather(*(house.start() for house in houses))
        await slack.until(lambda: len(slack.sockets.open) == 2)
        await discord.until(lambda: len(discord.gateway.connected) == 2)
        ann = discord.person("Ann")
        threads, places = {}, {}
        for number in range(QUESTIONS):
            threads[await slack.say("U0ANN", PLACE, f"<@U0BOT> slack {number}")] = f"slack {number}"
            place = discord.channel(f"place-{number}")
            places[f"discord {number}"] = place
            await discord.say(ann, place, f"{discord.bot.mention} discord {number}")
        for delivery in list(slack.sockets.deliveries):
            await slack.sockets.repeat(delivery)
        turns = await record.turns_of(2 * QUESTIONS, PATIENCE)
        assert [state for state, _ in turns] == ["done"] * 2 * QUESTIONS
        for ts, question in threads.items():
            assert said(slack, ts) == [f"The whole answer to: {question}"]
        for question, place in places.items():
            assert discord.answers(place) == [f"The whole answer to: {question}"]
        assert not list(slack.space.streams())
        assert not any(slack.space.statuses.values())
