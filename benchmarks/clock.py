"""When what happened to each question, on the one clock that all processes of the machine share."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

SENT, ACKED, ASKED, TOLD, SHOWN, DONE = "sent", "acked", "asked", "told", "shown", "done"


@dataclass(slots=True)
class Clock:
    """The first moment of each stage, by the question's number."""

    moments: defaultdict[int, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    _waiting: dict[int, asyncio.Event] = field(default_factory=dict)
    answered: int = 0

    def note(self, question: int, stage: str) -> None:
        """Note that a question has come to a stage; only the first time counts."""
        known = self.moments[question]
        if stage in known:
            return
        known[stage] = time.monotonic()
        if stage == DONE:
            self.answered += 1
            self._waiting.setdefault(question, asyncio.Event()).set()

    async def done(self, question: int) -> None:
        """Wait until its whole answer stands."""
        await self._waiting.setdefault(question, asyncio.Event()).wait()

    def between(self, questions: Sequence[int], first: str, second: str) -> list[float]:
        """Give the milliseconds between two stages of the questions that came to both."""
        found = [self.moments[question] for question in questions]
        return [1000 * (one[second] - one[first]) for one in found if first in one and second in one]

    def count(self, stage: str) -> int:
        """How many questions have come to a stage."""
        return sum(stage in one for one in self.moments.values())


def percentile(values: Sequence[float], share: float) -> float:
    """Give the value that so large a share of them stay below or at; NaN of none."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else float("nan")
