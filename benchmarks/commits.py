"""How many transactions that write one answer costs, what the processes write at rest taken off."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from benchmarks import load
from benchmarks.team import BOTH, together, writes
from benchmarks.world import Platform, World

_REST_SECONDS = 20.0
_FIRST = 10


@dataclass(frozen=True, slots=True)
class Commits:
    """Write transactions: for one answer in one piece, and in a second of rest."""

    answer: float
    rest: float


async def counted(world: World, platform: Platform, answers: int) -> Commits:
    """Ask so many questions, one after the other, each in a thread of its own."""
    async with together(world, platform, [BOTH]) as team:
        await load.one_at_a_time(world, platform, _FIRST)
        rest = await _rate(team.url, _REST_SECONDS)
        before, begun = await writes(team.url), time.monotonic()
        await load.one_at_a_time(world, platform, answers)
        await asyncio.sleep(1.0)  # what is written after the last answer stands
        written, took = await writes(team.url) - before, time.monotonic() - begun
    return Commits((written - rest * took) / answers, rest)


def told(found: dict[str, Commits]) -> str:
    """Write a row a platform."""
    lines = ["| write commits | an answer in one piece | a second of rest |", "| --- | ---: | ---: |"]
    lines += [f"| {name} | {one.answer:.2f} | {one.rest:.2f} |" for name, one in found.items()]
    return "\n".join(lines)


async def _rate(url: str, seconds: float) -> float:
    before, begun = await writes(url), time.monotonic()
    await asyncio.sleep(seconds)
    return (await writes(url) - before) / (time.monotonic() - begun)
