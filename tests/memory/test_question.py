"""A question cut to its room: what people wrote first, then what is enclosed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.dialogue import Attachment
from bot.memory.question import fitted
from bot.memory.quoting import quoted
from bot.memory.rows import weigh
from tests.memory.conftest import Words, message

COUNTER = Words()


def file(words: int) -> Attachment:
    made = Attachment("a.txt", text="word " * words)
    return Attachment("a.txt", text=made.text, tokens=COUNTER.count(quoted(made)))


def test_what_fits_is_whole() -> None:
    asked = message("what does it say?")
    question = fitted([asked], [{0: file(20)}], 100, COUNTER)
    assert question.messages == (asked,)
    assert question.enclosed == ({0: file(20)},)
    assert question.tokens == weigh(COUNTER, asked) + file(20).tokens
    assert not question.shortened


def test_the_file_is_cut_before_the_words() -> None:
    asked = message("what does it say? " * 5)
    question = fitted([asked], [{0: file(500)}], 100, COUNTER)
    assert question.messages == (asked,)
    assert "[…]" in question.enclosed[0][0].text
    assert question.shortened


def test_words_without_end_are_cut_too() -> None:
    asked = message("first " + "middle " * 500 + "last")
    question = fitted([asked], [{0: file(500)}], 100, COUNTER)
    assert question.messages[0].text.startswith("first")
    assert question.messages[0].text.endswith("last")
    assert question.enclosed[0][0].text.startswith("word")
    assert question.tokens <= 100


def test_a_picture_is_never_cut_and_weighs_nothing_here() -> None:
    picture = Attachment("cat.png", "image/png", tokens=900)
    question = fitted([message("look")], [{0: picture, 1: file(500)}], 100, COUNTER)
    assert question.enclosed[0][0] == picture
    assert question.tokens <= 100


@given(st.lists(st.tuples(st.integers(1, 300), st.integers(0, 300)), min_size=1, max_size=3))
def test_several_messages_keep_within_the_room(sizes: list[tuple[int, int]]) -> None:
    asked = [message("word " * words) for words, _ in sizes]
    enclosed = [{0: file(words)} if words else {} for _, words in sizes]
    question = fitted(asked, enclosed, 150, COUNTER)
    assert len(question.messages) == len(question.enclosed) == len(sizes)
    assert question.tokens <= 150 + 12 * len(sizes)
