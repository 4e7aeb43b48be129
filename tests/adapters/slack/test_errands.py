"""Errands run beside everything else, each once, and are let finish."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from bot.adapters.slack.errands import Errands
from bot.errors import PostRefused, StoreDown


async def test_an_errand_of_the_same_name_runs_once() -> None:
    done: list[int] = []

    async def work(number: int) -> None:
        done.append(number)

    errands = Errands()
    errands.run(work(1), "press 1")
    errands.run(work(2), "press 1")
    errands.run(work(3), "press 2")
    errands.run(work(4))
    await errands.finish()
    assert done == [1, 3, 4]


async def test_what_runs_is_let_finish_and_what_is_late_is_ended() -> None:
    ended: list[str] = []

    async def work(name: str, gate: asyncio.Event) -> None:
        try:
            await gate.wait()
            ended.append(name)
        except asyncio.CancelledError:
            ended.append(f"{name} cancelled")
            raise

    open_gate, shut_gate = asyncio.Event(), asyncio.Event()
    errands = Errands()
    errands.run(work("quick", open_gate))
    errands.run(work("late", shut_gate))
    open_gate.set()
    await errands.finish(0.05)
    assert ended == ["quick", "late cancelled"]
    await errands.finish()


@pytest.mark.parametrize(
    ("error", "event"),
    [
        (PostRefused("Slack refuses"), "slack_errand_refused"),
        (StoreDown("secret address"), "slack_errand_refused"),
        (KeyError("a fault of ours"), "slack_errand_failed"),
    ],
)
async def test_a_failure_is_logged_and_hurts_no_other(error: Exception, event: str) -> None:
    async def work() -> None:
        raise error

    errands = Errands()
    with capture_logs() as logs:
        errands.run(work())
        await errands.finish()
    assert [line["event"] for line in logs] == [event]
    assert "secret" not in str(logs)
