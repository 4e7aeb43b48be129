"""What stands under an answer: thoughts folded into a quote, and notes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.dialogue import Delta
from bot.engine.asides import Asides, quoted


@pytest.mark.parametrize(
    ("thought", "shown"),
    [
        ("", ""),
        (" \n ", ""),
        ("Hm.", "> 💭 Hm."),
        ("First\n\nsecond\n- third", "> 💭 First second - third"),
        ("**Bold** and `code` and ```\nfence", "> 💭 Bold and code and fence"),
        ("word " * 200, "> 💭 " + ("word " * 80).strip() + "…"),
        ("字" * 500, "> 💭 " + "字" * 400 + "…"),
    ],
)
def test_thoughts_become_one_quoted_line(thought: str, shown: str) -> None:
    assert quoted(thought) == shown


@given(st.text())
def test_no_thought_leaves_its_quote(thought: str) -> None:
    shown = quoted(thought)
    assert len(shown) <= 410
    assert len(shown.splitlines()) <= 1
    assert not set("`*~|<>[]#") & set(shown[1:])


def test_notes_follow_the_thoughts() -> None:
    asides = Asides()
    asides.take(Delta(thought="Hm, "))
    asides.take(Delta("Hello", thought="yes."))
    asides.note("One.")
    asides.note("Two.")
    assert asides.text == "> 💭 Hm, yes.\n\nOne.\n\nTwo."
    assert not asides.unseen


def test_an_endless_thought_is_not_kept_whole() -> None:
    asides = Asides()
    for _ in range(10_000):
        asides.take(Delta(thought="again and "))
    assert len(asides.text) < 500


def test_nothing_is_said_of_nothing() -> None:
    asides = Asides()
    asides.take(Delta("Hello"))
    assert asides.text == ""
