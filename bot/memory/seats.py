"""Seats: what only one process may hold at a time, such as a Discord shard; leased, beaten, taken over."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import LiteralString

import structlog

from bot.errors import StoreDown
from bot.memory.database import Database

log = structlog.get_logger()

TERM_SECONDS = 6.0
_LOOK_SECONDS = 1.0


class Seat:
    """One seat of ours; `lost` is set as soon as it is not ours any more, for whatever reason."""

    def __init__(
        self, kind: str, number: int, epoch: int, deadline: float, free_since: datetime | None = None
    ) -> None:
        """
        `deadline` is on the monotonic clock.

        `free_since` is when it was last known to be held, by the database's clock; None for a seat that never
        was.
        """
        self.kind = kind
        self.number = number
        self.epoch = epoch
        self.deadline = deadline
        self.free_since = free_since
        self.lost = asyncio.Event()

    @property
    def held(self) -> bool:
        """Whether it is ours at this moment."""
        return not self.lost.is_set() and time.monotonic() < self.deadline


class Seats:
    """This process' seats."""

    def __init__(
        self, database: Database, holder: str, gateways: Callable[[], int], term: float = TERM_SECONDS
    ) -> None:
        """`holder` is this process' id; `gateways` says how many processes share the seats of a kind."""
        self._database = database
        self._holder = holder
        self._gateways = gateways
        self._term = term
        self._mine: dict[tuple[str, int], Seat] = {}
        self._counts: dict[str, int] = {}

    async def take(self, kind: str, count: int, most: int) -> Seat:
        """
        Wait for one of the `count` seats of a kind, and take it.

        No more is taken than our share, which is `count` divided by the processes and rounded up, nor more
        than `most`. A database that is away is waited for.
        """
        self._counts[kind] = count
        while True:
            try:
                seat = await self._try(kind, count, most)
            except StoreDown as error:
                log.warning("seat_not_taken", kind=kind, reason=str(error))
                seat = None
            if seat is not None:
                return seat
            await asyncio.sleep(_LOOK_SECONDS * random.uniform(0.3, 1.0))  # rivals shall not keep step

    async def give_back(self, seat: Seat) -> None:
        """
        Let another process have it at once; a seat that was lost already is no error.

        Where the database is away it runs out by itself.
        """
        seat.lost.set()
        if self._mine.get((seat.kind, seat.number)) is seat:
            del self._mine[seat.kind, seat.number]
        with suppress(StoreDown):
            await self._database.run(_LEAVE, kind=seat.kind, number=seat.number, epoch=seat.epoch)

    async def wait_for_turn(self, kind: str, number: int, seconds: float) -> None:
        """Return when nobody has passed here for `seconds`, and keep all others out for as long."""
        while True:
            try:
                rows = await self._database.run(
                    _ALONE, kind=kind, number=number, holder=self._holder, seconds=seconds
                )
            except StoreDown as error:
                log.warning("turn_not_given", kind=kind, reason=str(error))
                rows = [{"passed": False, "rest": _LOOK_SECONDS}]
            if rows and rows[0]["passed"]:
                return
            await asyncio.sleep(max(0.05, rows[0]["rest"] if rows else _LOOK_SECONDS))

    async def kinds(self, prefix: str) -> list[str]:
        """Name the kinds that begin so and of which somebody alive holds a seat; raises `StoreDown`."""
        return [row["kind"] for row in await self._database.run(_KINDS, prefix=prefix)]

    def held(self) -> Mapping[str, int]:
        """Count the seats that are ours at this moment, by kind; of a kind that was asked for also none."""
        counted = Counter(seat.kind for seat in self._mine.values() if seat.held)
        return {kind: counted[kind] for kind in {*self._counts, *counted}}

    async def run(self) -> None:
        """Keep what is ours until cancelled; what is above our share is given back, what ran out is lost."""
        while True:
            try:
                await self._renew()
            except StoreDown as error:
                log.warning("seats_not_renewed", reason=str(error))
            self._lose_what_ran_out()
            await asyncio.sleep(self._term / 4)

    async def _try(self, kind: str, count: int, most: int) -> Seat | None:
        if sum(1 for one in self._mine if one[0] == kind) >= min(most, self._share(count)):
            return None
        asked = time.monotonic()
        rows = await self._database.run(
            _TAKE, kind=kind, count=count, holder=self._holder, seconds=self._term
        )
        if not rows:
            return None
        row = rows[0]
        seat = Seat(kind, row["number"], row["epoch"], asked + self._term, row["free_since"])
        self._mine[kind, seat.number] = seat
        log.info("seat_taken", kind=kind, number=seat.number, taken_over=bool(row["taken_over"]))
        return seat

    def _share(self, count: int) -> int:
        return -(-count // self._gateways())

    async def _renew(self) -> None:
        for kind, count in list(self._counts.items()):
            ours = sorted(seat.number for seat in self._mine.values() if seat.kind == kind)
            for number in ours[self._share(count) :]:
                log.info("seat_given_back", kind=kind, number=number)
                if (surplus := self._mine.get((kind, number))) is not None:
                    await self.give_back(surplus)
        held = list(self._mine.values())
        if not held:
            return
        asked = time.monotonic()
        rows = await self._database.run(
            _RENEW,
            kinds=[seat.kind for seat in held],
            numbers=[seat.number for seat in held],
            epochs=[seat.epoch for seat in held],
            seconds=self._term,
        )
        kept = {(row["kind"], row["number"]) for row in rows}
        for seat in held:
            if (seat.kind, seat.number) in kept:
                seat.deadline = asked + self._term
            else:
                self._lose(seat)

    def _lose_what_ran_out(self) -> None:
        for seat in list(self._mine.values()):
            if not seat.held:
                self._lose(seat)

    def _lose(self, seat: Seat) -> None:
        if self._mine.get((seat.kind, seat.number)) is seat:
            log.warning("seat_lost", kind=seat.kind, number=seat.number)
            del self._mine[seat.kind, seat.number]
        seat.lost.set()


# Two that take at once look for the same free number; the row's own lock lets one of them have it.
_TAKE: LiteralString = """
WITH free AS (
    SELECT wanted.number, taken.held_until - make_interval(secs => %(seconds)s) AS free_since
    FROM generate_series(0, %(count)s - 1) AS wanted (number)
    LEFT JOIN seats AS taken ON taken.kind = %(kind)s AND taken.number = wanted.number
    WHERE taken.held_until IS NULL OR taken.held_until < now()
    ORDER BY wanted.number LIMIT 1
), got AS (
    INSERT INTO seats AS seat (kind, number, holder, held_until)
    SELECT %(kind)s, number, %(holder)s, now() + make_interval(secs => %(seconds)s) FROM free
    ON CONFLICT (kind, number) DO UPDATE
    SET holder = excluded.holder, held_until = excluded.held_until, epoch = seat.epoch + 1
    WHERE seat.held_until < now()
    RETURNING number, epoch
)
SELECT number, epoch, epoch > 1 AS taken_over, free_since FROM got JOIN free USING (number)
"""

_RENEW: LiteralString = """
UPDATE seats SET held_until = now() + make_interval(secs => %(seconds)s)
FROM unnest(%(kinds)s::text[], %(numbers)s::bigint[], %(epochs)s::bigint[]) AS mine (kind, number, epoch)
WHERE seats.kind = mine.kind AND seats.number = mine.number AND seats.epoch = mine.epoch
RETURNING seats.kind, seats.number
"""

_LEAVE: LiteralString = """
UPDATE seats SET held_until = now() - interval '1 millisecond'
WHERE kind = %(kind)s AND number = %(number)s AND epoch = %(epoch)s
"""

_ALONE: LiteralString = """
WITH passed AS (
    INSERT INTO seats AS seat (kind, number, holder, held_until)
    VALUES (%(kind)s, %(number)s, %(holder)s, now() + make_interval(secs => %(seconds)s))
    ON CONFLICT (kind, number) DO UPDATE
    SET holder = excluded.holder, held_until = excluded.held_until, epoch = seat.epoch + 1
    WHERE seat.held_until < now()
    RETURNING true AS passed
)
SELECT EXISTS (SELECT FROM passed) AS passed, coalesce((
    SELECT extract(epoch FROM held_until - now())::float FROM seats
    WHERE kind = %(kind)s AND number = %(number)s), 0) AS rest
"""

_KINDS: LiteralString = """
SELECT DISTINCT kind FROM seats
WHERE starts_with(kind, %(prefix)s) AND held_until > now()
"""
