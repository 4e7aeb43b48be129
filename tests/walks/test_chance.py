"""A walk by chance: many people on both platforms at once, while everything goes wrong now and then."""

from __future__ import annotations

import asyncio
import os
import random
import re
from collections import defaultdict
from dataclasses import dataclass, field

import structlog

from bot.app.running import Standing
from tests.doubles.discord import DiscordDouble, Place
from tests.doubles.model import DOWN, ModelDouble, Script, fault
from tests.doubles.slack import SlackDouble
from tests.walks.conftest import Opener, Record
from tests.walks.test_slack import PLACE

log = structlog.get_logger()

MESSAGES = 24
PATIENCE = 50.0
MARK = re.compile(r"\bq\d+\b")
NAMED = re.compile(r"\b(Ann|Bea): (q\d+)\b")
SLACK_PEOPLE = {"U0ANN": "Ann", "U0BEA": "Bea"}
SLACK_CALLS = ("chat.postMessage", "chat.startStream", "chat.appendStream", "chat.stopStream", "chat.update")
SLACK_FAULTS = (
    {"error": "ratelimited", "retry_after": 1},
    {"status": 500},
    {"lost": True},
    {"dropped": True},
)
LONG = "Some more words, so that the answer grows for a while. "


@dataclass
class Asked:
    """What was asked where, by whom: `places` and `people` are known by the question's mark."""

    places: dict[str, str] = field(default_factory=dict)
    people: dict[str, str] = field(default_factory=dict)
    threads: set[str] = field(default_factory=set)


class Chance:
    """Asks and does mischief, as the dice fall."""

    def __init__(self, seed: int, slack: SlackDouble, discord: DiscordDouble, model: ModelDouble) -> None:
        self.asked = Asked()
        self._dice = random.Random(seed)
        self._slack, self._discord, self._model = slack, discord, model
        self._people = [discord.person("Ann"), discord.person("Bea")]
        self.discord_places: dict[str, Place] = {}
        self._model.reply = self._reply

    async def walk(self) -> None:
        parent = self._discord.channel("general")
        for number in range(3):
            place = await self._discord.thread(parent, f"thread {number}")
            self.discord_places[place.id] = place
        mischief = (
            self._slack_trouble,
            self._discord_trouble,
            self._sockets,
            self._repeat,
            self._model_trouble,
        )
        for number in range(MESSAGES):
            await self._dice.choice(mischief)()
            await self._dice.choice((self._ask_on_slack, self._ask_on_discord))(f"q{number}")
            await asyncio.sleep(self._dice.choice((0.0, 0.0, 0.05, 0.3)))

    async def _ask_on_slack(self, mark: str) -> None:
        user = self._dice.choice(list(SLACK_PEOPLE))
        thread = self._dice.choice([None, *sorted(self.asked.threads)])
        if len(self.asked.threads) >= 4 and thread is None:
            thread = self._dice.choice(sorted(self.asked.threads))
        ts = await self._slack.say(user, PLACE, f"<@U0BOT> {mark}", thread=thread)
        self.asked.threads.add(thread or ts)
        self.asked.places[mark] = thread or ts
        self.asked.people[mark] = SLACK_PEOPLE[user]

    async def _ask_on_discord(self, mark: str) -> None:
        place = self._dice.choice(list(self.discord_places.values()))
        author = self._dice.choice(self._people)
        await self._discord.say(author, place, f"{self._discord.bot.mention} {mark}")
        self.asked.places[mark] = place.id
        self.asked.people[mark] = author.name

    async def _slack_trouble(self) -> None:
        self._slack.fail(self._dice.choice(SLACK_CALLS), **self._dice.choice(SLACK_FAULTS))

    async def _discord_trouble(self) -> None:
        method, path = self._dice.choice((("POST", r"/messages$"), ("PATCH", r"/messages/")))
        kind = self._dice.randrange(3)
        if kind == 0:
            self._discord.limit_next(method, path, 0.3)
        elif kind == 1:
            self._discord.refuse(method, path, 500)
        else:
            self._discord.lose_answer(method, path)

    async def _sockets(self) -> None:
        if self._dice.random() < 0.5:
            await self._slack.sockets.drop()
        else:
            await self._discord.gateway.drop(keep=self._dice.random() < 0.5)

    async def _repeat(self) -> None:
        if self._slack.sockets.deliveries:
            await self._slack.sockets.repeat(self._dice.choice(self._slack.sockets.deliveries))

    async def _model_trouble(self) -> None:
        self._model.script(self._dice.choice((DOWN, fault(429, Retry_After="0"), Script(cut_after=0))))

    def _reply(self, body: dict[str, object]) -> str:
        messages = body["messages"]
        assert isinstance(messages, list)
        marks = MARK.findall(str(messages[-1]["content"]))
        return f"Answer to {' '.join(marks)}. " + LONG * self._dice.randrange(4)


