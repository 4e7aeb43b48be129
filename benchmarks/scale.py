"""What one, two and four processes accept and answer, and how long people wait at half and 90 % of that."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmarks import load
from benchmarks.clock import ACKED, ASKED, SENT, SHOWN, percentile
from benchmarks.load import Rate
from benchmarks.slack import Slack
from benchmarks.team import BOTH, Team, together
from benchmarks.world import Platform, World, until

_UNACKED = 64  # so many events are on their way at any moment
_PEOPLE = 200
_SEED = 1
_LAST_SECONDS = 60.0

Percentiles = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Waits:
    """Milliseconds at p50, p95 and p99, at so many questions a second."""

    rate: float
    to_model: Percentiles
    to_text: Percentiles


@dataclass(slots=True)
class Scale:
    """What was measured of one platform; rates by the number of processes, waits by the share of the best."""

    accepted: dict[int, Rate] = field(default_factory=dict)
    answered: dict[int, Rate] = field(default_factory=dict)
    waits: dict[float, Waits] = field(default_factory=dict)


async def scaled(world: World, platform: Platform, sizes: tuple[int, ...], seconds: float) -> Scale:
    """Measure each number of processes, and the waits with the number that answered most."""
    found = Scale()
    for size in sizes:
        if isinstance(platform, Slack):
            async with together(world, platform, ["gateway"] * size) as team:
                found.accepted[size] = await _accepted(world, platform, team, seconds / 2)
        async with together(world, platform, _roles(platform, size)) as team:
            found.answered[size] = await _answered(world, platform, team, seconds)
    best = max(found.answered, key=lambda size: found.answered[size].answers)
    for share in (0.5, 0.9):
        async with together(world, platform, _roles(platform, best)):
            rate = share * found.answered[best].answers
            found.waits[share] = await _waits(world, platform, rate, 2 * seconds)
    return found


def told(found: Mapping[str, Scale]) -> str:
    """Write two tables: rates by the number of processes, and waits by the load."""
    lines = ["| processes (CPU of ours and of Postgres', ms each) | accepted / s | answered / s |"]
    lines.append("| --- | ---: | ---: |")
    for name, scale in found.items():
        for size, rate in scale.answered.items():
            accepted = _rate(scale.accepted[size]) if size in scale.accepted else "–"
            lines.append(f"| {name}, {size} | {accepted} | {_rate(rate)} |")
    lines += ["", "| waits, p50 / p95 / p99 ms | offered / s | event → model request | event → first text |"]
    lines.append("| --- | ---: | ---: | ---: |")
    for name, scale in found.items():
        for share, waits in scale.waits.items():
            figures = f"{waits.rate:.0f} | {_three(waits.to_model)} | {_three(waits.to_text)}"
            lines.append(f"| {name}, {share:.0%} of the most | {figures} |")
    return "\n".join(lines)


def _roles(platform: Platform, size: int) -> list[str]:
    """Who listens and who answers; a small server has one shard, which one process holds."""
    return [BOTH] * size if isinstance(platform, Slack) else ["gateway"] + ["worker"] * size


def _rate(rate: Rate) -> str:
    return f"{rate.answers:.0f} ({rate.program:.1f} and {rate.postgres:.1f})"


async def _accepted(world: World, slack: Slack, team: Team, seconds: float) -> Rate:
    """Count acks a second, with always the same number of events on their way; nobody answers."""
    clock = world.clock
    sent = before = clock.reached[ACKED]
    begun, spent = 0.0, load.cost(team.programs)
    warm = time.monotonic() + 2.0
    while not begun or time.monotonic() < begun + seconds:
        if not begun and time.monotonic() >= warm:
            before, begun, spent = clock.reached[ACKED], time.monotonic(), load.cost(team.programs)
        while sent - clock.reached[ACKED] < _UNACKED:
            sent += 1
            await slack.write(sent % _PEOPLE, world.question())
        await asyncio.sleep(0.001)
    took, times = time.monotonic() - begun, clock.reached[ACKED] - before
    rate = load.rated(times, took, spent, load.cost(team.programs))
    await until(lambda: clock.reached[ACKED] >= sent)
    return rate


async def _answered(world: World, platform: Platform, team: Team, seconds: float) -> Rate:
    return await load.all_at_once(world, platform, team.programs, _PEOPLE, seconds)


async def _waits(world: World, platform: Platform, rate: float, seconds: float) -> Waits:
    """
    Ask as people come: each on their own, whatever is still to be answered (a Poisson process).

    Nobody asks again before they have their answer, since both questions would be answered as one.
    """
    free, chance = deque(world.places(_PEOPLE)), random.Random(_SEED)
    for place in free:  # threads are read and connections opened by the first questions
        await world.clock.done(await world.ask(platform, place))
    asked: list[int] = []
    answered: set[asyncio.Task[None]] = set()
    due = time.monotonic()
    end = due + seconds
    while (due := due + chance.expovariate(rate)) < end:
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        place = free.popleft() if free else world.places(1)[0]
        asked.append(await world.ask(platform, place))
        answered.add(asyncio.create_task(_free_again(world, asked[-1], free, place)))
    await asyncio.wait(answered, timeout=_LAST_SECONDS)
    return Waits(rate, _spread(world, asked, ASKED), _spread(world, asked, SHOWN))


async def _free_again(world: World, question: int, free: deque[int], place: int) -> None:
    await world.clock.done(question)
    free.append(place)


def _spread(world: World, asked: list[int], stage: str) -> Percentiles:
    taken = world.clock.between(asked, SENT, stage)
    taken += [1000 * _LAST_SECONDS] * (len(asked) - len(taken))  # who got nothing waited the longest
    return percentile(taken, 0.5), percentile(taken, 0.95), percentile(taken, 0.99)


def _three(values: Percentiles) -> str:
    return " / ".join(f"{value:.0f}" for value in values)
