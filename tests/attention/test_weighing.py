"""Weighing signs: what they add up to, and which told most."""

from __future__ import annotations

from bot.attention.signs import Seen
from bot.attention.weighing import THRESHOLD, score, weigh, weights

BY = {"anywhere": {"it asks": 1.0}, "here": {"it asks": 0.5, "its length": -1.0}}


def test_a_sign_counts_by_its_strength_anywhere_and_in_its_place() -> None:
    assert score(Seen("here", {"it asks": 1.0, "its length": 2.0}), BY) == {
        "it asks": 1.5,
        "its length": -2.0,
    }
    assert score(Seen("there", {"it asks": 1.0, "unknown": 1.0}), BY) == {"it asks": 1.0, "unknown": 0.0}


def test_what_told_most_is_told_first() -> None:
    seen = Seen("alone with the bot", {"always": 1.0, "it asks": 1.0, "a question mark": 1.0, "short": 1.0})
    for_bot, why = weigh(seen)
    parts = score(seen, weights())
    assert for_bot == (sum(parts.values()) > THRESHOLD)
    assert "always" not in why
    told = [parts[sign] for sign in why]
    assert told == sorted(told, reverse=for_bot)


def test_every_weight_is_small_enough_to_be_outweighed() -> None:
    kept = [weight for own in weights().values() for sign, weight in own.items() if sign != "always"]
    assert max(map(abs, kept)) < 6
