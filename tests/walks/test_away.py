"""Walks where something the bot stands on is away: the database, a token, an intent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from bot.memory import migrations
from bot.memory.server import EmbeddedPostgres
from tests.doubles.discord import DiscordDouble
from tests.doubles.model import Gate, ModelDouble, Script
from tests.doubles.slack import SlackDouble
from tests.walks.conftest import Opener, Record
from tests.walks.test_many import message
from tests.walks.test_slack import PLACE, said


class OwnDatabase:
    """A Postgres of this test alone, that may be stopped."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = EmbeddedPostgres(folder, options={"fsync": "off"})
        self.url = ""

    async def start(self) -> None:
        self.url = await self._server.start()
        await asyncio.to_thread(migrations.upgrade, self.url)

    async def stop(self) -> None:
        await self._server.stop()


@pytest.fixture
async def own_database(quick_folder: Path) -> AsyncIterator[OwnDatabase]:
    database = OwnDatabase(quick_folder / f"own-{uuid4().hex[:8]}")
    await database.start()
    yield database
    await database.stop()


async def test_without_a_database_slack_gets_no_ack_and_the_answer_comes_later(
    slack: SlackDouble,
    model: ModelDouble,
    house: Opener,
    slack_environment: dict[str, str],
    own_database: OwnDatabase,
) -> None:
    model.answer("Late, but here.")
    async with house(**slack_environment, BOT_DATABASE_URL=own_database.url):
        await slack.until(lambda: slack.sockets.open)
        await own_database.stop()
        with capture_logs() as logs:
            ts = await slack.say("U0ANN", PLACE, "<@U0BOT> are you there?")
            await slack.until(lambda: any(line["event"] == "slack_message_not_kept" for line in logs))
        assert not any(delivery.acked for delivery in slack.sockets.deliveries)
        await own_database.start()
        async with asyncio.timeout(30):
            while not said(slack, ts):
                await slack.sockets.redeliver()
                await asyncio.sleep(0.2)
        assert said(slack, ts) == ["Late, but here."]
        assert len(model.requests) == 1


async def test_without_a_database_discord_is_asked_again_until_it_is_kept(
    discord: DiscordDouble,
    model: ModelDouble,
    house: Opener,
    discord_environment: dict[str, str],
    own_database: OwnDatabase,
) -> None:
    model.answer("Late, but here.")
    ann, place = discord.person("Ann"), discord.channel("general")
    async with house(**discord_environment, BOT_DATABASE_URL=own_database.url):
        await discord.connected()
        await own_database.stop()
        await discord.say(ann, place, f"{discord.bot.mention} are you there?")
        await own_database.start()
        await discord.until(lambda: discord.answers(place) == ["Late, but here."], seconds=30)


async def test_it_can_be_stopped_while_the_database_is_away(
    model: ModelDouble, house: Opener, own_database: OwnDatabase
) -> None:
    gate = Gate()
    model.script(Script("never", gate=gate))
    async with asyncio.timeout(40), house(BOT_DATABASE_URL=own_database.url) as built:
        await built.house.inbox.accept(message(1, 1))
        await gate.reached()
        await own_database.stop()
    gate.release()
    await own_database.start()


async def test_a_wrong_slack_token_is_named_and_discord_is_served(
    slack: SlackDouble,
    discord: DiscordDouble,
    model: ModelDouble,
    house: Opener,
    slack_environment: dict[str, str],
    discord_environment: dict[str, str],
) -> None:
    model.answer("On Discord all is well.")
    wrong = slack_environment | {"BOT_SLACK__BOT_TOKEN": "xoxb-wrong"}
    ann, place = discord.person("Ann"), discord.channel("general")
    with capture_logs() as logs:
        async with house(**wrong, **discord_environment):
            await discord.connected()
            await discord.say(ann, place, f"{discord.bot.mention} hello?")
            await discord.until(lambda: discord.answers(place) == ["On Discord all is well."])
    (refused,) = [line for line in logs if line["event"] == "platform_refused"]
    assert refused["part"] == "listen-slack"
    assert "BOT_SLACK__BOT_TOKEN" in refused["reason"]
    assert "xoxb-wrong" not in str(logs)


async def test_a_wrong_discord_token_is_named_and_slack_is_served(
    slack: SlackDouble,
    model: ModelDouble,
    house: Opener,
    discord: DiscordDouble,
    slack_environment: dict[str, str],
    discord_environment: dict[str, str],
) -> None:
    model.answer("On Slack all is well.")
    wrong = discord_environment | {"BOT_DISCORD__TOKEN": "wrong"}
    with capture_logs() as logs:
        async with house(**slack_environment, **wrong):
            await slack.until(lambda: slack.sockets.open)
            ts = await slack.say("U0ANN", PLACE, "<@U0BOT> hello?")
            await slack.until(lambda: said(slack, ts) == ["On Slack all is well."])
            await slack.until(lambda: any(line["event"] == "platform_refused" for line in logs))
    (refused,) = [line for line in logs if line["event"] == "platform_refused"]
    assert refused["part"] == "listen-discord"
    assert "BOT_DISCORD__TOKEN" in refused["reason"]


async def test_only_those_who_are_allowed_are_heard(
    slack: SlackDouble,
    model: ModelDouble,
    house: Opener,
    slack_environment: dict[str, str],
    record: Record,
) -> None:
    model.answer("For Bea.")
    async with house(**slack_environment, BOT_SLACK__BLOCK_USERS="U0ANN, U0EVE"):
        await slack.until(lambda: slack.sockets.open)
        await slack.say("U0ANN", PLACE, "<@U0BOT> may I?")
        ts = await slack.say("U0BEA", PLACE, "<@U0BOT> may I?")
        await slack.until(lambda: said(slack, ts) == ["For Bea."])
        await record.turns()
    assert await record.rows("SELECT author_id FROM messages WHERE NOT said") == [("U0BEA",)]
