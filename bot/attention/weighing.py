"""Weighs the signs of whom a message is for; the weights are data, fitted to the labelled cases."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from bot.attention.signs import Seen

# Log odds from which the bot speaks: to barge in is as bad as to miss 2.5 messages (limits 2 % and 5 %).
THRESHOLD = 0.9
# Right after an answer to its author the cases, which were sought to be hard, have far more asides than real
# threads have: there, with others in the thread, plain follow-ups would be missed.
THRESHOLD_RIGHT_AFTER_AN_ANSWER = -0.75
# Whoever is alone with the bot is talked over with nobody: to miss them costs as much as a word too many.
THRESHOLD_ALONE = 0.1

_REASONS = 3
_EVER_THERE = {"always", "its length", "the time since"}  # true of every message, so no reason

Weights = Mapping[str, Mapping[str, float]]  # by place and sign; "anywhere" holds for every place


@cache
def weights() -> Weights:
    """Read the weights."""
    return tomllib.loads(Path(__file__).with_name("weights.toml").read_text("utf-8"))


def score(seen: Seen, by: Weights) -> dict[str, float]:
    """Say what each sign adds to the log odds that a message is for the bot."""
    here, anywhere = by.get(seen.place, {}), by.get("anywhere", {})
    return {
        sign: strength * (here.get(sign, 0.0) + anywhere.get(sign, 0.0))
        for sign, strength in seen.signs.items()
    }


def weigh(seen: Seen, threshold: float = THRESHOLD) -> tuple[bool, tuple[str, ...]]:
    """Say whether a message is for the bot, and the signs that told most, the strongest first."""
    parts = score(seen, weights())
    for_bot = sum(parts.values()) > threshold
    telling = sorted(
        parts.keys() - _EVER_THERE, key=lambda sign: (-parts[sign] if for_bot else parts[sign], sign)
    )
    return for_bot, tuple(telling[:_REASONS])
