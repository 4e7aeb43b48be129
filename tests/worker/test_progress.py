"""What is known of an answer while it is made."""

from __future__ import annotations

from decimal import Decimal

from bot.dialogue import Delta, Outcome, Usage
from bot.worker.progress import Progress


def test_a_fresh_try_voids_the_text_but_not_the_time_of_the_first() -> None:
    progress = Progress()
    progress.follow(Delta("One ", model="a", limited=True))
    first = progress.first_text_seconds
    progress.follow(Delta("Two\0", fresh=True, model="b", cost=Decimal("0.5")))
    progress.follow(Delta(usage=Usage(5, 2)))
    answer = progress.ended(Outcome.STOPPED, progress.text)
    assert (answer.text, answer.model, answer.usage, answer.cost) == ("Two", "b", Usage(5, 2), Decimal("0.5"))
    assert not progress.limited
    assert first is not None
    assert answer.first_text_seconds == first <= answer.seconds
