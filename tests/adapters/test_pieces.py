"""What is promised of pieces, on Markdown that nobody wrote by hand."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.adapters.pieces import Cutter, cut


def utf16(text: str) -> int:
    """Discord and Slack count these units, not letters."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def escaped(text: str) -> int:
    return len(html.escape(text))


MEASURES = st.sampled_from([len, utf16, escaped])
FRAGMENTS = st.sampled_from(
    [
        *"\n\n\n \t`~>-*#&_|.。，!",
        "\n\n",
        "\r\n",
        "\n```\n",
        "\n```py\n",
        "```",
        "````\n",
        "~~~",
        "\n~~~ text\n",
        "\n  ```js\n",
        "\n     ```\n",
        "\n> ```\n> ",
        "\n> ",
        "\n- ```sh\n",
        "\n- item ",
        "\n1. item",
        "\n    - deep",
        "\n## Head\n",
        "| a | b |\n|---|---|\n",
        "word",
        "A sentence. ",
        "你好。再见，",
        "👩‍👩‍👧",
        "🇩🇪🇫🇷",
        "é",
        "     ",
        "x" * 30,
    ]
)
MARKDOWN = st.lists(FRAGMENTS, max_size=60).map("".join)
LIMITS = st.integers(6, 120)


def ink(text: str) -> str:
    """Everything but whitespace."""
    return "".join(text.split())


def is_contained(part: str, whole: str) -> bool:
    letters = iter(whole)
    return all(letter in letters for letter in part)


@given(MARKDOWN, LIMITS, MEASURES)
@settings(deadline=None)
def test_every_piece_fits_and_none_is_blank(markdown: str, limit: int, measure: Callable[[str], int]) -> None:
    for piece in cut(markdown, limit, measure):
        assert piece.strip()
        assert measure(piece) <= limit or len(piece) == 1


@given(MARKDOWN, LIMITS, MEASURES)
@settings(deadline=None)
def test_nothing_is_dropped_and_the_order_stays(
    markdown: str, limit: int, measure: Callable[[str], int]
) -> None:
    pieces = cut(markdown, limit, measure)
    assert is_contained(ink(markdown), ink("".join(pieces)))
    if not re.search(r"```|~~~|\|---", markdown):
        assert ink("".join(pieces)) == ink(markdown)


@given(MARKDOWN, LIMITS, MEASURES, st.data())
@settings(max_examples=200, deadline=None)
def test_a_growing_text_never_changes_a_final_piece(
    markdown: str, limit: int, measure: Callable[[str], int], data: st.DataObject
) -> None:
    whole = cut(markdown, limit, measure)
    at = data.draw(st.integers(0, len(markdown)))
    early = cut(markdown[:at], limit, measure)
    final = early[:-1]
    assert whole[: len(final)] == final


@given(MARKDOWN, LIMITS, MEASURES, st.lists(st.integers(0, 600), max_size=6))
@settings(deadline=None)
def test_cutting_while_it_grows_gives_the_same_pieces(
    markdown: str, limit: int, measure: Callable[[str], int], ends: list[int]
) -> None:
    cutter = Cutter(limit, measure)
    for end in sorted(ends):
        assert cutter.feed(markdown[:end]) == cut(markdown[:end], limit, measure)
    assert cutter.feed(markdown) == cut(markdown, limit, measure)


@given(MARKDOWN)
@settings(deadline=None)
def test_a_short_text_is_one_piece_as_it_is(markdown: str) -> None:
    written = ink("".join(cut(markdown, 10_000)))
    assert written.startswith(ink(markdown))
    assert re.fullmatch(">?(`*|~*)", written[len(ink(markdown)) :])


CODE_LINE = st.text(alphabet="abc =()[]:\"'#你", min_size=1, max_size=40)
BLOCK = st.one_of(
    st.text(alphabet="abc de。，fg.!", min_size=1, max_size=90).filter(str.strip),
    st.tuples(
        st.sampled_from(["", "py", "c++", "json title=x"]),
        st.sampled_from(["```", "````", "~~~"]),
        st.lists(CODE_LINE, max_size=12),
    ).map(lambda block: "\n".join([block[1] + block[0], *block[2], block[1]])),
)


@given(st.lists(BLOCK, max_size=8), st.integers(60, 200))
@settings(deadline=None)
def test_code_stays_code_under_its_name_and_prose_stays_prose(blocks: list[str], limit: int) -> None:
    markdown = "\n\n".join(blocks)
    assert read(cut(markdown, limit)) == read([markdown])


def read(pieces: list[str]) -> list[tuple[str, str]]:
    """Every letter with the info string of the code that it stands in, "-" for prose."""
    letters: list[tuple[str, str]] = []
    for piece in pieces:
        for token in MarkdownIt("zero").enable(["fence"]).parse(piece):
            if token.type == "fence":
                letters += [(letter, token.info.strip()) for letter in ink(token.content)]
            elif token.type == "inline":
                letters += [(letter, "-") for letter in ink(token.content)]
    return letters


@given(st.lists(st.text(alphabet="abc ", min_size=1, max_size=40).filter(str.strip), max_size=12))
@settings(deadline=None)
def test_paragraphs_that_fit_are_never_cut(paragraphs: list[str]) -> None:
    paragraphs = [" ".join(paragraph.split()) for paragraph in paragraphs]
    pieces = cut("\n\n".join(paragraphs), 60)
    assert [part for piece in pieces for part in piece.split("\n\n")] == paragraphs


