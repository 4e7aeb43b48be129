"""Sentences chosen without a model: the telling ones, in their order, within the tokens."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.dialogue import Line, Role
from bot.engine.extract import extract
from bot.generation.tokens import TiktokenCounter
from bot.ports import TokenCounter

TALK = (
    "The printer on floor two is broken. Hello there! The printer shows error 42. "
    "I had toast. Please order a new printer for floor two."
)


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> TokenCounter:
    return TiktokenCounter(tmp_path_factory.mktemp("vocabulary"))


def words(text: str) -> int:
    return len(text.split())


def lines(*texts: str) -> list[Line]:
    return [Line(Role.PERSON, text, "Ann") for text in texts]


def test_the_telling_sentences_are_kept_in_their_order() -> None:
    found = extract(lines(TALK), 20, words)
    assert found.index("is broken") < found.index("order a new printer")
    assert "toast" not in found
    assert "Hello" not in found


def test_all_of_a_short_talk_is_kept() -> None:
    assert extract(lines("One apple.", "Two pears!"), 100, words) == "One apple. Two pears!"


def test_chinese_is_cut_at_its_own_full_stops() -> None:
    text = "打印机坏了。今天天气很好！请为二楼订购新的打印机。"
    found = extract(lines(text), 14, len)
    assert "打印机" in found
    assert "天气" not in found


@pytest.mark.parametrize("text", ["ok", "好", "नमस्ते", "สวัสดี", "I.", "a b c", "Да"])
def test_text_of_short_words_is_not_lost(text: str) -> None:
    assert extract(lines(text), 50, words)


@pytest.mark.parametrize("text", ["", "   ", "!!! …", "🙂🙂"])
def test_what_has_no_words_gives_nothing(text: str) -> None:
    assert extract(lines(text), 50, words) == ""
    assert extract([], 50, words) == ""


def test_a_sentence_without_an_end_is_cut() -> None:
    assert 0 < len(extract(lines("word " * 5_000), 10, words)) <= 300


texts = st.lists(st.text("ab cd1. !?\n。好人天", max_size=60), max_size=8)


@given(texts=texts, tokens=st.integers(1, 60))
@settings(max_examples=200, deadline=None)
def test_it_never_weighs_more_than_asked_unless_it_is_one_sentence(
    counter: TokenCounter, texts: list[str], tokens: int
) -> None:
    found = extract(lines(*texts), tokens, counter.count)
    alone = {part.strip() for text in texts for part in re.findall(r"[^.!?。！？\n]+[.!?。！？]*", text)}
    assert counter.count(found) <= tokens or found in alone
    assert bool(found) == any(re.search(r"\w", text) for text in texts)


@given(texts=texts, tokens=st.integers(1, 60))
@settings(max_examples=100, deadline=None)
def test_it_says_only_what_was_said_in_the_order_it_was_said(texts: list[str], tokens: int) -> None:
    said = "".join("".join(texts).split())
    at = 0
    for part in re.findall(r"\S+", extract(lines(*texts), tokens, words)):
        at = said.index(part, at) + len(part)
