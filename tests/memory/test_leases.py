"""Leases: a deadline on the monotonic clock, a beat, and the news that end them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace

import psycopg
import pytest
import sqlalchemy as sa

from bot.dialogue import Turn
from bot.errors import HeldElsewhere, LeaseLost, StoreDown, Superseded
from bot.memory.bell import Bell
from bot.memory.leases import Lease, Leases
from bot.memory.turns import LeaseTerms
from tests.memory.conftest import BEN, THREAD, Record, done, edited, message, running, until


async def broken(lease: Lease) -> float:
    """Wait until the lease is known to be broken; say how long that took."""
    began = time.monotonic()
    event = asyncio.Event()
    lease.on_break(lambda _: event.set())
    async with asyncio.timeout(5):
        await event.wait()
    return time.monotonic() - began


async def not_renewed() -> None:
    """Leave a lease as it is."""


async def test_a_lease_ends_at_its_deadline(record: Record) -> None:
    lease = Lease(await record.claimed("hello"), time.monotonic() + 0.05, not_renewed)
    await lease.check()
    await asyncio.sleep(0.06)
    with pytest.raises(LeaseLost):
        await lease.check()
    lease.renew(time.monotonic() + 5)
    await lease.check()


async def test_a_process_that_stood_still_goes_on_where_nobody_took_its_turn(record: Record) -> None:
    turn = await record.claimed("hello")
    assert turn.taken_at is not None
    frozen = replace(turn, taken_at=turn.taken_at - record.terms.seconds)
    async with record.leases.hold(frozen) as lease:
        await lease.check()
        with pytest.raises(HeldElsewhere):
            await record.turns.claim(turn.conversation.id)


async def test_a_process_that_stood_still_for_too_long_holds_no_lease(
    record: Record, another: Record
) -> None:
    turn = await record.claimed("hello")
    assert turn.taken_at is not None
    frozen = replace(turn, taken_at=turn.taken_at - record.terms.seconds)
    await record.lease_runs_out(turn.conversation.id)
    assert await another.turns.claim(turn.conversation.id) is not None
    async with record.leases.hold(frozen) as lease:
        with pytest.raises(LeaseLost):
            await lease.check()


@pytest.mark.parametrize("step", ["claim", "reload", "finish"])
async def test_a_lease_is_reckoned_from_before_the_database_was_asked_for_it(
    record: Record, another: Record, step: str
) -> None:
    number = await record.asked("hello", message("later", author=BEN))
    steps: dict[str, Callable[[Turn], Awaitable[Turn | None]]] = {
        "claim": lambda turn: record.turns.claim(number),
        "reload": record.turns.reload,
        "finish": lambda turn: record.turns.finish(turn, done()),
    }
    turn = await record.turns.claim(number)
    assert turn is not None
    if step == "claim":
        await record.lease_runs_out(number)
    async with another.database.transaction() as connection:
        await connection.execute(sa.text("SELECT FROM conversations FOR UPDATE"))
        asking = asyncio.create_task(waited_for(steps[step], turn))
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = :name"
        name = sa.make_url(record.url).database
        async with asyncio.timeout(5):
            while not await record.value(waiting, name=name):  # noqa: ASYNC110 — a lock has no event
                await asyncio.sleep(0.005)
        at_work = time.monotonic()
    taken = await asking
    assert taken is not None
    assert taken.taken_at is not None
    assert taken.taken_at < at_work


async def waited_for(step: Callable[[Turn], Awaitable[Turn | None]], turn: Turn) -> Turn | None:
    return await step(turn)


@pytest.mark.parametrize("end", ["finish", "release"])
async def test_a_renewal_that_comes_after_the_end_holds_nobody_up(record: Record, end: str) -> None:
    turn = await record.claimed("hello")
    async with record.leases.hold(turn):
        if end == "finish":
            await record.turns.finish(turn, done())
        else:
            await record.turns.release(turn)
        await record.leases._renew()
    await record.asked("and?")
    assert await record.turns.claim(turn.conversation.id) is not None


async def test_the_first_reason_of_a_break_stays_and_late_listeners_hear_it(record: Record) -> None:
    lease = Lease(await record.claimed("hello"), time.monotonic() + 5, not_renewed)
    heard: list[type] = []
    lease.on_break(lambda error: heard.append(type(error)))
    lease.end(Superseded("edited"))
    lease.end(LeaseLost("taken"))
    lease.on_break(lambda error: heard.append(type(error)))
    assert heard == [Superseded, Superseded]
    with pytest.raises(Superseded):
        await lease.check()


async def test_a_beat_keeps_the_lease_in_every_process(record: Record, another: Record) -> None:
    turn = await record.claimed("hello")
    async with running(record.leases.run()), record.leases.hold(turn) as lease:
        over = time.monotonic() + record.terms.seconds + record.terms.call + 0.3
        while time.monotonic() < over:
            await lease.check()
            with pytest.raises(HeldElsewhere):
                await another.turns.claim(turn.conversation.id)
            await asyncio.sleep(0.1)


async def test_a_lease_that_was_let_go_is_not_renewed(record: Record) -> None:
    turn = await record.claimed("hello")
    async with running(record.leases.run()):
        async with record.leases.hold(turn):
            pass
        taken = None
        async with asyncio.timeout(5):
            while taken is None:
                try:
                    taken = await record.turns.claim(turn.conversation.id)
                except HeldElsewhere as error:
                    await asyncio.sleep(error.seconds)
    assert taken.epoch == turn.epoch + 1


async def test_a_lost_lease_is_broken_and_not_taken_back(record: Record, another: Record) -> None:
    turn = await record.claimed("hello")
    await record.lease_runs_out(turn.conversation.id)
    taken = await another.turns.claim(turn.conversation.id)
    assert taken is not None
    until_before = await record.value("SELECT lease_until FROM conversations")
    async with running(record.leases.run()), record.leases.hold(turn) as lease:
        await broken(lease)
        with pytest.raises(LeaseLost):
            await lease.check()
        # Several beats later the other's lease is as the other left it.
        await asyncio.sleep(0.6)
    assert await record.value("SELECT lease_until FROM conversations") == until_before


@pytest.fixture
async def held(record: Record) -> Turn:
    return await record.claimed(message("frist", id="77"))


async def test_a_newer_question_breaks_the_lease_at_once(record: Record, held: Turn) -> None:
    async with running(record.bell.run(), record.leases.run()):
        async with asyncio.timeout(5):
            await record.bell.listening.wait()
        async with record.leases.hold(held) as lease:
            for text in ("first", "second"):
                await asyncio.sleep(0.02)
                await record.inbox.accept(edited(held.asked, text))
                assert await broken(lease) < 0.4
                with pytest.raises(Superseded):
                    await lease.check()


async def test_news_during_a_look_asks_for_another_look(record: Record, held: Turn) -> None:
    looks = 0

    class Told(Leases):
        async def _look(self) -> None:
            nonlocal looks
            looks += 1
            self._ring(f"turn:{held.id}")
            await super()._look()

    leases = Told(record.database, record.bell, record.terms)
    began = time.monotonic()
    async with running(leases.run()), leases.hold(held):
        await until(lambda: looks > 10)
    assert time.monotonic() - began < 10 * 0.5


async def test_a_deaf_bell_costs_half_a_second(record: Record, held: Turn) -> None:
    async with running(record.leases.run()), record.leases.hold(held) as lease:
        await record.inbox.accept(edited(held.asked, "first"))
        assert await broken(lease) < 1.0
        with pytest.raises(Superseded):
            await lease.check()


async def test_a_database_that_is_away_lets_the_lease_run_out(record: Record, postgres: str) -> None:
    turn = await record.claimed("hello")
    terms = LeaseTerms(seconds=0.4, call=0.1)
    leases = Leases(record.database, Bell(record.url), terms)
    name = sa.make_url(record.url).database
    async with await psycopg.AsyncConnection.connect(postgres, autocommit=True) as admin:
        await admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )
        async with running(leases.run()), leases.hold(turn) as lease:
            await lease.check()
            began = time.monotonic()
            async with asyncio.timeout(5):
                while not await _is_lost(lease):  # noqa: ASYNC110 - a deadline has no event
                    await asyncio.sleep(0.01)
            assert time.monotonic() - began < 1.0
        await admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


async def _is_lost(lease: Lease) -> bool:
    try:
        await lease.check()
    except (LeaseLost, StoreDown):
        return True
    return False


async def test_processes_that_renew_at_once_do_not_wait_in_a_ring(record: Record, another: Record) -> None:
    channels = [replace(THREAD, root=f"{number}.0") for number in range(5)]
    turns = [await record.claimed("hello", channel=channel) for channel in channels]
    async with AsyncExitStack() as stack:
        for process, order in ((record, turns), (another, turns[::-1])):
            leases = [await stack.enter_async_context(process.leases.hold(turn)) for turn in order]
        await asyncio.gather(*(process.leases._renew() for process in [record, another] * 10))
        for lease in leases:
            await lease.check()
