"""Text cut to tokens, on whole lines, rows and pages."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.documents.cutting import keep_ends, keep_first, rows_of


def letters(text: str) -> int:
    """Count a token for two letters."""
    return len(text) // 2


def test_what_fits_stays_as_it_is() -> None:
    assert keep_ends("one\ntwo", 100, letters) == ("one\ntwo", 0)


def test_lines_are_kept_whole_where_they_are_short() -> None:
    text = "\n".join(f"line {number:04}" for number in range(1_000))
    kept, left_out = keep_ends(text, 100, letters)
    head, _, tail = kept.partition("\n[…]\n")
    assert set(head.split("\n") + tail.split("\n")) <= set(text.split("\n"))
    assert left_out == len(text) - len(head) - len(tail)


@given(st.text(max_size=3_000), st.integers(30, 500))
def test_the_bound_holds_for_any_text(text: str, tokens: int) -> None:
    kept, left_out = keep_ends(text, tokens, letters)
    assert letters(kept) <= tokens
    assert (left_out == 0) == (kept == text)


@given(st.lists(st.text(min_size=1, max_size=50), max_size=60), st.integers(30, 300))
def test_the_first_units_that_fit_are_kept(units: list[str], tokens: int) -> None:
    kept, number = keep_first(units, tokens, letters)
    assert kept == "".join(units[:number])
    assert letters(kept) <= tokens
    assert number == len(units) or letters("".join(units[: number + 1])) > tokens


def test_of_a_first_unit_that_is_too_large_a_part_is_kept() -> None:
    kept, number = keep_first(["x" * 1_000, "y"], 50, letters)
    assert number == 1
    assert 0 < letters(kept) <= 50


def test_rows_may_have_cells_of_several_lines_and_any_delimiter() -> None:
    assert rows_of('a,b\n"1\n2",3\n') == ["a,b\n", '"1\n2",3\n']
    assert rows_of('a;b,c\n"1;\n2";3\n') == ["a;b,c\n", '"1;\n2";3\n']
    assert rows_of("a,x\tb\n1\t2\n", tabs=True) == ["a,x\tb\n", "1\t2\n"]


@given(st.text(alphabet='ab,;\t"\n\r', max_size=300))
def test_no_letter_of_a_table_is_lost(text: str) -> None:
    assert "".join(rows_of(text)) == text
