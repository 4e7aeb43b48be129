"""Why an answer is as it is, told in short Markdown."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from functools import partial

from bot.catalogue import Catalogue
from bot.dialogue import Manifest, Reading, Reason, Span, SummarySpan, Why
from bot.reception.why import told_why

WORDS = Catalogue()


def _say(language: str, key: str, **values: object) -> str:
    return WORDS.say(key, language, **values)


IN_ENGLISH = partial(_say, "en")
MANIFEST = Manifest(
    whole=(Span(7, 9, 60), Span(11, 11, 20)),
    summarised=(SummarySpan(1, 1, 3, 6, 40),),
    left_out=(Span(1, 2, 1_500),),
    files=("plan.pdf (pages 1 to 20 of 40)",),
)
REASONS = (
    Reason(Reading.LEFT_OUT, "", "1 – 2", 1_500),
    Reason(Reading.SUMMARY, "", "what was told before", 40),
    Reason(Reading.WHOLE, "Ann", "What about *all* the <!channel> things?", 12),
    Reason(Reading.WHOLE, "Ben", "word " * 60, 60),
)
WHY = Why(7, "done", "gpt-5-mini", MANIFEST, REASONS, 12_345, 678, 1, 3.21, 0.5)


def test_an_answer_is_explained_in_a_few_lines() -> None:
    text = told_why(replace(WHY, cost=Decimal("0.001234"), reasoning_tokens=500), IN_ENGLISH)
    assert text.splitlines()[:8] == [
        "**Why this answer**",
        "",
        "gpt-5-mini · read 12,345 tokens, wrote 678 · 3.2 s · 500 of them for thinking · about $0.0012",
        "",
        "- Read word for word: 4 earlier messages, 80 tokens",
        "- Read as a summary: 4 earlier messages, told in 40 tokens",
        "- Not read, for lack of room: 2 messages, 1,500 tokens",
        "- Files: plan.pdf (pages 1 to 20 of 40)",
    ]
    assert len(text) < 1_000


def test_quotes_are_short_and_no_marks_of_ours() -> None:
    quotes = told_why(WHY, IN_ENGLISH).splitlines()[-2:]
    assert quotes[0].strip() == r"> Ann: What about \*all\* the \<!channel\> things?"
    assert quotes[1].startswith("> Ben: word word")
    assert quotes[1].strip().endswith("…")
    assert len(quotes[1]) < 100


def test_of_a_long_talk_only_the_newest_lines_are_quoted() -> None:
    many = tuple(Reason(Reading.WHOLE, "Ann", f"line {number}", 3) for number in range(40))
    text = told_why(replace(WHY, reasons=many), IN_ENGLISH)
    assert "line 39" in text
    assert "line 33" not in text


def test_a_first_question_is_told_as_such() -> None:
    only = replace(WHY, manifest=Manifest(shortened=True), reasons=())
    text = told_why(only, IN_ENGLISH)
    assert "- Read: the question alone" in text
    assert "shortened in its middle" in text
    assert "$" not in text


def test_it_is_told_in_chinese() -> None:
    text = told_why(WHY, partial(_say, "zh-TW"))
    assert "為什麼這樣回答" in text
    assert "先前的 4 則訊息" in text


def test_what_is_no_longer_kept_is_not_told_as_if_nothing_had_been_read() -> None:
    text = told_why(replace(WHY, manifest=Manifest(), reasons=REASONS[2:], pruned=True), IN_ENGLISH)
    assert "What was read for this answer is no longer kept" in text
    assert "the question alone" not in text
    assert "gpt-5-mini" in text
