"""A time in which nobody listened to a workspace: found, fetched place by place, brought through the door."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar

import structlog

from bot.adapters.slack.missed import Missed, Spot, Window
from bot.dialogue import Channel, ChannelKind, Deletion, Message, Platform
from bot.ports import Door

log = structlog.get_logger()

AT_ONCE = 20  # channels that are fetched together, so that the oldest message of them all comes first
BOUND = 200  # channels that are looked at after a short gap
CHECKED = 100  # questions looked at whether they still stand
SHORT = timedelta(minutes=5)  # Slack itself delivers again what came in so short a gap, threads and all
LAG = timedelta(minutes=1)  # what was on its way when the mark was moved, and clocks that differ

T = TypeVar("T")
Read = Callable[[Mapping[str, Any]], Awaitable[Message | None]]


class Mark(Protocol):
    """How far a workspace was heard, and which places of a gap were fetched, on the record's clock."""

    @property
    def now(self) -> datetime:
        """The record's clock."""
        ...

    @property
    def seen_until(self) -> datetime | None:
        """None where it never was heard."""
        ...

    @property
    def places(self) -> Mapping[str, datetime]:
        """Until when each was fetched."""
        ...


class Recent(Protocol):
    """A conversation of late."""

    @property
    def place(self) -> str:
        """The channel."""
        ...

    @property
    def root(self) -> str:
        """The thread's first message, or ""."""
        ...

    @property
    def kind(self) -> ChannelKind:
        """What sort of place it is."""
        ...

    @property
    def asked(self) -> Sequence[str]:
        """The ids of its questions that are owed, or were answered since the gap began."""
        ...


class Marks(Protocol):
    """Keeps how far each workspace was heard; all raises `StoreDown`."""

    async def read(self, platform: Platform, workspace: str) -> Mark:
        """Tell how far."""
        ...

    async def listen(self, platform: Platform, workspace: str) -> bool:
        """Move the mark to this moment; False where it is stale."""
        ...

    async def reached(self, platform: Platform, workspace: str, place: str, until: datetime) -> None:
        """Keep that a place of a gap was fetched."""
        ...

    async def close(self, platform: Platform, workspace: str) -> None:
        """Keep that nothing is missing up to this moment."""
        ...

    async def recent(
        self, platform: Platform, workspace: str, since: datetime, ended: datetime
    ) -> Sequence[Recent]:
        """List the conversations of late."""
        ...


@dataclass(frozen=True, slots=True)
class Look:
    """What the record tells of a gap; `read_at` is when, on the loop's clock."""

    mark: Mark
    since: datetime
    back: datetime
    recent: Sequence[Recent]
    read_at: float


