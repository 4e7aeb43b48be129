"""What the engine asks of the record."""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

from bot.dialogue import Line, Manifest, Turn


class Recalled(Protocol):
    """What memory gives: a summary of what is older, the lines with the question last, and why."""

    @property
    def summary(self) -> str:
        """What is told shortly of the earlier part."""
        ...

    @property
    def lines(self) -> tuple[Line, ...]:
        """The messages, oldest first."""
        ...

    @property
    def people(self) -> tuple[str, ...]:
        """The names of those who speak in the lines."""
        ...

    @property
    def manifest(self) -> Manifest:
        """Why it is just that."""
        ...


class Memory(Protocol):
    """What the engine asks the record."""

    async def recall(self, turn: Turn, budget: int, *, sees: bool = True) -> Recalled:
        """Recall what fits the budget of counted tokens; where the model `sees`, with pictures."""
        ...

    async def factor(self, model: str, unknown: float) -> float:
        """Say how many of the model's tokens one of ours costs."""
        ...

    async def calibrate(self, model: str, measured: float) -> None:
        """Note what one of our tokens cost the model."""
        ...

    async def spent_today(self, conversation_id: int) -> int:
        """Say how many tokens the conversation's workspace used today."""
        ...

    async def spend(self, conversation_id: int, tokens: int, cost: Decimal | None = None) -> None:
        """Count tokens, and dollars where known, to the day of the conversation's workspace; never fails."""
        ...
