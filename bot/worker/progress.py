"""What is known of an answer while it is made, and how it is told when it ends."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from decimal import Decimal

from bot.dialogue import Answer, Delta, Manifest, Outcome, Usage


@dataclass(slots=True)
class Progress:
    """What is known of an answer while it is made; `begun` is on the monotonic clock."""

    text: str = ""
    aside: str = ""
    model: str = ""
    usage: Usage | None = None
    manifest: Manifest = field(default_factory=Manifest)
    limited: bool = False
    first_text_seconds: float | None = None
    cost: Decimal | None = None
    begun: float = field(default_factory=time.monotonic)

    def follow(self, delta: Delta) -> None:
        """Take in what came next."""
        text = _keepable(delta.text)
        self.text = text if delta.fresh else self.text + text
        self.aside = delta.aside or self.aside
        self.model = delta.model or self.model
        self.usage = delta.usage or self.usage
        self.manifest = delta.manifest or self.manifest
        self.cost = delta.cost if delta.cost is not None else self.cost
        self.limited = delta.limited or (self.limited and not delta.fresh)
        if delta.text:
            self.first_text_seconds = self.first_text_seconds or time.monotonic() - self.begun

    def ended(self, outcome: Outcome, text: str, error: str = "") -> Answer:
        """Say it as the record has it."""
        seconds = time.monotonic() - self.begun
        bill = self.usage, self.manifest, self.first_text_seconds, seconds
        return Answer(outcome, text, self.model, *bill, error, self.cost)


def _keepable(text: str) -> str:
    """Leave out what Postgres cannot keep: null bytes, and halves of letters."""
    return text.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
