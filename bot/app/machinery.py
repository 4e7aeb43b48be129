"""This process among the others."""

from __future__ import annotations

from dataclasses import dataclass

from bot.app.roles import Role
from bot.memory.processes import Processes
from bot.memory.seats import Seats


@dataclass(frozen=True, slots=True)
class Machinery:
    """This process among the others, and what only one of them may hold."""

    processes: Processes
    seats: Seats

    def share(self) -> int:
        """Say among how many workers the rates of what answers are divided."""
        return self.processes.count(Role.WORKER)
