"""Markdown as it is read: blocks, and what is kept though CommonMark would drop it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.markdown import reading
from bot.adapters.markdown.reading import read
from bot.adapters.markdown.tree import Block, Kind, Shape, plain


def shapes(blocks: tuple[Block, ...]) -> list[Shape]:
    return [block.shape for block in blocks]


def test_each_block_is_known_for_what_it_is() -> None:
    text = (
        "# H\n\ntext\n\n- a\n\n3. b\n\n> q\n\n```py\nc\n```\n\n|a|\n|-|\n|b|\n\n---\n\n$$\nx\n$$\n\n[^1]: n"
    )
    assert shapes(read(text)) == [
        Shape.HEADING,
        Shape.PARAGRAPH,
        Shape.LIST,
        Shape.LIST,
        Shape.QUOTE,
        Shape.CODE,
        Shape.TABLE,
        Shape.RULE,
        Shape.FORMULA,
        Shape.NOTE,
    ]
    assert [block.level for block in read(text)][2:4] == [-1, 3]


def test_a_fence_that_is_not_closed_yet_is_code() -> None:
    (block,) = read("```python\nprint(1)")
    assert (block.shape, block.text, plain(block.spans)) == (Shape.CODE, "print(1)", "python")


def test_tasks_are_told_from_other_items() -> None:
    (items,) = read("- [x] a\n- [ ] b\n- [c] d")
    assert [item.done for item in items.blocks] == [True, False, None]


def test_blank_lines_between_blocks_are_remembered() -> None:
    assert [block.spaced for block in read("Text:\n- a\n\nText\n# H\nText")] == [
        True,
        False,
        True,
        False,
        False,
    ]


def test_cells_beyond_the_headers_are_kept() -> None:
    (block,) = read("|a|b|\n|-|-|\n|1|2|3|4|")
    assert block.table is not None
    assert [plain(cell) for cell in block.table.rows[1]] == ["1", "2 · 3 · 4"]


def test_definitions_that_nothing_refers_to_are_shown() -> None:
    blocks = read("See [one].\n\n[one]: https://e.com/1\n[two]: https://e.com/2")
    assert [plain(block.spans) for block in blocks] == ["See one.", "[two] https://e.com/2"]


def test_what_is_nested_too_deep_stays_as_it_was_written() -> None:
    (block,) = read("> " * 60 + "deep")
    assert (block.shape, plain(block.spans).count(">")) == (Shape.PARAGRAPH, 60)


@pytest.mark.parametrize(
    "text",
    ["plain words, nothing else", "two\nlines", "with 10:30 (and) \"quotes\" 'too' 100%", "中文，没有标记。"],
)
def test_a_plain_text_is_read_without_the_parser_as_with_it(text: str) -> None:
    assert reading._MARKS.search(text) is None
    (alone,) = read(text)
    paragraph = read(f"{text} *x*")[0]
    assert plain(paragraph.spans) == f"{plain(alone.spans)} x"


BITS = st.sampled_from(
    [
        "word",
        "**a**",
        "\n\n",
        "\n",
        "- a\n",
        "  b",
        "1. c\n",
        "```\n",
        "````\n",
        "> ",
        "# h\n",
        "|a|b|\n|-|-|\n",
        "~~~\n",
    ]
)


@given(st.lists(BITS, max_size=30).map("".join))
@settings(max_examples=150, deadline=None)
def test_reading_in_parts_gives_what_reading_the_whole_gives(markdown: str) -> None:
    assert read(markdown) == reading._read_part(markdown)


def test_a_part_that_was_read_is_not_parsed_again() -> None:
    before = "A **paragraph** of its own, never seen.\n\n"
    read(f"{before}Then *more*")
    known = reading._read_part.cache_info().hits
    read(f"{before}Then *more* and more")
    assert reading._read_part.cache_info().hits == known + 1


def test_texts_of_spans_know_their_kind() -> None:
    (block,) = read("a **b** `c` [d](https://e.com) ![e](f.png) $x^2$ [^n] \\*")
    kinds = [span.kind for span in block.spans if plain((span,)).strip()]
    assert kinds == [
        Kind.TEXT,
        Kind.STRONG,
        Kind.CODE,
        Kind.LINK,
        Kind.IMAGE,
        Kind.FORMULA,
        Kind.NOTE,
        Kind.ESCAPED,
    ]
