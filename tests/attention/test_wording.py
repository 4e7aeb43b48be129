"""What the words of a message do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.attention.wording import Closing, ends_asking, read


@pytest.mark.parametrize(
    "text", ["ok", "Okay!", "yes please", "sure", "好的", "嗯嗯", "行", "可以", "👍", "👌👌", ""]
)
def test_assent_closes_where_nothing_was_asked(text: str) -> None:
    assert read(text).closing is Closing.AGREES


@pytest.mark.parametrize(
    "text",
    [
        "thanks!",
        "ok thank you so much",
        "lol coral",
        "that was it, works now",
        "thanks Tim",
        "好的非常感谢",
        "哈哈 还真是",
    ],
)
def test_thanks_laughter_and_good_news_close(text: str) -> None:
    assert read(text).closing is Closing.DONE


@pytest.mark.parametrize(
    "text", ["I'll try that", "ok, let me check the logs", "brb", "我回头试试", "好，我去看看", "先去吃饭了"]
)
def test_who_goes_to_try_wants_no_answer_now(text: str) -> None:
    assert read(text).closing is Closing.DONE


@pytest.mark.parametrize(
    "text",
    [
        "thanks, and how do I undo it?",
        "great, but make it warmer",
        "ok but it still fails",
        "good morning Vietnam is a film about what",
        "I'll take the second one",
        "```print('thanks')```",
        "好的，那怎么撤销",
        "不错，语气再热情一点",
        "按接口拆开看看",
        "lol no, I meant the other one",
    ],
)
def test_who_goes_on_does_not_close(text: str) -> None:
    assert read(text).closing is Closing.NONE


def test_code_and_links_are_not_read_as_words() -> None:
    assert not read("`can you?` https://example.com/why?q=how").asks
    assert not read("`can you?`").to_you


@pytest.mark.parametrize(
    "said", ["Which browser?", "Shall I go on? (yes or no)", "要我列出来吗？", "哪一天？"]
)
def test_a_line_of_ours_that_ends_with_a_question_asks(said: str) -> None:
    assert ends_asking(said)


@pytest.mark.parametrize("said", ["Why not? Because it is closed. Ask again on Monday.", "It is open.", ""])
def test_a_question_within_a_line_of_ours_asks_nothing(said: str) -> None:
    assert not ends_asking(said)


@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    assert read(text).closing in Closing
