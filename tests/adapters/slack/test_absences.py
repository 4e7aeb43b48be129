"""Every workspace that the bot serves is caught up by itself, also one that comes while it runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from bot.adapters.presence import Presence
from bot.adapters.slack import absences
from bot.adapters.slack.absences import SOCKET, Absences, Connections
from bot.adapters.slack.reading import Me
from bot.adapters.slack.teams import OneTeam, Team
from bot.adapters.slack.web import Web
from bot.errors import StoreDown
from tests.adapters.slack.talk import DIRECT
from tests.adapters.slack.together import FakeMarks, FakeSeats, ago, together
from tests.doubles.slack import SlackDouble
from tests.fakes import FakeDoor


class FakeTeams(OneTeam):
    """The workspaces of a list that a test may change; the record may be away at first."""

    def __init__(self, web: Web, *numbers: str) -> None:
        super().__init__(web, roles=False)
        self.web = web
        self.there = [self.made(number) for number in numbers]
        self.away = 0

    def made(self, number: str) -> Team:
        return Team(self.web, False, Me("U0BOT", "B0BOT", number, "bot"))

    async def all(self) -> Sequence[Team]:
        if self.away:
            self.away -= 1
            raise StoreDown("away")
        return self.there


@pytest.fixture
async def teams(slack: SlackDouble, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeTeams]:
    monkeypatch.setattr(absences, "LOOK_SECONDS", 0.02)
    web = Web(slack.bot_token, slack.api_url)
    yield FakeTeams(web, "T0001")
    await web.close()


@asynccontextmanager
async def opened(teams: FakeTeams, door: FakeDoor, seats: FakeSeats) -> AsyncIterator[Absences]:
    gaps = Absences(teams, door, together(FakeMarks(ago(minutes=10)), seats))
    Connections(Presence(), gaps).connected()
    task = asyncio.create_task(gaps.run())
    yield gaps
    task.cancel()
    await asyncio.wait({task})


async def test_a_workspace_that_comes_later_is_caught_up_too(slack: SlackDouble, teams: FakeTeams) -> None:
    door, seats = FakeDoor(), FakeSeats()
    teams.away = 1
    await slack.say("U0ANN", DIRECT, "while you were away")
    async with opened(teams, door, seats):
        await slack.until(lambda: ("slack-gaps:T0001", 1, 1) in seats.asked)
        await slack.until(lambda: bool(door.messages))
        teams.there.append(teams.made("T0002"))
        await slack.until(lambda: ("slack-gaps:T0002", 1, 1) in seats.asked)
    assert door.messages[0].channel.workspace == "T0001"


async def test_one_that_removed_the_bot_is_left_and_one_with_a_new_token_begun_anew(
    slack: SlackDouble, teams: FakeTeams
) -> None:
    async with opened(teams, FakeDoor(), FakeSeats()) as gaps:
        (team,) = teams.there
        before = await gaps.of(team)
        assert await gaps.of(team) is before
        renewed = teams.made("T0001")
        teams.there = [renewed]
        assert await gaps.of(renewed) is not before
        teams.there = []
        await slack.until(lambda: not gaps._watched)
        assert not gaps._tasks


async def test_the_last_connection_that_ends_is_missed() -> None:
    presence = Presence()
    connections = Connections(presence, None)
    presence.down(SOCKET)
    connections.connected()
    connections.connected()
    connections.disconnected()
    assert presence.whole()
    connections.disconnected()
    assert not presence.whole()
