"""The phrase books of both languages."""

from __future__ import annotations

from dataclasses import fields

import pytest

from bot.attention import chinese, english
from bot.attention.phrases import Phrases, either

BOOKS = pytest.mark.parametrize("book", [english.PHRASES, chinese.PHRASES], ids=["en", "zh"])


def test_either_pattern_matches_in_any_case() -> None:
    assert all(either("a|b", "cd").fullmatch(text) for text in ("A", "b", "CD"))
    assert not either("a|b", "cd").fullmatch("ad")


@BOOKS
def test_no_pattern_matches_nothing(book: Phrases) -> None:
    assert not [field.name for field in fields(book) if getattr(book, field.name).search("")]


@BOOKS
@pytest.mark.parametrize("part", ["(", "a a ", "我", "can you ", "no ", "谁", "ok, and so but ", "it that "])
def test_no_pattern_is_slow_on_what_repeats(book: Phrases, part: str) -> None:
    text = (part * 500)[:500]
    for field in fields(book):
        getattr(book, field.name).search(text)
