"""Runs a soak from its first question to its verdict."""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from tests.soak.faults import Faults
from tests.soak.judge import Verdict, answered, judge, open_work
from tests.soak.people import People
from tests.soak.stage import Stage, opened

LONGEST_DELAY = 15.0  # seconds that a rolling restart may delay an answer


@dataclass(frozen=True)
class Plan:
    """How long, how much, and how rough."""

    seed: int = 1
    seconds: float = 90.0
    rate: float = 6.0
    conversations: int = 200
    processes: int = 3
    roles: str = "gateway,worker"
    fault_every: float = 5.0
    frozen_for: float = 20.0
    calm_seconds: float = 90.0
    rolling: bool = False  # instead of faults, restart one process after the other
    grace: float | None = None  # seconds that running answers have at a stop; None for the setting's default


@dataclass
class Outcome:
    """What came of it; delays are seconds from when a question was asked to the end of its answer."""

    plan: Plan
    verdict: Verdict
    faults: Mapping[str, int] = field(default_factory=dict)
    delays: Mapping[str, float] = field(default_factory=dict)
    stops: Sequence[float] = ()  # how many seconds each process of a rolling restart took to stop

    @property
    def passed(self) -> bool:
        """Everything answered once, in order and whole, nine in ten before the calm, a rollout unnoticed."""
        in_time = not self.plan.rolling or self.delays["max"] <= LONGEST_DELAY
        quick = self.verdict.answered_before_calm >= 0.9 * self.verdict.asked
        return self.verdict.clean and quick and in_time

    def told(self) -> dict[str, Any]:
        """All of it, for a line of JSON."""
        counts = self.verdict.told()
        return {
            "seed": self.plan.seed,
            "seconds": self.plan.seconds,
            **counts,
            "passed": self.passed,
            "faults": dict(self.faults),
            "delays": dict(self.delays),
            **({"stops": list(self.stops)} if self.plan.rolling else {}),
        }


async def soak(plan: Plan, logs: Path | None = None) -> Outcome:
    """Carry out the plan; the processes' logs are kept in `logs` where something was wrong."""
    dice = random.Random(plan.seed)
    grace = {} if plan.grace is None else {"BOT_WORK__GRACE_SECONDS": str(plan.grace)}
    stops: list[float] = []
    async with opened(dice, plan.processes, plan.roles, grace) as stage:
        people = People(stage, plan.conversations)
        await people.settle()
        await stage.slack.until(lambda: len(stage.sockets.open) >= 1, 30)
        await stage.discord.until(lambda: bool(stage.discord.gateway.connected), 60)
        faults = Faults(stage, plan.fault_every, plan.frozen_for)
        trouble = asyncio.create_task(_restart_all(stage, plan, stops) if plan.rolling else faults.run())
        await people.ask(plan.rate, plan.seconds)
        while plan.rolling and not trouble.done():  # a restart that nobody writes during proves nothing
            await people.ask(plan.rate, 1.0)
        before = answered(stage, people)
        if not plan.rolling:
            trouble.cancel()
        await _ended(trouble)
        await faults.calm()
        await _settled(stage, people, plan.calm_seconds)
        verdict = await judge(stage, people, before)
        outcome = Outcome(plan, verdict, faults.done, await _delays(stage), stops)
        if logs is not None and not outcome.passed:
            _keep(stage, logs, verdict)
        return outcome


async def _restart_all(stage: Stage, plan: Plan, stops: list[float]) -> None:
    """Restart one process after the other, as a rollout does; note how long each took to stop."""
    loop = asyncio.get_running_loop()
    pause = plan.seconds / (plan.processes + 1)
    for house in stage.houses:
        await asyncio.sleep(pause / 2)
        told = loop.time()
        assert await house.stop() == 0, f"{house.name} did not stop well"
        stops.append(round(loop.time() - told, 2))
        await house.start()


async def _ended(trouble: asyncio.Task[None]) -> None:
    """Wait for its end; what it was wrong about is the soak's failure."""
    await asyncio.wait([trouble])
    if not trouble.cancelled():
        trouble.result()


async def _settled(stage: Stage, people: People, seconds: float) -> None:
    """Wait until everything is answered and nothing is in work; a judge tells what is not."""
    loop = asyncio.get_running_loop()
    until, quiet = loop.time() + seconds, 0
    while loop.time() < until and quiet < 8:  # two seconds long, so that nothing comes after
        whole = answered(stage, people) == len(people.asked) and not await open_work(stage)
        quiet = quiet + 1 if whole else 0
        await asyncio.sleep(0.25)


async def _delays(stage: Stage) -> dict[str, float]:
    """Say how long answers took, as the record has it."""
    statement = """
        SELECT percentile_cont(ARRAY[0.5, 0.95, 1.0]) WITHIN GROUP (ORDER BY extract(
            epoch FROM finished_at - asked_at))
        FROM turns JOIN (
            SELECT turn_id, min(sent_at) AS asked_at FROM messages WHERE NOT said GROUP BY turn_id
        ) AS asked ON asked.turn_id = turns.id WHERE state = 'done'
    """
    async with await psycopg.AsyncConnection.connect(stage.url) as connection:
        row = await (await connection.execute(statement)).fetchone()
    found = row[0] if row and row[0] else [0.0, 0.0, 0.0]
    return dict(zip(("p50", "p95", "max"), (round(float(one), 2) for one in found), strict=True))


def _keep(stage: Stage, logs: Path, verdict: Verdict) -> None:
    logs.mkdir(parents=True, exist_ok=True)
    for house in stage.houses:
        shutil.copy(house.log, logs)
    (logs / "notes.txt").write_text("\n".join(verdict.notes))
