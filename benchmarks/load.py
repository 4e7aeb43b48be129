"""The questions that are asked: one at a time, at a steady rate, by two hundred at once, or left open."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.clock import ACKED, ASKED, DONE, SENT, SHOWN, TOLD, percentile
from benchmarks.programs import Cost, Program
from benchmarks.world import Platform, World, until

PAUSE = 0.1
LAST_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Delays:
    """Milliseconds, half of them and 95 of 100 below: from the event to its ack, and so on."""

    to_ack: tuple[float, float]
    to_model: tuple[float, float]
    to_text: tuple[float, float]
    model_to_text: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Rate:
    """Answers (or whatever is counted) a second, and the milliseconds of CPU that one of them cost."""

    answers: float
    program: float
    postgres: float


async def one_at_a_time(world: World, platform: Platform, count: int) -> Delays:
    """Ask in one conversation after the other, each when the last has its answer."""
    asked = []
    for conversation in world.places(count):
        asked.append(await world.ask(platform, conversation))
        await asyncio.wait_for(world.clock.done(asked[-1]), 30)
        await asyncio.sleep(PAUSE)
    return _delays(world, asked)


async def steadily(world: World, platform: Platform, rate: float, count: int) -> Delays:
    """Ask at a steady rate in as many conversations, whatever is still to be answered."""
    asked, begun = [], time.monotonic()
    for place, conversation in enumerate(world.places(count)):
        await asyncio.sleep(max(0.0, begun + place / rate - time.monotonic()))
        asked.append(await world.ask(platform, conversation))
    await until(lambda: all(DONE in world.clock.moments[one] for one in asked))
    return _delays(world, asked)


async def all_at_once(
    world: World, platform: Platform, programs: Sequence[Program], people: int, seconds: float
) -> Rate:
    """Let many people ask, each again as soon as they have their answer; their first ones do not count."""
    over = asyncio.Event()
    places = world.places(people)
    asking = [asyncio.create_task(_asking(world, platform, one, over)) for one in places]
    first = world.clock.answered + people
    await until(lambda: world.clock.answered >= first)  # threads are read and connections opened by then
    begun, before, answered = time.monotonic(), cost(programs), world.clock.answered
    await asyncio.sleep(seconds)
    took, after = time.monotonic() - begun, cost(programs)
    answered = world.clock.answered - answered
    over.set()
    _, left = await asyncio.wait(asking, timeout=LAST_SECONDS)
    for task in left:
        task.cancel()
    if left:
        print(f"{len(left)} were not answered in {LAST_SECONDS:.0f} s", file=sys.stderr)
    return rated(answered, took, before, after)


async def left_open(world: World, platform: Platform, program: Program, streams: int) -> float:
    """Have so many answers stand open at once; give the megabytes that are resident then."""
    world.model.holding = True
    asked = [await world.ask(platform, conversation) for conversation in world.places(streams)]
    await until(lambda: all(ASKED in world.clock.moments[one] for one in asked))
    await asyncio.sleep(3.0)
    resident = program.memory()
    world.model.release()
    await until(lambda: all(DONE in world.clock.moments[one] for one in asked), 120)
    return resident


async def _asking(world: World, platform: Platform, conversation: int, over: asyncio.Event) -> None:
    while not over.is_set():
        question = await world.ask(platform, conversation)
        await world.clock.done(question)


def _delays(world: World, asked: Sequence[int]) -> Delays:
    pairs = [(SENT, ACKED), (SENT, ASKED), (SENT, SHOWN), (TOLD, SHOWN)]
    found = [world.clock.between(asked, first, second) for first, second in pairs]
    return Delays(*((percentile(one, 0.5), percentile(one, 0.95)) for one in found))


def rated(times: int, took: float, before: Cost, after: Cost) -> Rate:
    """Say how often a second something was done, and what each time cost."""
    one = 1000 / max(times, 1)
    spent = (after.program - before.program) * one, (after.postgres - before.postgres) * one
    return Rate(times / took, *spent)


def cost(programs: Sequence[Program]) -> Cost:
    """Say what was used until now."""
    costs = [program.cost() for program in programs]
    return Cost(sum(cost.program for cost in costs), costs[0].postgres)