@given(st.lists(st.text(alphabet="ab| -", min_size=1, max_size=40).filter(str.strip), max_size=20))
@settings(deadline=None)
def test_lines_that_fit_are_never_cut(lines: list[str]) -> None:
    lines = [f"- {line.strip()}" for line in lines]
    assert "\n".join(cut("\n".join(lines), 60)).split("\n") == (lines or [""])


def test_a_blank_text_has_no_pieces() -> None:
    assert [cut(text, 10) for text in ("", " ", "\n\n\t \r\n", "\u3000")] == [[], [], [], []]


def test_a_long_paragraph_is_cut_after_a_sentence_in_any_script() -> None:
    assert cut("One is here. Two is here! Three", 16) == ["One is here.", "Two is here!", "Three"]
    assert cut("今天天气很好。我们出去走走吧！好的", 10) == ["今天天气很好。", "我们出去走走吧！好的"]


def test_a_long_sentence_is_cut_at_a_space_and_a_long_word_anywhere() -> None:
    assert cut("one two three four", 9) == ["one two", "three", "four"]
    assert cut("x" * 25, 10) == ["x" * 10, "x" * 10, "x" * 5]


def test_code_that_is_cut_is_closed_and_opened_again_with_its_name() -> None:
    code = "\n".join(f"line_{number} = {number}" for number in range(6))
    first, second, third = cut(f"```python\n{code}\n```\n\nDone, and well.", 60)
    assert first == "```python\nline_0 = 0\nline_1 = 1\nline_2 = 2\n```"
    assert second == "```python\nline_3 = 3\nline_4 = 4\nline_5 = 5\n```"
    assert third == "Done, and well."


def test_a_fence_of_four_ticks_may_hold_one_of_three() -> None:
    pieces = cut("````md\n" + "```\ncode\n```\n" * 6 + "````", 60)
    assert len(pieces) > 1
    assert all(piece.startswith("````md\n") and piece.endswith("\n````") for piece in pieces)


def test_code_in_a_list_is_not_indented_in_the_next_piece() -> None:
    markdown = "1. Do this:\n   - now:\n     ```sh\n" + "     run --fast\n" * 9 + "     ```\n   - then\n"
    pieces = cut(markdown, 70)
    assert pieces[1] == "```sh\n" + "run --fast\n" * 5 + "```"
    assert pieces[-1].endswith("\n- then")


def test_code_in_a_quote_stays_in_the_quote() -> None:
    pieces = cut("> ```js\n" + "> call(you)\n" * 9 + "> ```\n\nWell.", 70)
    assert all(piece.startswith("> ```js\n> call(you)") and "\n> ```" in piece for piece in pieces[:-1])
    assert pieces[-1].endswith("Well.")


def test_a_closing_fence_never_becomes_a_piece_of_its_own() -> None:
    for size in range(20, 60):
        markdown = "```\n" + "a" * size + "\n```"
        for end in range(len(markdown)):
            assert not any(re.fullmatch(r"```\s*`*\s*```", piece) for piece in cut(markdown[:end], 40)[1:])


def test_code_of_a_piece_is_kept_whole_where_the_text_before_it_can_be_cut() -> None:
    code = "```\n" + "code\n" * 8 + "```"
    assert cut(f"Some words before.\n\n{code}\n\nand after", 56) == ["Some words before.", code, "and after"]


def test_a_heading_stays_with_its_section() -> None:
    assert cut("Intro text.\n\n## Next\n\nA section of words.", 30) == [
        "Intro text.",
        "## Next\n\nA section of words.",
    ]


def test_signs_of_several_code_points_are_not_torn() -> None:
    family = "👩‍👩‍👧"
    for sign in (family, "🇩🇪", "é", "👍🏽", "\\*"):
        for limit in range(len(sign), 20):
            assert all(not len(piece) % len(sign) for piece in cut(sign * 20, limit)), sign


def test_a_line_break_of_two_letters_is_not_torn() -> None:
    markdown = "```\r\n" + "a\r\n" * 40 + "```\r\n" + "b" * 30 + "\r\n" + "c" * 30
    for limit in range(31, 60):
        pieces = cut(markdown, limit)
        assert not any(piece.endswith("\r") or piece.startswith("\n") for piece in pieces)


def test_a_limit_without_room_for_fences_still_drops_nothing() -> None:
    markdown = "```python\nprint(1)\n```"
    assert ink("".join(cut(markdown, 5))) == ink(markdown)
    with pytest.raises(ValueError, match="room"):
        Cutter(0)


def test_another_text_makes_the_cutter_begin_anew() -> None:
    cutter = Cutter(10)
    cutter.feed("one two three four")
    assert cutter.feed("five six seven") == cut("five six seven", 10)


@pytest.mark.parametrize("unit", ["word ", "x", "a\n", "```\n```\n", "&", "- item\n\n", "\n", "`"])
def test_two_hundred_thousand_letters_are_cut_quickly(unit: str) -> None:
    markdown = unit * (200_000 // len(unit))
    begun = time.process_time()
    cut(markdown, 2_000, escaped)
    assert time.process_time() - begun < 20


def test_a_long_answer_is_cut_while_it_streams() -> None:
    markdown = "A line of words that is long enough to be read.\n\n" * 1_000
    cutter = Cutter(2_000, utf16)
    begun = time.process_time()
    for end in range(0, len(markdown), 12):
        cutter.feed(markdown[:end])
    assert time.process_time() - begun < 20
    assert cutter.feed(markdown) == cut(markdown, 2_000, utf16)
