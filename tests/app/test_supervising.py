"""How the parts of a process end: told once, they end in their own time."""

from __future__ import annotations

import asyncio

from bot.app.supervising import cancelled, ending


async def test_a_part_that_was_told_to_end_is_not_cut_short_by_a_second_word() -> None:
    told, may_end = asyncio.Event(), asyncio.Event()

    async def part() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            told.set()
            await may_end.wait()  # as a queue whose answers have their grace
        return "whole"

    task = asyncio.create_task(part())
    await asyncio.sleep(0)
    ending([task])
    await told.wait()
    end = asyncio.create_task(cancelled([task]))
    await asyncio.sleep(0)
    may_end.set()
    await end
    assert task.result() == "whole"
