"""How many transactions that write one answer costs, what processes write by the clock taken off."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from benchmarks.clock import percentile
from benchmarks.team import BOTH, Writes, together, writes_of
from benchmarks.world import Platform, World

_REST_SECONDS = 15.0
_THREADS = 20
_AFTER_SECONDS = 0.15  # what is written once the answer stands, the job's end among it


@dataclass(frozen=True, slots=True)
class Commits:
    """
    Write transactions: for one answer in one piece, and in a second of rest.

    `answer` is what one in ten answers that were counted one by one stayed at or below, since a heartbeat can
    only add to them; `mean` is all that was written, less the rest's share, by the number of answers.
    """

    answer: float
    mean: float
    rest: float


async def counted(world: World, platform: Platform, answers: int) -> Commits:
    """Ask so many questions, one after the other, in threads where something was asked before."""
    async with together(world, platform, [BOTH]) as team, writes_of(team.url) as writes:
        threads = world.places(_THREADS)
        for conversation in threads:
            await world.clock.done(await world.ask(platform, conversation))
        rest = await _rate(writes, _REST_SECONDS)
        begun, each = time.monotonic(), []
        for number in range(answers):
            before = await writes.count()
            question = await world.ask(platform, threads[number % len(threads)])
            await asyncio.wait_for(world.clock.done(question), 30)
            await asyncio.sleep(_AFTER_SECONDS)
            each.append(await writes.count() - before)
        took = time.monotonic() - begun
    return Commits(percentile(each, 0.1), (sum(each) - rest * took) / answers, rest)


def told(found: dict[str, Commits]) -> str:
    """Write a row a platform."""
    lines = ["| write commits | an answer in one piece | on the mean | a second of rest |"]
    lines.append("| --- | ---: | ---: | ---: |")
    for name, one in found.items():
        lines.append(f"| {name} | {one.answer:.0f} | {one.mean:.2f} | {one.rest:.2f} |")
    return "\n".join(lines)


async def _rate(writes: Writes, seconds: float) -> float:
    before, begun = await writes.count(), time.monotonic()
    await asyncio.sleep(seconds)
    return (await writes.count() - before) / (time.monotonic() - begun)
