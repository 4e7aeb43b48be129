"""The kinds of words in a message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.attention.vocabulary import grams, vocabulary


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("I’m on it", "i"),
        ("she knows", "they"),
        ("we ship tomorrow", "we"),
        ("we ship tomorrow", "time"),
        ("it still fails", "problem"),
        ("shorter please", "please"),
        ("我們明天上線", "we"),
        ("他说的", "they"),
        ("還是報錯", "problem"),
        ("再简单一点", "more"),
    ],
)
def test_words_are_of_kinds_in_both_scripts(text: str, kind: str) -> None:
    assert kind in vocabulary(text).kinds


def test_we_is_not_i() -> None:
    assert "i" not in vocabulary("我们去").kinds
    assert "i" in vocabulary("我去").kinds


def test_the_first_word_and_the_length_are_told() -> None:
    assert "wh" in vocabulary("What now?").first
    assert vocabulary("What now?").length == 2
    assert vocabulary("").length == 0


@pytest.mark.parametrize(
    ("text", "opens"), [("Actually, no", True), ("好的，再来", True), ("Rupert, book it", False)]
)
def test_an_opening_word_is_no_name(text: str, opens: bool) -> None:
    assert vocabulary(text).opener is opens


def test_what_two_texts_share_is_found_in_either_script() -> None:
    assert grams("the invoice template") & grams("which template?") == {"template"}
    assert grams("報銷單") & grams("报销单在哪")


@given(st.text(max_size=40))
def test_any_text_has_kinds(text: str) -> None:
    assert vocabulary(text).length >= 0
