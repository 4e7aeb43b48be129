"""Work is done until its end comes; either one's error is raised, and nothing is left running."""

from __future__ import annotations

import asyncio

import pytest

from bot.adapters.discord.racing import until


async def test_the_end_ends_the_work() -> None:
    end, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        try:
            end.set()
            await asyncio.Event().wait()
        finally:
            ended.set()

    await until(end.wait(), work())
    assert ended.is_set()


async def test_work_that_is_done_needs_no_end() -> None:
    await until(asyncio.Event().wait(), asyncio.sleep(0))


@pytest.mark.parametrize("work_fails", [True, False])
async def test_what_one_dies_of_is_raised(work_fails: bool) -> None:
    async def fail() -> None:
        raise LookupError("gone")

    with pytest.raises(LookupError):
        await (until(asyncio.Event().wait(), fail()) if work_fails else until(fail(), asyncio.sleep(9)))
