"""Who waits is told once, in the place of the answer, as far as the platform has room for it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from bot.dialogue import Channel, Platform, Turn
from bot.errors import LeaseLost, PlatformDown, StoreDown, Superseded
from bot.worker import Queued
from tests.fakes import FakeAdapter, FakeRecord, FakeWords, a_turn

WORD = "[en:queued]"


class FakeWaiting:
    """Turns in the queue, in memory; `given_back` has who was told."""

    def __init__(self, *turns: Turn) -> None:
        self.turns = {turn.id: turn for turn in turns}
        self.given_back: list[tuple[int, float, bool]] = []
        self.error: Exception | None = None
        self.ended: list[bool] = []
        self.looks = 0

    async def untold(self) -> Sequence[tuple[int, Channel]]:
        self.looks += 1
        if self.error is not None:
            raise self.error
        return [(number, turn.conversation.channel) for number, turn in self.turns.items()]

    async def take(self, number: int) -> tuple[Turn, float] | None:
        turn = self.turns.pop(number, None)
        return (turn, 7.0) if turn is not None else None

    async def give_back(self, turn: Turn, pause: float, *, told: bool, ended: bool = True) -> None:
        self.given_back.append((turn.id, pause, told))
        self.ended.append(ended)


class Crowded(FakeAdapter):
    """A platform that spares only so many posts."""

    spare = 1

    def spares(self, channel: Channel) -> bool:
        self.spare -= 1
        return self.spare >= 0


class House:
    """What tells, with all it needs."""

    def __init__(self, *turns: Turn, adapter: FakeAdapter | None = None) -> None:
        self.waiting = FakeWaiting(*turns)
        self.adapter = adapter or FakeAdapter()
        self.record = FakeRecord()
        adapters = {Platform.SLACK: self.adapter}
        self.queued = Queued(self.waiting, adapters, self.record, self.record, FakeWords(), every=0.001)


async def test_who_waits_is_told_in_one_post_and_waits_on() -> None:
    house = House(a_turn("How are you?"), a_turn("And you?", number=2))
    await house.queued.tell()
    assert house.adapter.room.shown == (WORD, WORD)
    assert house.waiting.given_back == [(1, 7.0, True), (2, 7.0, True)]
    assert not any(slot.unsure for posts in house.record.posts.values() for slot in posts.slots.values())


async def test_a_turn_that_was_taken_up_meanwhile_is_left_alone() -> None:
    house = House(a_turn("How are you?"))
    await asyncio.gather(house.queued.tell(), house.queued.tell())  # both find it, one takes it
    assert house.adapter.sends == 1
    assert house.waiting.given_back == [(1, 7.0, True)]


@pytest.mark.parametrize("error", [Superseded("newer"), LeaseLost("gone")])
async def test_something_newer_is_looked_at_anew(error: Exception) -> None:
    house = House(a_turn("How are you?"), adapter=(adapter := FakeAdapter()))
    adapter.error = error
    await house.queued.tell()
    assert house.waiting.given_back == [(1, 7.0, False)]
    assert house.waiting.ended == [False]


async def test_a_platform_that_is_away_is_not_asked_for_it_twice() -> None:
    house = House(a_turn("How are you?"), adapter=(adapter := FakeAdapter()))
    adapter.error = PlatformDown("away")
    await house.queued.tell()
    assert house.waiting.given_back == [(1, 7.0, True)]


async def test_a_crowded_platform_is_spared() -> None:
    house = House(a_turn("one"), a_turn("two", number=2), adapter=Crowded())
    await house.queued.tell()
    assert house.adapter.sends == 1
    assert list(house.waiting.turns) == [2]


async def test_a_database_that_is_away_is_waited_for() -> None:
    house = House(a_turn("How are you?"))
    house.waiting.error = StoreDown("away")
    with capture_logs() as logs:
        running = asyncio.create_task(house.queued.run())
        async with asyncio.timeout(5):
            while house.waiting.looks < 2:  # noqa: ASYNC110 — what is waited for has no event
                await asyncio.sleep(0.001)
            house.waiting.error = None
            await house.adapter.room.until(lambda shown: shown == (WORD,))
        running.cancel()
        await asyncio.wait({running})
    assert logs[0]["event"] == "queue_not_told"


async def test_who_is_stopped_in_between_leaves_nothing_held() -> None:
    house = House(a_turn("How are you?"), adapter=(adapter := FakeAdapter()))
    begun = asyncio.Event()

    async def never(*_: object) -> None:
        begun.set()
        await asyncio.Event().wait()

    adapter.send = never  # type: ignore[method-assign, assignment]
    running = asyncio.create_task(house.queued.run())
    await asyncio.wait_for(begun.wait(), 5)
    running.cancel()
    await asyncio.wait({running})
    assert house.waiting.given_back == [(1, 7.0, False)]
    assert house.waiting.ended == [False]
