"""When what happened to each question, on the one clock that all processes of the machine share."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

SENT, ACKED, ASKED, TOLD, SHOWN, DONE = "sent", "acked", "asked", "told", "shown", "done"


@dataclass(slots=True)
class Clock:
    """The first moment of each stage, by the question's number, and the last at which it had a text shown."""

    moments: defaultdict[int, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    shown_at: dict[int, float] = field(default_factory=dict)
    reached: Counter[str] = field(default_factory=Counter)
    _waiting: dict[int, asyncio.Event] = field(default_factory=dict)

    def note(self, question: int, stage: str) -> None:
        """Note that a question has come to a stage; only the first time counts."""
        known, now = self.moments[question], time.monotonic()
        if stage == SHOWN:
            self.shown_at[question] = now
        if stage in known:
            return
        known[stage] = now
        self.reached[stage] += 1
        if stage == DONE:
            self._waiting.setdefault(question, asyncio.Event()).set()

    async def done(self, question: int) -> None:
        """Wait until its whole answer stands."""
        await self._waiting.setdefault(question, asyncio.Event()).wait()

    def between(self, questions: Sequence[int], first: str, second: str) -> list[float]:
        """Give the milliseconds between two stages of the questions that came to both."""
        found = [self.moments[question] for question in questions]
        return [1000 * (one[second] - one[first]) for one in found if first in one and second in one]

    @property
    def answered(self) -> int:
        """How many whole answers stand."""
        return self.reached[DONE]


def percentile(values: Sequence[float], share: float) -> float:
    """Give the value that so large a share of them stay below or at; NaN of none."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else float("nan")
