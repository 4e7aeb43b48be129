"""What processes with one token share: the shards, the rate of IDENTIFY, the requests a second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

IDENTIFY_SECONDS = 5.0  # one IDENTIFY of a rate-limit key in so long, says Discord
_IDENTIFY = "discord-identify"


class Seat(Protocol):
    """The right to one shard."""

    @property
    def number(self) -> int:
        """Which one."""
        ...

    @property
    def lost(self) -> asyncio.Event:
        """Set as soon as it is not ours any more."""
        ...

    @property
    def free_since(self) -> datetime | None:
        """When somebody is last known to have held it; None where nobody ever did."""
        ...


class Seats(Protocol):
    """What only one process may hold at a time; a database that is away is waited for, except by `kinds`."""

    async def take(self, kind: str, count: int, most: int) -> Seat:
        """Wait for one of the `count` seats of a kind within our share and `most`, and take it."""
        ...

    async def give_back(self, seat: Any) -> None:
        """Let another process have a seat that `take` gave; one that was lost is no error."""
        ...

    async def wait_for_turn(self, kind: str, number: int, seconds: float) -> None:
        """Return when nobody has passed here for `seconds`, and keep all others out for as long."""
        ...

    async def kinds(self, prefix: str) -> Sequence[str]:
        """Name the kinds that begin so and of which somebody holds a seat; raises `StoreDown`."""
        ...


@dataclass(frozen=True, slots=True)
class LocalSeat:
    """A seat that nobody else wants."""

    kind: str
    number: int
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    free_since: datetime | None = None


class LocalSeats:
    """The seats of a process that shares its token with no other; keeps `Seats`."""

    def __init__(self) -> None:
        self._taken: dict[str, set[int]] = {}
        self._passed: dict[tuple[str, int], float] = {}
        self._changed = asyncio.Condition()

    async def take(self, kind: str, count: int, most: int) -> LocalSeat:
        """Take a free one, or wait for it."""
        taken = self._taken.setdefault(kind, set())
        async with self._changed:
            await self._changed.wait_for(lambda: len(taken) < min(count, most))
            number = min(set(range(count)) - taken)
            taken.add(number)
        return LocalSeat(kind, number)

    async def give_back(self, seat: LocalSeat) -> None:
        """Free it."""
        seat.lost.set()
        async with self._changed:
            self._taken[seat.kind].discard(seat.number)
            self._changed.notify_all()

    async def wait_for_turn(self, kind: str, number: int, seconds: float) -> None:
        """Let those who wait here pass one by one."""
        now = time.monotonic()
        passes = max(now, self._passed.get((kind, number), now - seconds) + seconds)
        self._passed[kind, number] = passes
        await asyncio.sleep(passes - now)

    async def kinds(self, prefix: str) -> Sequence[str]:
        """Name the kinds of which we hold one."""
        return [kind for kind, taken in self._taken.items() if taken and kind.startswith(prefix)]


@dataclass(frozen=True, slots=True)
class Sharing:
    """This process among those with the same token; `processes` counts those that call Discord, ours too."""

    seats: Seats = field(default_factory=LocalSeats)
    processes: Callable[[], int] = lambda: 1

    async def may_identify(self, shard: int, at_once: int) -> None:
        """Wait until a shard may IDENTIFY; `at_once` is the gateway's `max_concurrency`."""
        await self.seats.wait_for_turn(_IDENTIFY, shard % at_once, IDENTIFY_SECONDS)
