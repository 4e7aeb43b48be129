"""A seat has one holder, who beats; it is taken over from a silent one, shared out, and given back."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from bot.memory.database import Database
from bot.memory.seats import Seats
from tests.memory.conftest import Record

TERM = 0.6
KIND = "shard"


@pytest.fixture
def database(record: Record) -> Database:
    return record.database


def seats(database: Database, holder: str, gateways: int = 1, term: float = TERM) -> Seats:
    return Seats(database, holder, lambda: gateways, term)


async def taken(by: Seats, count: int = 1, most: int = 10) -> int | None:
    with suppress(TimeoutError):
        async with asyncio.timeout(0.2):
            return (await by.take(KIND, count, most)).number
    return None


async def test_a_seat_has_one_holder(database: Database) -> None:
    first, second = seats(database, "a"), seats(database, "b")
    assert await taken(first, 2) == 0
    assert second.held() == {}
    assert await taken(second, 2) == 1
    assert await taken(second, 2) is None
    assert second.held() == {KIND: 1}


async def test_many_who_take_at_once_get_different_seats(database: Database) -> None:
    rivals = [seats(database, str(number), gateways=8, term=60) for number in range(8)]
    got = await asyncio.gather(*(rival.take(KIND, 8, 8) for rival in rivals))
    assert sorted(seat.number for seat in got) == list(range(8))


async def test_the_seat_of_a_silent_holder_is_taken_over_and_lost_for_it(database: Database) -> None:
    frozen, other = seats(database, "a"), seats(database, "b")
    seat = await frozen.take(KIND, 1, 1)
    async with asyncio.timeout(5):
        later = await other.take(KIND, 1, 1)
    assert (later.number, later.epoch) == (seat.number, seat.epoch + 1)
    assert not seat.held
    thawed = asyncio.create_task(frozen.run())
    async with asyncio.timeout(5):
        await seat.lost.wait()
    thawed.cancel()
    await frozen.give_back(seat)  # which is not its own any more
    assert later.held
    assert await taken(seats(database, "c")) is None


async def test_a_holder_that_beats_keeps_its_seat(database: Database) -> None:
    holder, other = seats(database, "a"), seats(database, "b")
    seat = await holder.take(KIND, 1, 1)
    beating = asyncio.create_task(holder.run())
    await asyncio.sleep(2 * TERM)  # longer than its term
    assert seat.held
    assert await taken(other) is None
    beating.cancel()


async def test_a_seat_that_is_given_back_is_free_at_once(database: Database) -> None:
    first, second = seats(database, "a", term=60), seats(database, "b")
    await first.give_back(await first.take(KIND, 1, 1))
    assert await taken(second) == 0


async def test_nobody_takes_more_than_a_share(database: Database) -> None:
    first = seats(database, "a", gateways=2, term=60)
    assert [await taken(first, 3) for _ in range(3)] == [0, 1, None]
    assert await taken(seats(database, "b", gateways=1), 3, most=1) == 2


async def test_what_is_above_the_share_is_given_back_when_another_comes(database: Database) -> None:
    gateways = [1]
    first = Seats(database, "a", lambda: gateways[0], TERM)
    held = [await first.take(KIND, 4, 4) for _ in range(4)]
    gateways[0] = 2
    running = asyncio.create_task(first.run())
    async with asyncio.timeout(5):
        await held[3].lost.wait()
        await held[2].lost.wait()
    second = seats(database, "b", gateways=2)
    assert {await taken(second, 4), await taken(second, 4)} == {2, 3}
    assert held[0].held
    running.cancel()


async def test_turns_are_given_one_after_the_other(database: Database) -> None:
    first, second = seats(database, "a"), seats(database, "b")
    loop = asyncio.get_running_loop()
    await first.wait_for_turn("identify", 0, 0.3)
    began = loop.time()
    await second.wait_for_turn("identify", 1, 0.3)
    assert loop.time() - began < 0.25  # another number waits for nobody
    await second.wait_for_turn("identify", 0, 0.3)
    assert loop.time() - began > 0.2


async def test_a_seat_tells_until_when_it_was_held(database: Database) -> None:
    first, second = seats(database, "a"), seats(database, "b")
    seat = await first.take(KIND, 1, 1)
    assert seat.free_since is None
    async with asyncio.timeout(5):
        taken_over = await second.take(KIND, 1, 1)
    assert taken_over.free_since is not None
    silent = datetime.now(UTC) - taken_over.free_since
    assert timedelta(seconds=TERM) <= silent < timedelta(seconds=5)


async def test_the_kinds_that_the_living_hold_are_named(database: Database) -> None:
    ours = seats(database, "a", term=60)
    await ours.take("shard:2", 2, 2)
    await ours.take("shard:4", 4, 4)
    left = await ours.take("shard:8", 8, 8)
    await ours.take("socket", 1, 1)
    await ours.give_back(left)
    assert sorted(await ours.kinds("shard:")) == ["shard:2", "shard:4"]
