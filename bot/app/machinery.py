"""This process among the others."""

from __future__ import annotations

from dataclasses import dataclass

from bot.memory.marks import Marks
from bot.memory.processes import Processes
from bot.memory.seats import Seats


@dataclass(frozen=True, slots=True)
class Machinery:
    """This process among the others, what only one of them may hold, and how far they have heard together."""

    processes: Processes
    seats: Seats
    marks: Marks