class Gap:
    """
    One gap of one workspace, closed as a whole or a place at a time.

    Each place is fetched once, whoever asks first: the sweep over all, or a new message that waits there.
    """

    def __init__(
        self, team: str, missed: Missed, read: Read, door: Door, marks: Marks, oldest: timedelta
    ) -> None:
        """It begins now; what is older than `oldest` is left."""
        self._team = team
        self._missed = missed
        self._read = read
        self._door = door
        self._marks = marks
        self._oldest = oldest
        self._began = _now()
        self._done: set[str] = set()
        self._stand: set[tuple[str, str]] = set()
        self._tasks: dict[str, asyncio.Task[Any]] = {}

    def is_closed(self, channel: str) -> bool:
        """Say whether all that was written in a channel before now is in."""
        return channel in self._done

    def is_busy(self) -> bool:
        """Say whether something is still on its way."""
        return any(not task.done() for task in self._tasks.values())

    async def close_at(self, channel: str, kind: str) -> None:
        """Bring in what is missing in one channel."""
        look = await self._once("", self._look)
        if look is not None and channel not in self._done:
            await self._bring(look, [_with_roots(Spot(channel, kind), look.recent)])

    async def close(self) -> None:
        """Bring in all that is missing, oldest first, and withdraw questions that are gone."""
        look = await self._once("", self._look)
        if look is None:
            return
        spots = await self._spots(look)
        for at in range(0, len(spots), AT_ONCE):
            await self._bring(look, spots[at : at + AT_ONCE])
        await self._withdraw(look)

    async def end(self) -> None:
        """Stop what is on its way."""
        tasks = [task for task in self._tasks.values() if not task.done()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _look(self) -> Look | None:
        """Ask the record; None where nothing is missing, as somebody else listened or nobody ever did."""
        mark = await self._marks.read(Platform.SLACK, self._team)
        read_at = _now()
        began = mark.now - timedelta(seconds=read_at - self._began)
        if mark.seen_until is None or mark.seen_until > began + timedelta(seconds=1):
            return None
        since = max(mark.seen_until - LAG, mark.now - self._oldest)
        recent = await self._marks.recent(
            Platform.SLACK, self._team, mark.now - max(self._oldest, LAG), since
        )
        return Look(mark, since, mark.now - self._oldest, recent, read_at)

    async def _spots(self, look: Look) -> list[Spot]:
        """Name the channels, those first in which the bot was spoken to last."""
        listed = {spot.id: spot for spot in await self._missed.spots()}
        lately = {one.place: Spot(one.place, _kind(one)) for one in look.recent}
        ordered = {place: listed.get(place, spot) for place, spot in lately.items()} | listed
        if _is_short(look.mark.now - look.since) and len(ordered) > BOUND:
            log.info("slack_gap_bounded", team=self._team, channels=BOUND, of=len(ordered))
            ordered = {place: ordered[place] for place in list(ordered)[:BOUND]}
        return [_with_roots(spot, look.recent) for spot in ordered.values() if spot.id not in self._done]

    async def _bring(self, look: Look, spots: Sequence[Spot]) -> None:
        until = look.mark.now + timedelta(seconds=_now() - look.read_at)
        lots = await asyncio.gather(*(self._fetched(look, spot) for spot in spots))
        messages = sorted((one for lot in lots for one in lot), key=lambda one: float(one.id))
        for message in messages:
            await self._door.accept(message)
        for spot in spots:
            await self._marks.reached(Platform.SLACK, self._team, spot.id, until)
        self._done.update(spot.id for spot in spots)
        if messages:
            log.info("caught_up", team=self._team, channels=len(spots), messages=len(messages))

    async def _fetched(self, look: Look, spot: Spot) -> list[Message]:
        return await self._once(spot.id, lambda: self._fetch(look, spot))

    async def _fetch(self, look: Look, spot: Spot) -> list[Message]:
        reached = look.mark.places.get(spot.id)
        since = max(look.since, reached - LAG) if reached else look.since
        # Threads that began before the gap are found by their first messages, which cost pages.
        deep = spot.roots or not _is_short(look.mark.now - since)
        window = Window(since.timestamp(), min(look.back, since).timestamp() if deep else since.timestamp())
        events = await self._missed.written(spot, window)
        self._stand.update((spot.id, str(event["ts"])) for event in events)
        read = [await self._read(event) for event in events]
        return [message for message in read if message is not None]

    async def _withdraw(self, look: Look) -> None:
        """Take back questions that were deleted while nobody listened."""
        asked = [(one, ts) for one in look.recent for ts in one.asked if (one.place, ts) not in self._stand]
        for one, ts in asked[:CHECKED]:
            if not await self._missed.stands(one.place, one.root, ts):
                log.info("question_was_gone", channel=one.place)
                channel = Channel(Platform.SLACK, self._team, one.place, one.root, one.kind)
                await self._door.withdraw(Deletion(channel, (ts,), datetime.now(UTC)))

    async def _once(self, name: str, work: Callable[[], Awaitable[T]]) -> T:
        """Do the work once, however many wait for it; where it failed, the next one who asks tries again."""
        task = self._tasks.get(name)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = self._tasks[name] = asyncio.ensure_future(_run(work))
        result: T = await asyncio.shield(task)
        return result


async def _run(work: Callable[[], Awaitable[T]]) -> T:
    return await work()


def _is_short(gap: timedelta) -> bool:
    return gap <= SHORT + LAG


def _with_roots(spot: Spot, recent: Sequence[Recent]) -> Spot:
    roots: defaultdict[str, list[str]] = defaultdict(list)
    for one in recent:
        if one.root:
            roots[one.place].append(one.root)
    return Spot(spot.id, spot.kind, tuple(roots[spot.id]))


def _kind(recent: Recent) -> str:
    return "im" if recent.kind is ChannelKind.DIRECT else ""


def _now() -> float:
    return asyncio.get_running_loop().time()
