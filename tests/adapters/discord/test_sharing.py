"""The seats of a process alone keep what those in Postgres keep; IDENTIFYs take turns by their key."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import pytest

from bot.adapters.discord import sharing
from bot.adapters.discord.sharing import LocalSeat, LocalSeats, Sharing


async def test_a_seat_is_had_once_until_it_is_given_back() -> None:
    seats = LocalSeats()
    first, second = await seats.take("shard:2", 2, 2), await seats.take("shard:2", 2, 2)
    third = asyncio.create_task(seats.take("shard:2", 2, 2))
    await asyncio.sleep(0)
    assert [first.number, second.number, third.done()] == [0, 1, False]
    await seats.give_back(first)
    assert (await third).number == 0
    assert first.lost.is_set()


async def test_the_kinds_that_are_held_are_named() -> None:
    seats = LocalSeats()
    await seats.take("shard:2", 2, 2)
    left = await seats.take("shard:4", 4, 4)
    await seats.give_back(left)
    assert list(await seats.kinds("shard:")) == ["shard:2"]
    assert list(await seats.kinds("socket:")) == []


async def test_identifies_of_one_key_wait_for_each_other_and_those_of_another_do_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sharing, "IDENTIFY_SECONDS", 0.2)
    ours, began = Sharing(), time.monotonic()

    async def identified(shard: int) -> float:
        await ours.may_identify(shard, 2)
        return time.monotonic() - began

    first, other, second, third = await asyncio.gather(*(identified(shard) for shard in (0, 1, 2, 4)))
    assert max(first, other) < 0.15
    assert second >= 0.2
    assert third >= 0.4


async def test_a_turn_is_asked_for_by_the_shards_key() -> None:
    asked: list[tuple[str, int, float]] = []

    class Recorded(LocalSeats):
        async def wait_for_turn(self, kind: str, number: int, seconds: float) -> None:
            asked.append((kind, number, seconds))

        async def kinds(self, prefix: str) -> Sequence[str]:
            return []

    await Sharing(Recorded()).may_identify(21, 16)
    assert asked == [("discord-identify", 5, sharing.IDENTIFY_SECONDS)]
    assert LocalSeat("shard:1", 0).lost.is_set() is False
