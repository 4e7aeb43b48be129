"""Counts what answering costs: the tokens of each generation, and the money of a whole turn."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from bot.dialogue import Delta, Usage
from bot.ports import Backend, TokenCounter


class Prices(Protocol):
    """What tokens cost."""

    def cost(self, model: str, usage: Usage) -> Decimal | None:
        """Say it in US dollars; None where the model's price is not known."""
        ...


class NoPrices:
    """A table that knows no model."""

    def cost(self, model: str, usage: Usage) -> Decimal | None:
        """Know nothing."""
        return None


@dataclass(slots=True)
class Meter:
    """What one generation costs: as the server tells, else estimated of the context's tokens and the text."""

    counter: TokenCounter
    tokens: int
    factor: float
    parts: list[str] = field(default_factory=list)
    told: Usage | None = None

    def read(self, delta: Delta) -> None:
        """Take note of what came."""
        if delta.text or delta.thought:
            self.parts += (delta.text, delta.thought)
        self.told = delta.usage or self.told

    @property
    def begun(self) -> bool:
        """Whether anything was written, which a server charges for."""
        return bool(self.parts)

    @property
    def usage(self) -> Usage:
        """The tokens of the generation."""
        if self.told is not None:
            return self.told
        written = self.counter.count("".join(self.parts))
        return Usage(int(self.tokens * self.factor), int(written * self.factor))


class Bill:
    """What one turn, or one summary, cost in money over all its generations."""

    def __init__(self, prices: Prices) -> None:
        """Nothing was generated yet."""
        self._prices = prices
        self._total = Decimal(0)
        self._known = True

    def add(self, backend: Backend, usage: Usage) -> Decimal | None:
        """Count a generation, and say what it cost by itself."""
        cost = self._prices.cost(backend.name, usage) if backend.metered else Decimal(0)
        self._known = self._known and cost is not None
        self._total += cost or 0
        return cost

    @property
    def total(self) -> Decimal | None:
        """The sum in US dollars; None where a part of it is not known."""
        return self._total if self._known else None
