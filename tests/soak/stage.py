"""The stage of a soak: a Postgres of its own, both platforms, a model, and the processes under test."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.memory import migrations
from bot.memory.server import EmbeddedPostgres
from tests.doubles.discord import DiscordDouble
from tests.doubles.model import ModelDouble
from tests.doubles.model_scripts import question_of
from tests.doubles.slack import APP_TOKEN, BOT_TOKEN, SlackDouble
from tests.doubles.slack_socket import Delivery, Sockets

READY = "Frontdesk is ready"
START_SECONDS = 60.0
# Slack tries an event again after three seconds without an ack, then later twice more, then never.
RETRIES = (3.0, 13.0, 43.0)


class Spread(Sockets):
    """Slack's delivery over several connections: any of them, and again where no ack came in time."""

    def __init__(self, dice: random.Random) -> None:
        super().__init__()
        self._dice = dice
        self._tries: dict[str, int] = {}
        self._waiting: dict[str, tuple[Delivery, float]] = {}
        self.held: list[Delivery] | None = None  # collected to be sent in another order
        self.given_up = 0

    async def retry(self) -> None:
        """Deliver again what has no ack, as Slack does, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(0.25)
            for name, (delivery, began) in list(self._waiting.items()):
                tried = self._tries.get(name, 0)
                if delivery.acked or tried >= len(RETRIES):
                    self.given_up += not delivery.acked
                    del self._waiting[name]
                elif loop.time() - began > RETRIES[tried]:
                    self._tries[name] = tried + 1
                    await self._send(delivery)

    async def release(self) -> None:
        """Send what was held back, the last first."""
        held, self.held = self.held or [], None
        for delivery in reversed(held):
            await self._send(delivery)

    async def redeliver(self) -> None:
        """Only time has something delivered again, not a new connection."""

    async def _send(self, delivery: Delivery) -> None:
        self._waiting.setdefault(delivery.event_id, (delivery, asyncio.get_running_loop().time()))
        if self.held is not None:
            self.held.append(delivery)
            return
        self.open.sort(key=lambda _: self._dice.random())  # the last one gets it
        await super()._send(delivery)

    def _read(self, message: dict[str, Any]) -> None:
        acked = message.get("envelope_id")
        for delivery, _ in self._waiting.values():
            if acked in delivery.envelopes:
                delivery.acked = True


class SlowModel(ModelDouble):
    """A model that takes its time between words, and now and then says nothing at all."""

    def __init__(self, dice: random.Random) -> None:
        super().__init__()
        self._dice = dice
        self.hanging = 0

    async def _stream(self, request: web.Request, body: dict[str, Any], script: Any) -> web.StreamResponse:
        if self.hanging > 0:
            self.hanging -= 1
            await self._stopped.wait()
        return await super()._stream(request, body, script)

    async def _may_pass(self, script: Any, place: int) -> bool:
        await asyncio.sleep(self._dice.uniform(0.0, 0.08))
        return await super()._may_pass(script, place)


class House:
    """One process after the other, with the same settings."""

    def __init__(self, name: str, environment: dict[str, str], folder: Path, roles: str) -> None:
        self.name = name
        self._environment = environment
        self._folder = folder
        self._roles = roles
        self._process: asyncio.subprocess.Process | None = None
        self.frozen = False

    @property
    def log(self) -> Path:
        """What it told."""
        return self._folder / f"{self.name}.log"

    async def start(self) -> None:
        """Start it and wait until it says that it is ready."""
        begins = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bot", "run", "--role", self._roles),
                env={**_clean(), **self._environment},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        async with asyncio.timeout(START_SECONDS):
            while READY.encode() not in self.log.read_bytes()[begins:]:
                if self._process.returncode is not None:
                    said = self.log.read_bytes()[begins:].decode(errors="replace")
                    raise AssertionError(f"{self.name} ended with {self._process.returncode}:\n{said}")
                await asyncio.sleep(0.1)

    async def kill(self) -> None:
        """End it as kill -9 does."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """Ask it to stop, and give its exit code."""
        return await self._end(signal.SIGTERM)

    def freeze(self) -> None:
        """Let it stand still."""
        self._signal(signal.SIGSTOP)
        self.frozen = True

    def thaw(self) -> None:
        """Let it go on as if no time had passed."""
        self._signal(signal.SIGCONT)
        self.frozen = False

    def _signal(self, number: int) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)

    async def _end(self, number: int) -> int:
        self._signal(number)
        if self._process is None:
            return 0
        async with asyncio.timeout(START_SECONDS):
            return await self._process.wait()


@dataclass
class Stage:
    """All that takes part."""

    dice: random.Random
    folder: Path
    slack: SlackDouble
    sockets: Spread
    discord: DiscordDouble
    model: SlowModel
    url: str = ""
    houses: list[House] = field(default_factory=list)
    postgres: EmbeddedPostgres | None = None

    async def restart_postgres(self) -> None:
        """Stop the database as an administrator does, and start it again."""
        assert self.postgres is not None
        await self.postgres.stop()
        await asyncio.sleep(self.dice.uniform(0.2, 3.0))
        await self.postgres.start()


@asynccontextmanager
async def opened(
    dice: random.Random, processes: int, roles: str, settings: Mapping[str, str] | None = None
) -> AsyncIterator[Stage]:
    """Set the stage, and clear it away whatever happened; `settings` come on top of the processes' own."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(_folder())
        server = EmbeddedPostgres(folder / "database", options={"fsync": "off"})
        url = await server.start()
        stack.push_async_callback(server.stop)
        await asyncio.to_thread(migrations.upgrade, url)
        slack, sockets = SlackDouble(), Spread(dice)
        slack.sockets = slack.way = sockets
        discord, model = DiscordDouble(), SlowModel(dice)
        model.reply = answer_of
        for double in (slack, discord, model):
            await stack.enter_async_context(double)
        stage = Stage(dice, folder, slack, sockets, discord, model, url, postgres=server)
        retrying = asyncio.create_task(sockets.retry())
        stack.callback(retrying.cancel)
        environment = _environment(stage) | dict(settings or {})
        for number in range(processes):
            own = environment | {"BOT_DATA_DIR": str(folder / f"data-{number}")}
            stage.houses.append(House(f"house-{number}", own, folder, roles))
        stack.push_async_callback(_end_all, stage)
        await asyncio.gather(*(house.start() for house in stage.houses))
        yield stage


