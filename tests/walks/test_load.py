"""Walks under load: who waits is told in place, who asks too much alone; what kills workers is set aside."""

from __future__ import annotations

import asyncio
import os
import signal
from datetime import UTC, datetime
from typing import Any

from bot.dialogue import Accepted, Author, Channel, ChannelKind, Message, Platform
from tests.doubles.discord import DiscordDouble
from tests.doubles.model import Gate, ModelDouble, Script, fault
from tests.doubles.slack import SlackDouble
from tests.walks.conftest import Opener, Record
from tests.walks.mortal import Mortal

WAITING = "UPDATE turns SET created_at = created_at - interval '6 seconds' WHERE visible_at IS NULL"
RESCUED = (
    "UPDATE conversations SET lease_until = now() - interval '1 minute'",
    "UPDATE procrastinate_jobs SET status = 'todo', worker_id = NULL WHERE status = 'doing'",
)
WORD = "You are in the queue; I will answer as soon as I can."


def page(text: str, thread: str, person: str = "you") -> Message:
    place = Channel(Platform.WEB, "local", thread, kind=ChannelKind.DIRECT)
    return Message(f"{thread}-{text}", place, Author(person, person), text, datetime.now(UTC))


def last_of(asked: str) -> str:
    """What the newest of the messages says that the model reads as one."""
    return asked.splitlines()[-1].rpartition(": ")[2]


async def test_where_the_models_limit_binds_people_are_told_in_place_and_then_answered(
    model: ModelDouble,
    slack: SlackDouble,
    slack_environment: dict[str, str],
    discord: DiscordDouble,
    discord_environment: dict[str, str],
    house: Opener,
    record: Record,
) -> None:
    model.script(fault(429, Retry_After="4"))
    place = discord.channel("general")
    async with house(**slack_environment, **discord_environment) as built:
        await slack.until(lambda: slack.sockets.open)
        await discord.connected()
        await built.house.door.accept(page("and on the page", "thread-1"))
        await model.asked()
        ts = await slack.say("U0ANN", "C0GENERAL", "<@U0BOT> what now?")
        await discord.say(discord.person("Ann"), place, f"{discord.bot.mention} what now?")
        await record.until("SELECT count(started_at) = 3 FROM turns WHERE state = 'waiting'", 10)
        await record.rows(WAITING + " RETURNING 1")
        await slack.until(lambda: [post.text for post in slack.answers("C0GENERAL", ts)] == [WORD])
        await discord.until(lambda: discord.answers(place) == [WORD])
        await record.until(f"SELECT count(*) = 3 FROM pieces WHERE text = '{WORD}' AND state = 'sent'", 10)
        posts = await record.rows("SELECT turn_id, message_id FROM pieces ORDER BY turn_id")
        states = await record.turns(30)
    assert states == [("done", 1)] * 3
    assert await record.rows("SELECT turn_id, message_id FROM pieces ORDER BY turn_id") == posts
    (answer,) = slack.answers("C0GENERAL", ts)
    assert answer.text.startswith("You said:")
    assert [text.startswith("You said:") for text in discord.answers(place)] == [True]
    assert len(model.requests) == 4  # one was refused; while the endpoint rested it was left alone


async def test_a_word_that_one_waits_is_taken_away_with_its_question(
    model: ModelDouble, slack: SlackDouble, slack_environment: dict[str, str], house: Opener, record: Record
) -> None:
    hold = Gate()
    model.script(Script("Held.", gate=hold))
    async with house(**slack_environment, BOT_WORK__ANSWERS_AT_ONCE="1"):
        await slack.until(lambda: slack.sockets.open)
        await slack.say("U0ANN", "D0ANN", "hold the only place")
        await hold.reached()
        ts = await slack.say("U0ANN", "C0GENERAL", "<@U0BOT> what now?")
        await record.until("SELECT count(*) = 1 FROM turns WHERE state = 'waiting'", 10)
        await record.rows(WAITING + " RETURNING 1")
        await slack.until(lambda: [post.text for post in slack.answers("C0GENERAL", ts)] == [WORD])
        await slack.delete("C0GENERAL", ts)
        await record.until("SELECT count(*) = 1 FROM turns WHERE wanted = 'withdraw'", 10)
        hold.release()
        assert [state for state, _ in await record.turns()] == ["done", "withdrawn"]
    assert slack.answers("C0GENERAL", ts) == []
    assert len(model.requests) == 1


async def test_who_asks_too_much_is_told_so_alone_and_once(
    slack: SlackDouble,
    slack_environment: dict[str, str],
    discord: DiscordDouble,
    discord_environment: dict[str, str],
    house: Opener,
    record: Record,
) -> None:
    await record.until("SELECT extract(epoch FROM now())::int % 60 BETWEEN 1 AND 50", 15)
    ann, place = discord.person("Ann"), discord.channel("general")
    async with house(**slack_environment, **discord_environment, BOT_LIMITS__PERSON_PER_MINUTE="1") as built:
        await slack.until(lambda: slack.sockets.open)
        await discord.connected()
        for number in range(3):
            await slack.say("U0ANN", "C0GENERAL", f"<@U0BOT> question {number}")
            await discord.say(ann, place, f"{discord.bot.mention} question {number}")
        await slack.until(lambda: slack.whispers("U0ANN"))
        await discord.until(lambda: bool(discord.answers(discord.direct(ann))))
        assert await built.house.door.accept(page("one", "thread-1")) is Accepted.NEW
        assert await built.house.door.accept(page("two", "thread-1")) is Accepted.LIMITED
        await record.until("SELECT count(*) = 5 FROM messages WHERE limited", 10)
        assert await record.turns_of(3) == [("done", 1)] * 3
    assert len(slack.whispers("U0ANN")) == 1
    assert "ask again in a minute" in slack.whispers("U0ANN")[0]
    (told,) = discord.answers(discord.direct(ann))
    assert "ask again in a minute" in told


async def test_a_message_that_kills_its_worker_each_time_is_set_aside_and_blocks_nobody(
    environment: dict[str, str], model: ModelDouble, record: Record
) -> None:
    mortal = Mortal(environment)

    def reply(body: dict[str, Any]) -> str:
        if last_of(body["messages"][-1]["content"]) == "poison":
            os.kill(mortal.pid, signal.SIGKILL)
        return "Well."

    model.reply = reply
    try:
        for number in range(5):
            await mortal.start()
            if number == 0:
                mortal.accept(page("poison", "thread-1"))
                mortal.accept(page("and mine?", "thread-1", "another"))
            async with asyncio.timeout(30):
                await mortal.dead.wait()
            await mortal.kill()
            for statement in RESCUED:  # as time would bring about
                await record.rows(f"{statement} RETURNING 1")
        await mortal.start()
        mortal.accept(page("elsewhere", "thread-2"))
        ended = await record.turns_of(3)
    finally:
        await mortal.kill()
    assert [state for state, _ in ended] == ["failed", "done", "done"]
    assert ended[0][1] == 6
    assert await record.rows("SELECT error FROM turns WHERE state = 'failed'") == [("poisoned",)]
    assert sum(last_of(request.question) == "poison" for request in model.requests) == 5
    shown = await record.rows("SELECT text FROM pieces ORDER BY turn_id LIMIT 1")
    assert "set it aside" in shown[0][0]
