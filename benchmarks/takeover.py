"""How long an answer stands still when the process that makes it is killed, or stands still itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from benchmarks.clock import SHOWN, percentile
from benchmarks.team import BOTH, Team, together
from benchmarks.world import Platform, World, until

_OPEN = 3
_LONGEST = 60.0
_GROWN_SECONDS = 1.5
_THAWED_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class Takeover:
    """Seconds from the blow to the next text that people see of the same answer; how many they were."""

    half: float
    longest: float
    answers: int

    @classmethod
    def of(cls, seconds: list[float]) -> Takeover:
        """Sum up what was measured."""
        return cls(percentile(seconds, 0.5), max(seconds), len(seconds))


async def taken_over(world: World, platform: Platform, times: int) -> dict[str, Takeover]:
    """
    Kill, then freeze, the process that answers, so many times each; the model talks on all the while.

    Two processes are there; who was killed is started anew only when the other one has taken over.
    """
    found: dict[str, Takeover] = {}
    async with together(world, platform, [BOTH, BOTH]) as team:
        for name, blow in (("kill -9", _kill), ("SIGSTOP", _freeze)):
            taken: list[float] = []
            for _ in range(times):
                taken += await _once(world, platform, team, blow)
            found[name] = Takeover.of(taken)
    return found


def told(found: dict[str, dict[str, Takeover]]) -> str:
    """Write a row a platform and a blow."""
    lines = ["| takeover: blow → next visible text | p50, s | longest, s | answers |"]
    lines.append("| --- | ---: | ---: | ---: |")
    for platform, blows in found.items():
        for blow, one in blows.items():
            lines.append(f"| {platform}, {blow} | {one.half:.1f} | {one.longest:.1f} | {one.answers} |")
    return "\n".join(lines)


Recover = Callable[[], Awaitable[None]]
Blow = Callable[[Team, str], Awaitable[Recover]]


async def _once(world: World, platform: Platform, team: Team, blow: Blow) -> list[float]:
    """Have a few answers grow, strike who makes the first, and time those that were struck."""
    world.model.holding = True
    asked = [await world.ask(platform, place) for place in world.places(_OPEN)]
    await until(lambda: all(SHOWN in world.clock.moments[one] for one in asked))
    await asyncio.sleep(_GROWN_SECONDS)
    name = team.answering(asked[0])
    struck = [one for one in asked if team.answering(one) == name]
    begun = time.monotonic()
    recover = await blow(team, name)
    taken = await asyncio.gather(*(_seen_again(world, team, one, name) for one in struck))
    world.model.release()
    await asyncio.gather(*(world.clock.done(one) for one in asked))
    await recover()
    return [one - begun for one in taken]


async def _seen_again(world: World, team: Team, question: int, name: str) -> float:
    """Wait for the first text that another process shows."""
    await until(lambda: team.answering(question) != name, _LONGEST)
    asked = time.monotonic()
    await until(lambda: world.clock.shown_at[question] >= asked, _LONGEST)
    return world.clock.shown_at[question]


async def _kill(team: Team, name: str) -> Recover:
    await team.leave(name).kill()

    async def again() -> None:
        await team.start([BOTH])

    return again


async def _freeze(team: Team, name: str) -> Recover:
    frozen = team.member(name)
    frozen.freeze()

    async def go_on() -> None:
        frozen.thaw()
        await asyncio.sleep(_THAWED_SECONDS)

    return go_on
