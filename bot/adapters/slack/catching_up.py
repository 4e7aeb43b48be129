"""Catching up: knows when a workspace was not listened to, and has what was written meanwhile brought in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import structlog

from bot.adapters.slack.events import word_of_command
from bot.adapters.slack.gap import Gap, Marks
from bot.adapters.slack.missed import Missed, Spot
from bot.adapters.slack.people import People
from bot.adapters.slack.reading import read_message, wanted
from bot.adapters.slack.seated import Seats
from bot.dialogue import Message, Platform
from bot.errors import PlatformError, StoreError
from bot.ports import Door

log = structlog.get_logger()

TICK_SECONDS = 10.0
PATIENCE_SECONDS = 3.0  # as long as Slack waits for an ack: then it delivers again, perhaps elsewhere
FOLLOWING_SECONDS = 10.0
_SHORTEST_PAUSE = 0.5
_LONGEST_PAUSE = 300.0


@dataclass(frozen=True, slots=True)
class Together:
    """What the processes of one app share: the marks and the seats; and how much of it this one takes."""

    marks: Marks
    seats: Seats[Any]
    sockets: int = 1
    oldest: timedelta = timedelta(hours=24)


class CatchingUp:
    """
    Watches over one workspace.

    Nobody listens before the first connection, while there is none, and while the mark in the record does
    not move. What comes anew in a channel waits until that channel is caught up, so that it stays in order.
    """

    def __init__(
        self,
        team: str,
        missed: Missed,
        people: People,
        door: Door,
        together: Together,
        tick: float = TICK_SECONDS,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        """`tick` is the seconds after which the mark is moved, `patience` for how long new messages wait."""
        self._team = team
        self._together = together
        self._tick = tick
        self._patience = patience
        self._missed = missed
        self._door = door
        self._reader = _Reader(team, people)
        parts = (team, missed, self._reader.read, door, together.marks, together.oldest)
        self._begin: Callable[[], Gap] = partial(Gap, *parts)
        self._gaps: list[Gap] = []
        self._unordered: set[str] = set()  # channels where this gap was waited for in vain
        self._gap: Gap | None = self._new()
        self._open = 0
        self._changed = asyncio.Event()

    def connected(self) -> None:
        """From now on all that is written comes by itself."""
        self._open += 1
        self._changed.set()

    def disconnected(self) -> None:
        """A connection ended; with the last one of this process a gap begins."""
        self._open -= 1
        if not self._open:
            self._gap = self._new()

    async def settle(self, channel: str, kind: str) -> None:
        """
        Wait until what was written before in a channel is in, which goes before all others now.

        Not for ever, and not twice: where Slack does not give it in time, order is given up in that channel
        for this gap. Raises `StoreDown`.
        """
        gap = self._gap
        if gap is None or not self._open or gap.is_closed(channel) or channel in self._unordered:
            return  # without a connection it came over the last one, before the gap
        try:
            async with asyncio.timeout(self._patience):
                await gap.close_at(channel, kind)
        except (TimeoutError, PlatformError) as error:
            log.warning("slack_gap_not_waited_for", channel=channel, reason=type(error).__name__)
            if gap is self._gap:
                self._unordered.add(channel)

    async def follow(self, message: Message) -> None:
        """
        Bring in what overtook a message in its thread, and meant nothing to the bot before it came.

        Raises `StoreDown`.
        """
        channel = message.channel
        try:
            async with asyncio.timeout(FOLLOWING_SECONDS):
                found = await self._missed.replies(Spot(channel.id), channel.root, message.id)
        except (TimeoutError, PlatformError) as error:
            log.warning("slack_thread_not_followed", channel=channel.id, reason=type(error).__name__)
            return
        for event in found:
            reply = await self._reader.read(event)
            if reply is not None:
                await self._door.accept(reply)

    async def run(self) -> None:
        """Close gaps, and move the mark while there are none, until cancelled."""
        try:
            await self._keep_closed()
        finally:
            for gap in self._gaps:
                await gap.end()

    async def _keep_closed(self) -> None:
        pause = _SHORTEST_PAUSE
        while True:
            try:
                await self._step()
                pause = _SHORTEST_PAUSE
                wait = self._tick
            except (StoreError, PlatformError) as error:
                log.warning(
                    "slack_gap_not_closed", team=self._team, error=type(error).__name__, again_in=pause
                )
                wait, pause = pause, min(pause * 2, self._longest(error))
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._changed.wait()
            self._changed.clear()

    async def _step(self) -> None:
        if not self._open:
            return
        marks = self._together.marks
        if self._gap is None and not await marks.listen(Platform.SLACK, self._team):
            self._gap = self._new()
        while self._gap is not None and self._open:
            await self._close(self._gap)

    async def _close(self, gap: Gap) -> None:
        """Close a gap while no other process does so; if it was theirs too, nothing is left to do."""
        seats = self._together.seats
        seat = await seats.take(f"slack-gaps:{self._team}", 1, 1)
        try:
            await gap.close()
            if self._gap is gap:
                await self._together.marks.close(Platform.SLACK, self._team)
                self._gap = None
        finally:
            await seats.give_back(seat)

    def _new(self) -> Gap:
        """Begin a gap; those before it go on only where somebody waits for a place of theirs."""
        self._gaps = [gap for gap in self._gaps if gap.is_busy()]
        self._gaps.append(self._begin())
        self._unordered.clear()
        return self._gaps[-1]

    def _longest(self, error: Exception) -> float:
        return self._tick if isinstance(error, StoreError) else _LONGEST_PAUSE


class _Reader:
    """Reads what was fetched as it would have been heard; an old word of command is past."""

    def __init__(self, team: str, people: People) -> None:
        self._team = team
        self._people = people

    async def read(self, event: Mapping[str, Any]) -> Message | None:
        known = await self._people.known(wanted(event))
        try:
            message = read_message(event, self._team, self._people.me, known)
        except ValueError:
            log.warning("slack_event_malformed", type="history")
            return None
        if message is None or word_of_command(event, message, self._people.me) is not None:
            return None
        return await self._people.with_roles(message)