def answer_of(body: dict[str, Any]) -> str:
    """Name each question once at the beginning, and mark the end, so that a half answer is seen."""
    marks = [word for word in question_of(body).split() if word.startswith("q") and word[1:].isdigit()]
    return f"Answer to {' '.join(marks)}. " + "Some more words follow. " * 4 + "That is all."


@contextmanager
def _folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="frontdesk-soak-"))
    made.chmod(0o711)  # Postgres' own user has to get through
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


async def _end_all(stage: Stage) -> None:
    for house in stage.houses:
        if house.frozen:
            house.thaw()
    await asyncio.gather(*(house.kill() for house in stage.houses))


def _environment(stage: Stage) -> dict[str, str]:
    return {
        "BOT_DATABASE_URL": stage.url,
        "BOT_MODEL__BASE_URL": stage.model.url,
        "BOT_MODEL__API_KEY": "sk-double",
        "BOT_MODEL__NAME": "double-1",
        "BOT_MODEL__FIRST_TOKEN_SECONDS": "5",
        "BOT_MODEL__NEXT_TOKEN_SECONDS": "5",
        "BOT_MODEL__DAILY_TOKENS": "0",
        # Two people ask for two hundred.
        "BOT_LIMITS__PERSON_PER_MINUTE": "0",
        "BOT_LIMITS__CHANNEL_PER_MINUTE": "0",
        "BOT_WEB__PORT": "0",
        "BOT_SLACK__BOT_TOKEN": BOT_TOKEN,
        "BOT_SLACK__APP_TOKEN": APP_TOKEN,
        "BOT_SLACK__API_URL": stage.slack.api_url,
        "BOT_DISCORD__TOKEN": stage.discord.token,
        "BOT_DISCORD__API_URL": stage.discord.api_url,
    }


def _clean() -> dict[str, str]:
    return {
        name: value for name, value in os.environ.items() if not name.startswith(("BOT_", "OPENAI_", "PG"))
    }
