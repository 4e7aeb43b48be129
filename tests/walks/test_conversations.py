"""Walks of a busy day: twenty people in twenty threads, each asking again as soon as they are answered."""

from __future__ import annotations

import asyncio
from typing import Any

from bot.adapters.slack import SlackAdapter
from bot.adapters.slack.budgets import Budget, Budgets
from bot.app.running import Standing
from bot.dialogue import Platform
from tests.doubles.discord import DiscordDouble
from tests.doubles.model import ModelDouble
from tests.doubles.slack import SlackDouble
from tests.walks.conftest import Record

PEOPLE = 20
QUESTIONS = 10
PATIENCE = 60.0

TALKS = """
SELECT c.id, array_agg(asked.text ORDER BY t.id), array_agg(said.text ORDER BY t.id)
FROM turns t JOIN conversations c ON c.id = t.conversation_id
JOIN messages asked ON asked.turn_id = t.id AND NOT asked.said
JOIN messages said ON said.turn_id = t.id AND said.said
GROUP BY c.id
"""


def question(person: int, number: int) -> str:
    return f"question {number} of person-{person}"


def answer(person: int, number: int) -> str:
    return f"{number}/person-{person}"


def answering(body: dict[str, Any]) -> str:
    """Answer in one word, so that no time goes into the growing of posts."""
    _, number, _, person = str(body["messages"][-1]["content"]).split(": ", 1)[-1].split()
    return f"{number}/{person}"


class Generous(Budgets):
    """A workspace whose limits are not what is looked at here."""

    def __init__(self) -> None:
        super().__init__()
        for name in ("starts", "appends", "updates"):
            setattr(self, name, Budget(60_000, 1_000))

    def posts(self, channel: str) -> Budget:
        return Budget(60_000, 1_000)


async def test_on_slack_each_gets_their_ten_answers_in_order(
    slack: SlackDouble, model: ModelDouble, slack_house: Standing, record: Record
) -> None:
    model.reply = answering
    adapter = slack_house.adapters[Platform.SLACK]
    assert isinstance(adapter, SlackAdapter)
    (await adapter.teams.of("T0001")).budgets = Generous()

    async def talk(person: int) -> list[str]:
        user, channel = f"U{person}", f"C{person}"
        slack.space.add_person(user, f"Person {person}", "Europe/Berlin", "en-GB")
        slack.space.add_place(channel, f"talk-{person}")
        thread: str | None = None
        for number in range(QUESTIONS):
            stamp = await slack.say(user, channel, f"<@U0BOT> {question(person, number)}", thread=thread)
            thread = thread or stamp
            await slack.until(lambda: len(finished(channel, thread or "")) > number, PATIENCE)  # noqa: B023
        return finished(channel, thread or "")

    def finished(channel: str, thread: str) -> list[str]:
        return [post.text for post in slack.answers(channel, thread) if not post.streaming]

    said = await asyncio.gather(*map(talk, range(PEOPLE)))
    assert said == [[answer(person, number) for number in range(QUESTIONS)] for person in range(PEOPLE)]
    await none_was_mixed(record)


async def test_on_discord_each_gets_their_ten_answers_in_order(
    discord: DiscordDouble, model: ModelDouble, discord_house: Standing, record: Record
) -> None:
    model.reply = answering
    parent = discord.channel("talk")
    threads = [await discord.thread(parent, f"talk {person}") for person in range(PEOPLE)]

    async def talk(person: int) -> list[str]:
        author, place = discord.person(f"Person {person}"), threads[person]
        for number in range(QUESTIONS):
            await discord.say(author, place, f"{discord.bot.mention} {question(person, number)}")
            wanted = [answer(person, before) for before in range(number + 1)]
            await discord.until(lambda: discord.answers(place) == wanted, PATIENCE)  # noqa: B023
        return discord.answers(place)

    said = await asyncio.gather(*map(talk, range(PEOPLE)))
    assert said == [[answer(person, number) for number in range(QUESTIONS)] for person in range(PEOPLE)]
    await none_was_mixed(record)


async def none_was_mixed(record: Record) -> None:
    """Two hundred turns, each done at the first try; each thread's talk is its own, and in order."""
    assert await record.turns_of(PEOPLE * QUESTIONS) == [("done", 1)] * (PEOPLE * QUESTIONS)
    told = sorted((asked, said) for _, asked, said in await record.rows(TALKS))
    numbers = range(QUESTIONS)
    assert told == sorted(
        ([question(person, n) for n in numbers], [answer(person, n) for n in numbers])
        for person in range(PEOPLE)
    )
