"""A short soak, so that every change is tried; `make soak` is the long one."""

from __future__ import annotations

import pytest

from tests.soak.judge import Standing, Verdict
from tests.soak.run import LONGEST_DELAY, Plan, soak

SHORT = Plan(
    seed=1,
    seconds=16,
    rate=4,
    conversations=24,
    processes=2,
    fault_every=3.0,
    frozen_for=8.0,
    calm_seconds=45.0,
)
# Shorter than most answers take, so that each stop hands some over.
ROLLING = Plan(
    seed=2, seconds=6, rate=2, conversations=8, processes=2, rolling=True, grace=0.3, calm_seconds=30
)


async def test_whatever_breaks_every_question_gets_its_one_answer() -> None:
    outcome = await soak(SHORT)
    assert outcome.verdict.clean, "\n".join([str(outcome.told()), *outcome.verdict.notes])


@pytest.mark.timeout(300)  # both processes start twice, which a busy machine takes its time for
async def test_a_rolling_restart_loses_doubles_and_delays_nothing() -> None:
    outcome = await soak(ROLLING)
    told = "\n".join([str(outcome.told()), *outcome.verdict.notes])
    assert outcome.verdict.clean, told
    assert outcome.delays["max"] <= LONGEST_DELAY, told
    assert len(outcome.stops) == ROLLING.processes


def test_an_answer_names_what_it_answers() -> None:
    assert Standing((1,), "Answer to q1 q22. Some more").marks == ["q1", "q22"]


@pytest.mark.parametrize("wrong", ["lost", "doubled", "out_of_order", "half_done"])
def test_a_verdict_with_anything_wrong_is_not_clean(wrong: str) -> None:
    assert Verdict(asked=3, answered=3).clean
    assert not Verdict(asked=3, answered=2).clean
    verdict = Verdict(asked=3, answered=3)
    setattr(verdict, wrong, 1)
    assert not verdict.clean
