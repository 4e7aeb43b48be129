"""Slack's rates are not overdrawn."""

from __future__ import annotations

import asyncio

from bot.adapters.slack.budgets import CHANNELS, Budget, Budgets


async def test_a_burst_and_then_nothing() -> None:
    budget = Budget(per_minute=60, burst=3)
    assert [budget.take() for _ in range(4)] == [True, True, True, False]


async def test_who_waits_gets_the_next_in_time() -> None:
    loop = asyncio.get_running_loop()
    budget = Budget(per_minute=1_200, burst=1)
    began = loop.time()
    await asyncio.gather(*(budget.wait() for _ in range(4)))
    assert 0.14 <= loop.time() - began < 2


async def test_after_a_refusal_nothing_is_asked_for_so_long() -> None:
    budget = Budget(per_minute=60_000, burst=10)
    assert budget.take()
    budget.rest(0.05)
    assert not budget.take()
    began = asyncio.get_running_loop().time()
    await budget.wait()
    assert asyncio.get_running_loop().time() - began >= 0.04


async def test_each_channel_has_its_own_and_only_so_many_are_kept() -> None:
    budgets = Budgets()
    first = budgets.posts("C1")
    assert budgets.posts("C1") is first
    for number in range(CHANNELS + 1):
        budgets.posts(f"D{number}")
    assert budgets.posts("C1") is not first


async def test_the_rates_are_divided_among_those_who_are_at_work() -> None:
    workers = 1
    budgets = Budgets(lambda: workers)
    assert (budgets.updates.left(), budgets.posts("C1").left()) == (20, 3)
    workers = 4
    assert (budgets.updates.left(), budgets.posts("C1").left()) == (5, 1)
    assert [budgets.updates.take() for _ in range(6)] == [True] * 5 + [False]
    workers = 1
    assert budgets.updates.left() < 20  # what was taken stays taken


async def test_a_post_that_could_be_left_out_is_had_only_where_others_leave_room() -> None:
    budgets = Budgets()
    assert budgets.spare_post("C1")
    assert budgets.posts("C1").take()
    assert budgets.posts("C1").take()
    assert not budgets.spare_post("C1")
    budgets.pledged = budgets.updates.left()
    assert not budgets.spare_post("C2")
