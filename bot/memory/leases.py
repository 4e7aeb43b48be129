"""Keeps the leases of the answers in work alive, and learns when something newer is wanted of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import sqlalchemy as sa
import structlog

from bot.dialogue import Turn
from bot.errors import FrontdeskError, LeaseLost, StoreDown, Superseded
from bot.memory.bell import MISSED, Bell
from bot.memory.database import Database
from bot.memory.models import conversations, turns
from bot.memory.turns import LeaseTerms

log = structlog.get_logger()

_POLL_SECONDS = 0.5


class Lease:
    """The right to answer one turn, for as long as its deadline lies ahead and nobody else has taken it."""

    def __init__(self, turn: Turn, deadline: float, renew: Callable[[], Awaitable[None]]) -> None:
        """`deadline` is on the monotonic clock; `renew` asks the record for another term now."""
        self.turn = turn
        self._deadline = deadline
        self._renew = renew
        self._broken: FrontdeskError | None = None
        self._listeners: list[Callable[[FrontdeskError], None]] = []

    async def check(self) -> None:
        """
        Return where something may be written or posted at this moment.

        A lease that ran out while this process stood still is renewed first, if nobody has taken it since: an
        answer is not thrown away because a machine was busy. Raises `LeaseLost`, `Superseded`, or `StoreDown`
        where neither can be told.
        """
        if self._broken is None and time.monotonic() >= self._deadline:
            await self._renew()
        if self._broken is not None:
            raise self._broken
        if time.monotonic() >= self._deadline:
            raise LeaseLost(f"the lease of turn {self.turn.id} ran out")

    def on_break(self, listener: Callable[[FrontdeskError], None]) -> None:
        """Have `listener` called with the error as soon as the lease is known to be broken."""
        self._listeners.append(listener)
        if self._broken is not None:
            listener(self._broken)

    def renew(self, deadline: float) -> None:
        """Move the deadline."""
        self._deadline = deadline

    def end(self, error: FrontdeskError) -> None:
        """Break it; the first reason stays."""
        if self._broken is None:
            self._broken = error
            for listener in self._listeners:
                listener(error)


class Leases:
    """All leases this process holds."""

    def __init__(self, database: Database, bell: Bell, terms: LeaseTerms | None = None) -> None:
        """`bell` rings when a turn's revision was raised; else the poll finds it later."""
        self._database = database
        self._terms = terms or LeaseTerms()
        self._held: dict[int, Lease] = {}
        self._renewing = asyncio.Lock()
        self._bell = bell
        self._rung = asyncio.Event()

    @property
    def count(self) -> int:
        """How many answers are in work here."""
        return len(self._held)

    @asynccontextmanager
    async def hold(self, turn: Turn) -> AsyncIterator[Lease]:
        """Keep a lease alive, from when it was taken until the block ends."""
        taken_at = time.monotonic() if turn.taken_at is None else turn.taken_at
        lease = Lease(turn, taken_at + self._terms.seconds, self._renew)
        self._held[turn.id] = lease
        try:
            yield lease
        finally:
            if self._held.get(turn.id) is lease:
                del self._held[turn.id]

    async def run(self) -> None:
        """Beat and listen until cancelled; a database that is away lets the leases run out."""
        renewed = 0.0
        with self._bell.subscribe("turn:", self._ring):
            while True:
                self._rung.clear()  # before the look: what is told while it runs asks for another
                due = time.monotonic() - renewed >= self._terms.seconds / 4
                try:
                    if self._held:
                        await (self._renew() if due else self._look())
                    renewed = time.monotonic() if due else renewed
                except StoreDown as error:
                    log.warning("leases_not_renewed", reason=str(error))
                await self._pause()

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(_POLL_SECONDS):
                await self._rung.wait()
        except TimeoutError:
            return

    def _ring(self, news: str) -> None:
        if news == MISSED or int(news.removeprefix("turn:")) in self._held:
            self._rung.set()

    async def _renew(self) -> None:
        async with self._renewing:
            await self._renew_all()

    async def _renew_all(self) -> None:
        before = time.monotonic()
        held = dict(self._held)
        until = sa.func.now() + sa.func.make_interval(0, 0, 0, 0, 0, 0, self._terms.seconds)
        mine = sa.tuple_(conversations.c.id, conversations.c.lease_epoch)
        ours = [(lease.turn.conversation.id, lease.turn.epoch) for lease in held.values()]
        # In order of id, so that two processes that renew at once cannot wait for each other in a ring. What
        # ended while this waited for the row has no lease any more, and what was given back another epoch.
        rows = (
            sa.select(conversations.c.id)
            .where(mine.in_(ours), conversations.c.lease_until.is_not(None))
            .order_by(conversations.c.id)
            .with_for_update()
            .cte("mine")
        )
        statement = conversations.update().where(conversations.c.id == rows.c.id).values(lease_until=until)
        async with self._database.transaction() as connection:
            await connection.execute(statement)
        await self._look()
        for lease in held.values():
            lease.renew(before + self._terms.seconds)

    async def _look(self) -> None:
        held = dict(self._held)
        statement = (
            sa.select(turns.c.id, turns.c.revision, conversations.c.lease_epoch)
            .join(conversations, conversations.c.id == turns.c.conversation_id)
            .where(turns.c.id.in_(list(held)))
        )
        async with self._database.transaction() as connection:
            rows = (await connection.execute(statement)).all()
        found = {row.id: row for row in rows}
        for number, lease in held.items():
            row = found.get(number)
            if row is None or row.lease_epoch != lease.turn.epoch:
                lease.end(LeaseLost(f"turn {number} is another worker's"))
            elif row.revision != lease.turn.revision:
                lease.end(Superseded(f"something newer is wanted of turn {number}"))