async def judge(
    chance: Chance, slack: SlackDouble, discord: DiscordDouble, model: ModelDouble, record: Record
) -> None:
    """Read only the doubles and the tables."""
    asked = chance.asked
    shown: dict[str, list[list[str]]] = defaultdict(list)
    for thread in asked.threads:
        shown[thread] = [MARK.findall(post.text) for post in slack.answers(PLACE, thread)]
    for number, place in chance.discord_places.items():
        shown[number] = [MARK.findall(text) for text in discord.answers(place)]
    answered = [mark for answers in shown.values() for marks in answers for mark in marks]
    assert sorted(answered) == sorted(asked.places), f"{dict(shown)}\n{await _told(record, model)}"
    for where, answers in shown.items():
        assert all(asked.places[mark] == where for marks in answers for mark in marks)
    rows = await record.rows(
        "SELECT string_agg(substring(m.text from 'q[0-9]+'), ' ' ORDER BY m.position) FROM messages m "
        "WHERE NOT m.said GROUP BY m.conversation_id, m.turn_id ORDER BY m.conversation_id, m.turn_id"
    )
    turns = [marks.split() for (marks,) in rows]
    for answers in shown.values():
        places = [turns.index(marks) for marks in answers]
        assert places == sorted(places), f"not in order: {answers}"
    for request in model.requests:
        text = "\n".join(str(message["content"]) for message in request.messages)
        assert len({asked.places[mark] for mark in MARK.findall(text)}) == 1, text
        assert all(asked.people[mark] == name for name, mark in NAMED.findall(text)), text
    assert not list(slack.space.streams())
    assert not any(slack.space.statuses.values())


async def _told(record: Record, model: ModelDouble) -> str:
    """Say what the record and the model know, for who looks for what was lost."""
    rows = await record.rows(
        "SELECT m.turn_id, t.state, t.revision, t.visible_at, m.said, m.text, m.platform_id FROM messages m "
        "LEFT JOIN turns t ON t.id = m.turn_id ORDER BY m.conversation_id, m.position"
    )
    asked = [heard.question for heard in model.requests]
    return "\n".join(map(str, [*rows, *asked]))


async def test_whatever_goes_wrong_each_question_gets_its_one_answer(
    slack: SlackDouble,
    discord: DiscordDouble,
    model: ModelDouble,
    house: Opener,
    slack_environment: dict[str, str],
    discord_environment: dict[str, str],
    record: Record,
) -> None:
    seed = int(os.environ.get("WALK_SEED") or 1)
    log.info("walk", WALK_SEED=seed)  # set the variable to walk another way
    chance = Chance(seed, slack, discord, model)
    async with house(**slack_environment, **discord_environment) as built:
        await slack.until(lambda: slack.sockets.open)
        await discord.connected()
        await chance.walk()
        await all_heard(chance, slack, built, record)
        await record.turns(PATIENCE)
    await judge(chance, slack, discord, model, record)


async def all_heard(chance: Chance, slack: SlackDouble, built: Standing, record: Record) -> None:
    """Deliver again what has no ack, as Slack does, until everything that was asked is on record."""
    async with asyncio.timeout(PATIENCE):
        while await record.rows("SELECT count(*) FROM messages WHERE NOT said") != [(MESSAGES,)]:
            await slack.sockets.redeliver()
            await asyncio.sleep(0.5)
