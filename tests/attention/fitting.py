"""Fits the weights of whom a message is for to the labelled cases: ridge-penalised logistic regression."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp
from pathlib import Path

import bot.attention
from bot.attention.judging import Judgement, outright
from bot.attention.signs import Seen, signs
from bot.attention.weighing import Weights, score
from tests.attention.scenes import Case, cases

NAMES = ("Frontdesk",)
ANYWHERE = "anywhere"
PENALTY, PENALTY_OF_A_PLACE = 0.2, 0.3  # what holds in every place is trusted more than what one place adds
WEIGHTS = Path(bot.attention.__file__).with_name("weights.toml")
HEAD = "# What each sign adds to the log odds that a message is for the bot; by tests/attention/fitting.py.\n"

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Example:
    """What is seen of a case that no rule decides, and whether it is for the bot."""

    seen: Seen
    for_bot: bool

    def strengths(self) -> dict[Key, float]:
        """Say how strongly each weight counts."""
        signs_, place = self.seen.signs, self.seen.place
        return {(where, sign): strength for sign, strength in signs_.items() for where in (ANYWHERE, place)}


def examples(given: Iterable[Case]) -> list[Example]:
    """Keep the cases that have to be weighed."""
    found = [(case, outright(case.message, case.scene, NAMES)) for case in given]
    return [
        Example(signs(now), case.label == "answer") for case, now in found if not isinstance(now, Judgement)
    ]


def fit(given: Sequence[Example], rounds: int = 300) -> dict[Key, float]:
    """Find the weights by Newton's steps along one weight after the other."""
    columns: dict[Key, list[tuple[int, float]]] = {}
    for row, example in enumerate(given):
        for key, strength in example.strengths().items():
            columns.setdefault(key, []).append((row, strength))
    fitted, odds = dict.fromkeys(sorted(columns), 0.0), [0.0] * len(given)
    for _ in range(rounds):
        widest = 0.0
        for key in fitted:
            step = _step(fitted[key], penalty(key), columns[key], odds, given)
            fitted[key] += step
            widest = max(widest, abs(step))
            for row, strength in columns[key]:
                odds[row] += step * strength
        if widest < 1e-5:
            break
    return fitted


def slopes(given: Sequence[Example], by: Weights) -> dict[Key, float]:
    """Say how the penalised loss changes with each weight: at the best ones, it does not."""
    found = {
        (place, sign): weight * penalty((place, sign)) for place in by for sign, weight in by[place].items()
    }
    for example in given:
        off = _chance(sum(score(example.seen, by).values())) - example.for_bot
        for key, strength in example.strengths().items():
            found[key] = found.get(key, 0.0) + off * strength
    return found


def penalty(key: Key) -> float:
    """Say how strongly a weight is held near nothing; the constant hardly is."""
    place, sign = key
    return (PENALTY if place == ANYWHERE else PENALTY_OF_A_PLACE) * (0.01 if sign == "always" else 1.0)


def written(fitted: dict[Key, float]) -> str:
    """Say the weights as they are kept."""
    places = sorted({place for place, _ in fitted}, key=lambda place: (place != ANYWHERE, place))
    tables = [
        f'["{place}"]\n'
        + "".join(f'"{sign}" = {weight:.4f}\n' for (where, sign), weight in fitted.items() if where == place)
        for place in places
    ]
    return HEAD + "\n" + "\n".join(tables)


def _step(
    weight: float,
    held: float,
    column: Sequence[tuple[int, float]],
    odds: Sequence[float],
    given: Sequence[Example],
) -> float:
    slope, bend = held * weight, held
    for row, strength in column:
        chance = _chance(odds[row])
        slope += (chance - given[row].for_bot) * strength
        bend += chance * (1 - chance) * strength * strength
    return -slope / bend


def _chance(odds: float) -> float:
    return 1 / (1 + exp(-max(min(odds, 30.0), -30.0)))


if __name__ == "__main__":
    every = examples([*cases("en"), *cases("zh")])
    WEIGHTS.write_text(written(fit(every)), "utf-8")
