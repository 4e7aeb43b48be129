"""The small parts: formulas in letters, tags, names of emoji, widths, tables, spans."""

from __future__ import annotations

import unicodedata

import pytest
from markdown_it.token import Token

from bot.adapters.markdown.emoji import pictured
from bot.adapters.markdown.formulas import raised, readable
from bot.adapters.markdown.reading import read
from bot.adapters.markdown.rules import parser
from bot.adapters.markdown.spans import build
from bot.adapters.markdown.tables import NARROW, aligned, most_of_records
from bot.adapters.markdown.tags import read_tag
from bot.adapters.markdown.tree import Kind, Span, Table, plain
from bot.adapters.markdown.width import columns
from bot.adapters.markdown.writer import Writer


@pytest.mark.parametrize(
    ("latex", "said"),
    [
        ("E = mc^2", "E = mc²"),
        ("x_{i+1}", "xᵢ₊₁"),
        ("\\frac{a}{b+c}", "a/(b+c)"),
        ("\\sqrt{2}", "√2"),
        ("\\sqrt[3]{x+y}", "∛(x+y)"),
        ("\\alpha \\leq \\beta", "α ≤ β"),
        ("\\sum_{i=1}^{n} i^2", "∑ᵢ₌₁ⁿ i²"),
        ("90^\\circ", "90°"),
        ("\\text{speed} = \\mathrm{d}x", "speed = dx"),
        ("x \\in \\mathbb{R}", "x ∈ ℝ"),
        ("\\vec{v}", "v\u20d7"),
        ("x^{\\frac{1}{2}}", "x^(1/2)"),
        ("100\\%", "100%"),
        ("a^{Q}", "a^Q"),
        ("\\left( a \\right)", "( a )"),
    ],
)
def test_a_formula_is_said_in_letters(latex: str, said: str) -> None:
    assert readable(latex) == said


@pytest.mark.parametrize("latex", ["\\begin{matrix}1\\end{matrix}", "\\unknown{x}", "{", "x" * 700, ""])
def test_a_formula_beyond_letters_is_left_to_be_code(latex: str) -> None:
    assert readable(latex) is None


def test_small_letters_above_and_below_the_line() -> None:
    assert (raised("12"), raised("n+1"), raised("2", lower=True), raised("Q5")) == ("¹²", "ⁿ⁺¹", "₂", "^(Q5)")


def test_tags_that_are_none_are_not_taken_for_html() -> None:
    assert read_tag("<your-token>") is None
    assert read_tag("<name>") is None
    assert read_tag("</div>") is not None
    link = read_tag('<a class="x" href="https://e.com?a=1&amp;b=2">')
    assert link is not None
    assert (link.kind, link.url) == (Kind.LINK, "https://e.com?a=1&b=2")


def test_emoji_are_known_by_name_and_times_are_no_emoji() -> None:
    assert pictured(":tada: :+1: :thinking:") == "🎉 👍 🤔"
    assert pictured("10:30:45 1:100:2 :nobody_knows: a:b:c") == "10:30:45 1:100:2 :nobody_knows: a:b:c"


def test_wide_letters_take_two_columns() -> None:
    assert [columns(text) for text in ("abc", "中文", "a中", "🎉", "👩‍👩‍👧", "é")] == [3, 4, 3, 2, 2, 1]


def table_of(markdown: str) -> Table:
    table = read(markdown)[0].table
    assert table is not None
    return table


def test_columns_stand_under_each_other_in_any_script() -> None:
    lines = aligned(table_of("| 名 | n |\n|---|---|\n| 咖啡 | 3 |\n| a | 12 |\n| 🎉 | |"))
    assert lines == ["名   |  n", "-----+---", "咖啡 |  3", "a    | 12", "🎉   |"]
    assert len({columns(line.partition("|")[0]) for line in lines or () if "+" not in line}) == 1


def test_what_is_too_wide_or_holds_links_is_not_aligned() -> None:
    assert aligned(table_of(f"| a | b |\n|---|---|\n| {'w' * NARROW} | x |")) is None
    assert aligned(table_of("| a |\n|---|\n| [x](https://e.com) |")) is None


def test_the_bound_of_records_grows_with_each_row() -> None:
    head = "| Header | Other |\n|---|---|\n"
    bounds = [most_of_records(head + "| 1 | 2 |\n" * rows, len) for rows in range(5)]
    assert bounds == sorted(bounds)
    assert bounds[0] == 0 < bounds[1]


def spans_of(text: str) -> tuple[Span, ...]:
    tokens: list[Token] = []
    parser().inline.parse(text, parser(), {}, tokens)
    return build(tokens)


def test_marks_within_marks_are_bounded() -> None:
    spans = spans_of("*" * 400 + "a" + "*" * 400)
    depth = 0
    while spans and spans[0].spans:
        spans, depth = spans[0].spans, depth + 1
    assert depth < 30
    assert "a" in plain(spans)


def test_html_that_is_not_closed_or_not_opened_loses_no_text() -> None:
    for text in ("<b>bold", "bold</b>", "<b><i>bold</b></i>", "<a>bold</a>", "<sup>bold"):
        letters = unicodedata.normalize("NFKC", plain(spans_of(text)))
        assert "bold" in letters, text


class Plain(Writer):
    """CommonMark, links as they are."""

    def link(self, label: str, url: str, title: str) -> str:
        return f"[{label}]({url})"


@pytest.mark.parametrize(
    "markdown",
    [
        "# Head\n\nText **bold** `code`.\n\n- a\n  - b\n\n7. x\n8. y",
        "> quote\n>\n> > inner",
        "```py\nx = 1\n```",
        "1. a\n\n   more\n\n2. b",
        "a\n\n---\n\nb",
    ],
)
def test_what_is_written_is_what_was_read(markdown: str) -> None:
    assert Plain().document(read(markdown)) == markdown
