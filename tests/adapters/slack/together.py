"""What processes share, in memory: marks and seats, and a clock that a test may set back."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bot.adapters.slack import Together
from bot.dialogue import ChannelKind, Platform
from bot.errors import StoreDown


@dataclass(frozen=True)
class FakeMark:
    """How far a workspace was heard."""

    now: datetime
    seen_until: datetime | None
    places: Mapping[str, datetime]


@dataclass(frozen=True)
class FakeRecent:
    """A conversation of late."""

    place: str
    root: str = ""
    kind: ChannelKind = ChannelKind.THREAD
    asked: Sequence[str] = ()


class FakeMarks:
    """The mark of one workspace; `log` has what was done with it, `down` that nothing can be."""

    def __init__(self, seen_until: datetime | None = None) -> None:
        self.seen_until = seen_until
        self.places: dict[str, datetime] = {}
        self.lately: list[FakeRecent] = []
        self.stale = False
        self.down = False
        self.log: list[str] = []

    def note(self, what: str) -> None:
        self.log.append(what)
        if self.down:
            raise StoreDown("no database")

    async def read(self, platform: Platform, workspace: str) -> FakeMark:
        self.note("read")
        return FakeMark(datetime.now(UTC), self.seen_until, dict(self.places))

    async def listen(self, platform: Platform, workspace: str) -> bool:
        self.note("stale" if self.stale else "listen")
        return not self.stale

    async def reached(self, platform: Platform, workspace: str, place: str, until: datetime) -> None:
        self.note(f"reached {place}")
        self.places[place] = until

    async def close(self, platform: Platform, workspace: str) -> None:
        self.note("close")
        self.stale, self.places = False, {}
        self.seen_until = datetime.now(UTC)

    async def recent(
        self, platform: Platform, workspace: str, since: datetime, ended: datetime
    ) -> Sequence[FakeRecent]:
        return self.lately


@dataclass
class FakeSeat:
    """A seat."""

    kind: str
    lost: asyncio.Event = field(default_factory=asyncio.Event)


class FakeSeats:
    """So many seats of each kind as `free` says, else enough; all that are held now are in `held`."""

    def __init__(self) -> None:
        self.free: dict[str, asyncio.Semaphore] = {}
        self.held: list[FakeSeat] = []
        self.asked: list[tuple[str, int, int]] = []

    async def take(self, kind: str, count: int, most: int) -> FakeSeat:
        self.asked.append((kind, count, most))
        if kind in self.free:
            await self.free[kind].acquire()
        seat = FakeSeat(kind)
        self.held.append(seat)
        return seat

    async def give_back(self, seat: FakeSeat) -> None:
        self.held.remove(seat)
        if seat.kind in self.free:
            self.free[seat.kind].release()


def together(marks: FakeMarks, seats: FakeSeats | None = None, sockets: int = 1) -> Together:
    """What one process has of it."""
    return Together(marks, seats or FakeSeats(), sockets)


def ago(**given: float) -> datetime:
    """Say a moment so long ago."""
    return datetime.now(UTC) - timedelta(**given)
