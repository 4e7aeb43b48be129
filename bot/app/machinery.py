"""This process among the others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from bot.app.roles import Role
from bot.memory.marks import Marks
from bot.memory.processes import Processes
from bot.memory.seats import Seats


@dataclass(frozen=True, slots=True)
class Machinery:
    """
    This process among the others, what only one of them may hold, and how far they heard together.

    What was written while none of them listened is fetched unless it is older than `gaps`.
    """

    processes: Processes
    seats: Seats
    marks: Marks
    gaps: timedelta

    def share(self) -> int:
        """Say among how many workers the rates of what answers are divided."""
        return self.processes.count(Role.WORKER)
