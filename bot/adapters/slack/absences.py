"""Catching up in all workspaces that the bot serves: each has gaps of its own, all share the connections."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog

from bot.adapters.presence import Presence
from bot.adapters.slack.catching_up import CatchingUp, Together
from bot.adapters.slack.missed import Missed
from bot.adapters.slack.teams import Team, Teams
from bot.errors import PlatformError, StoreError
from bot.ports import Door

log = structlog.get_logger()

SOCKET = "socket"
LOOK_SECONDS = 30.0  # for workspaces that installed the bot meanwhile, or removed it


class Absences:
    """Knows of each workspace when it was not listened to."""

    def __init__(self, teams: Teams, door: Door, together: Together) -> None:
        """What was missed goes to the door."""
        self._teams = teams
        self._door = door
        self._together = together
        self._open = 0
        self._watched: dict[str, tuple[Team, CatchingUp]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None

    def connected(self) -> None:
        """From now on all that is written comes by itself, wherever it is."""
        self._open += 1
        for _, one in self._watched.values():
            one.connected()

    def disconnected(self) -> None:
        """A connection ended."""
        self._open -= 1
        for _, one in self._watched.values():
            one.disconnected()

    async def of(self, team: Team) -> CatchingUp:
        """Give what catches up in a workspace; it begins with the first who asks."""
        people = await team.people()
        number = people.me.team_id
        known = self._watched.get(number)
        if known is not None and known[0] is team:
            return known[1]
        self._leave(number)
        made = CatchingUp(number, Missed(team.web), people, self._door, self._together)
        for _ in range(self._open):
            made.connected()
        self._watched[number] = (team, made)
        self._begin(number)
        return made

    async def run(self) -> None:
        """Watch over every workspace until cancelled."""
        async with asyncio.TaskGroup() as self._group:
            for number in self._watched:
                self._begin(number)
            while True:
                try:
                    await self._look()
                except (StoreError, PlatformError) as error:
                    log.warning("slack_workspaces_not_listed", error=type(error).__name__)
                await asyncio.sleep(LOOK_SECONDS)

    async def _look(self) -> None:
        there = set()
        for team in await self._teams.all():
            with suppress(PlatformError):  # a token that was refused, of which its own calls tell
                there.add((await team.me()).team_id)
                await self.of(team)
        for number in set(self._watched) - there:
            self._leave(number)

    def _begin(self, number: str) -> None:
        if self._group is not None and number not in self._tasks:
            self._tasks[number] = self._group.create_task(self._watched[number][1].run())

    def _leave(self, number: str) -> None:
        self._watched.pop(number, None)
        task = self._tasks.pop(number, None)
        if task is not None:
            task.cancel()


class Connections:
    """Counts the connections that stand; the first and the last are told."""

    def __init__(self, presence: Presence, absences: Absences | None) -> None:
        """`absences` hear of each."""
        self._presence = presence
        self._absences = absences
        self._open = 0

    def connected(self) -> None:
        """A connection stands."""
        self._open += 1
        self._presence.up(SOCKET)
        if self._absences is not None:
            self._absences.connected()

    def disconnected(self) -> None:
        """One that stood brings nothing any more."""
        self._open -= 1
        if not self._open:
            self._presence.down(SOCKET)
        if self._absences is not None:
            self._absences.disconnected()
