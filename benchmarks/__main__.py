"""`make bench`: runs all measurements and prints one table."""

from __future__ import annotations

import argparse
import asyncio
import os
import platform as machine
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

import psutil

from benchmarks import commits, load, programs, scale, takeover, world
from benchmarks.growth import grown
from benchmarks.recall import recalled
from benchmarks.table import Figures, written
from bot.app.logs import configure_logs

_LOADED_RATE = 20.0


@dataclass(frozen=True, slots=True)
class Size:
    """How much is asked."""

    calm: int = 60
    loaded: int = 100
    people: int = 200
    seconds: float = 10.0
    streams: tuple[int, ...] = (200, 500)
    processes: tuple[int, ...] = (1, 2, 4)
    kills: int = 10
    counted: int = 200


QUICK = Size(15, 30, seconds=4.0, streams=(200,), processes=(1, 2), kills=4, counted=40)
MANY = ("scale", "takeover", "commits")


async def bot(here: world.World, platform: world.Platform, size: Size, figures: Figures) -> None:
    """Measure `bot run` as people start it, with a database of its own; then two of them on one."""
    environment = here.environment(platform)
    async with programs.folder() as data, programs.running(environment, data) as first:
        await world.until(lambda: platform.connected == 1)
        await asyncio.sleep(2.0)
        figures.memory[0] = first.memory()
        await _asked(here, platform, size, figures, [first])
        if platform is here.slack:
            for streams in size.streams:
                figures.memory[streams] = await load.left_open(here, platform, first, streams)
            async with programs.running(environment, data) as second:
                await world.until(lambda: platform.connected == 2)
                two = [first, second]
                figures.two = await load.all_at_once(here, platform, two, size.people, size.seconds)


async def floor(here: world.World, platform: world.Platform, size: Size, figures: Figures) -> None:
    """Measure the bare handler against the same doubles."""
    async with AsyncExitStack() as stack:
        data = await stack.enter_async_context(programs.folder())
        words = "benchmarks.floors", platform.name
        bare = await stack.enter_async_context(programs.running(here.environment(platform), data, *words))
        await world.until(lambda: platform.connected == 1)
        await asyncio.sleep(1.0)
        figures.memory[0] = bare.memory()
        await _asked(here, platform, size, figures, [bare])


async def _asked(
    here: world.World, platform: world.Platform, size: Size, figures: Figures, run: list[programs.Program]
) -> None:
    await load.one_at_a_time(here, platform, 5)  # the first ones open connections
    figures.calm = await load.one_at_a_time(here, platform, size.calm)
    figures.loaded = await load.steadily(here, platform, _LOADED_RATE, size.loaded)
    figures.rate = await load.all_at_once(here, platform, run, size.people, size.seconds)


async def main(quick: bool, only: str) -> None:
    """Run what is asked for, and print the table."""
    size = QUICK if quick else Size()
    found: dict[str, Figures] = {}
    for name in ("Slack", "Discord"):
        for kind, measure in (("bot", bot), ("floor", floor)):
            if only and only not in f"{name} {kind}".lower():
                continue
            async with world.opened() as here:
                figures = found[f"{name} {kind}"] = Figures()
                print(f"measuring {name} {kind} …", file=sys.stderr, flush=True)
                await measure(here, here.slack if name == "Slack" else here.discord, size, figures)
    recall = {}
    if not only or only == "recall":
        print("measuring recall …", file=sys.stderr, flush=True)
        async with programs.folder() as data:
            recall = await recalled(data / "data")
    growth = {}
    if not only or only == "growth":
        print("measuring growth …", file=sys.stderr, flush=True)
        configure_logs("console", level=40)
        async with programs.folder() as data:
            growth = await grown(data / "data")
    tables = [written(found, recall, growth)] if found or recall or growth else []
    for name in MANY:
        if not only or only.startswith(name):
            tables.append(await _many(name, size, only.removeprefix(name).strip()))
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC · {_machine()}\n")
    print("\n\n".join(tables))


async def _many(name: str, size: Size, only: str) -> str:
    """Measure what several processes do together, on the platforms that are asked for; give the table."""
    scales: dict[str, scale.Scale] = {}
    takeovers: dict[str, dict[str, takeover.Takeover]] = {}
    counts: dict[str, commits.Commits] = {}
    for platform in ("Slack", "Discord"):
        if only and only != platform.lower():
            continue
        async with world.opened() as here:
            print(f"measuring {name} {platform} …", file=sys.stderr, flush=True)
            on = here.slack if platform == "Slack" else here.discord
            if name == "scale":
                scales[platform] = await scale.scaled(here, on, size.processes, size.seconds)
            elif name == "takeover":
                takeovers[platform] = await takeover.taken_over(here, on, size.kills)
            else:
                counts[platform] = await commits.counted(here, on, size.counted)
    if name == "scale":
        return scale.told(scales)
    return takeover.told(takeovers) if name == "takeover" else commits.told(counts)


def _machine() -> str:
    memory = psutil.virtual_memory().total / 2**30
    load_before = os.getloadavg()[2]
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB, {machine.system()} {machine.machine()}, "
        f"Python {machine.python_version()}, load {load_before:.1f} over the last quarter of an hour"
    )


if __name__ == "__main__":
    options = argparse.ArgumentParser(prog="make bench")
    options.add_argument("--quick", action="store_true", help="fewer questions, about a minute and a half")
    options.add_argument(
        "--only",
        default="",
        help="slack, discord, floor, recall, growth, scale, takeover, commits, 'slack bot', 'scale slack' …",
    )
    given = options.parse_args()
    asyncio.run(main(given.quick, given.only))
