"""How the parts of a process end: told once, they end in their own time."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from bot.app import supervising
from bot.app.supervising import cancelled, ending
from bot.errors import TokenRefused


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


async def test_what_a_platform_refused_is_tried_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervising, "_REFUSED_PAUSE", 0.01)
    tries = 0
    stands = asyncio.Event()

    async def listen() -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise TokenRefused("revoked")
        stands.set()
        await asyncio.Event().wait()

    with capture_logs() as logs:
        listening = supervising.supervised("listen", listen)
        async with asyncio.timeout(5):
            await stands.wait()
        await supervising.cancelled([listening])
    assert [(line["event"], line["kind"]) for line in logs] == [("platform_refused", "TokenRefused")]
