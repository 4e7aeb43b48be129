"""The weights that are kept are those that the labelled cases give."""

from __future__ import annotations

from bot.attention.signs import Seen
from bot.attention.weighing import weights
from tests.attention.fitting import ANYWHERE, Example, examples, fit, slopes, written
from tests.attention.scenes import cases

PLACE = "after a person"


def test_the_weights_kept_are_the_best_for_the_cases_of_today() -> None:
    found = slopes(examples([*cases("en"), *cases("zh")]), weights())
    assert max(map(abs, found.values())) < 0.05


def test_fitting_finds_what_tells_apart() -> None:
    given = [
        Example(Seen(PLACE, {"always": 1.0, sign: 1.0}), for_bot)
        for sign, for_bot in (("it asks", True), ("it states", False))
        for _ in range(20)
    ]
    fitted = fit(given)
    assert fitted[ANYWHERE, "it asks"] > 1 > -1 > fitted[ANYWHERE, "it states"]
    assert '"it asks" = ' in written(fitted)
