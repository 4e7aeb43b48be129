"""The share of a token's requests: so many in any second, fewer where more processes call."""

from __future__ import annotations

import asyncio
import time

from bot.adapters.discord.budget import Budget


async def spent(budget: Budget, count: int) -> list[float]:
    """Spend so often, and say when each was let through."""
    began = time.monotonic()

    async def once() -> float:
        await budget.spend()
        return time.monotonic() - began

    return await asyncio.gather(*(once() for _ in range(count)))


async def test_what_is_within_the_share_goes_at_once_and_the_rest_a_second_later() -> None:
    passed = await spent(Budget(lambda: 1, 5), 7)
    assert max(passed[:5]) < 0.5
    assert min(passed[5:]) >= 1.0


async def test_two_processes_have_half_each() -> None:
    passed = await spent(Budget(lambda: 2, 6), 4)
    assert max(passed[:3]) < 0.5
    assert passed[3] >= 1.0


async def test_a_share_below_one_call_a_second_is_one_call_in_longer() -> None:
    passed = await spent(Budget(lambda: 3, 2), 2)
    assert passed[1] >= 1.5


async def test_who_waits_goes_on_when_others_leave() -> None:
    counted = iter([10, 10])  # for the first call and the second, which waits; then the others have left
    passed = await spent(Budget(lambda: next(counted, 1), 10), 3)
    assert passed[1] >= 1.0
    assert passed[2] < 1.5


async def test_calls_pass_in_the_order_they_came() -> None:
    budget, passed = Budget(lambda: 1, 3), []

    async def once(number: int) -> None:
        await budget.spend()
        passed.append(number)

    await asyncio.gather(*(once(number) for number in range(5)))
    assert passed == [0, 1, 2, 3, 4]
