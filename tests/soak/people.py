"""The people of a soak: they ask at a steady rate, in many conversations on both platforms."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field

from tests.doubles.discord import Person, Place
from tests.soak.stage import Stage

SLACK_CHANNELS = 10
SLACK_PEOPLE = ("U0ANN", "U0BEA")


@dataclass
class Asked:
    """One question: where it was asked (a Slack thread's channel and root, or a Discord place), and when."""

    mark: str
    place: tuple[str, str]
    at: float
    message_id: str = ""


@dataclass
class People:
    """Asks a numbered question in a conversation by chance; remembers all of them."""

    stage: Stage
    conversations: int
    asked: list[Asked] = field(default_factory=list)
    slack_threads: dict[int, tuple[str, str]] = field(default_factory=dict)
    discord_places: dict[int, Place] = field(default_factory=dict)
    _people: list[Person] = field(default_factory=list)
    _order: deque[int] = field(default_factory=deque)

    async def settle(self) -> None:
        """Make channels and people."""
        for number in range(SLACK_CHANNELS):
            self.stage.slack.space.add_place(f"C0SOAK{number}", f"soak-{number}")
        self._people = [self.stage.discord.person(name) for name in ("Ann", "Bea")]
        parent = self.stage.discord.channel("soak")
        for number in range(1, self.conversations, 2):
            self.discord_places[number] = await self.stage.discord.thread(parent, f"thread {number}")

    async def ask(self, rate: float, seconds: float) -> None:
        """Ask so many questions a second for so long, whatever else happens."""
        loop = asyncio.get_running_loop()
        begun, before = loop.time(), len(self.asked)
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, begun + number / rate - loop.time()))
            await self._ask_one(f"q{before + number}")

    async def _ask_one(self, mark: str) -> None:
        conversation = self._next()
        at = asyncio.get_running_loop().time()
        if conversation % 2:
            place = self.discord_places[conversation]
            author = self.stage.dice.choice(self._people)
            asked = Asked(mark, ("discord", place.id), at)
            self.asked.append(asked)
            asked.message_id = await self.stage.discord.say(
                author, place, f"{self.stage.discord.bot.mention} {mark}"
            )
            return
        channel = f"C0SOAK{conversation // 2 % SLACK_CHANNELS}"
        root = self.slack_threads.get(conversation, ("", ""))[1]
        user = self.stage.dice.choice(SLACK_PEOPLE)
        ts = await self.stage.slack.say(user, channel, f"<@U0BOT> {mark}", thread=root or None)
        self.slack_threads.setdefault(conversation, (channel, ts))
        self.asked.append(Asked(mark, (channel, root or ts), at, ts))

    def _next(self) -> int:
        """Each conversation comes once before any comes again, in an order by chance."""
        if not self._order:
            order = list(range(self.conversations))
            self.stage.dice.shuffle(order)
            self._order.extend(order)
        return self._order.popleft()
