"""Markdown in Discord's dialect, and pieces that always fit."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.discord.writing import LIMIT, length, write_text
from bot.adapters.pieces import cut


@pytest.mark.parametrize(
    ("markdown", "written"),
    [
        ("Plain text.", "Plain text."),
        ("# One\n## Two\n### Three", "# One\n## Two\n### Three"),
        ("#### Four", "**Four**"),
        ("###### **Six** ##", "**Six**"),
        ("#hashtag", "#hashtag"),
        ("a\n\n---\n\nb", "a\n\n───────\n\nb"),
        ("* * *", "───────"),
        ("- [ ] open\n- [x] done", "- ☐ open\n- ☑ done"),
        ("1. [X] done", "1. ☑ done"),
        ("![a cat](https://e.com/c.png)", "[a cat](https://e.com/c.png)"),
        ("![](https://e.com/c.png)", "https://e.com/c.png"),
        ("__strong__ and _weak_", "**strong** and *weak*"),
        ("snake__case__name", r"snake\_\_case\_\_name"),
        ("snake_case_name and obj.__init__()", r"snake_case_name and obj.\_\_init\_\_()"),
        ("a || b", r"a \|\| b"),
        ("`a || b`", "`a || b`"),
        ("`__init__`", "`__init__`"),
        ("> > twice", "> │ twice"),
        (">>> thrice", "> │ │ thrice"),
        ("> once", "> once"),
        ("<b>html</b> and <your-name>", "**html** and <your-name>"),
        ("~~~python\nx = 1\n~~~", "```python\nx = 1\n```"),
        ("```\n#### a || b\n- [ ] c\n```", "```\n#### a || b\n- [ ] c\n```"),
        ("中文**重点**。", "中文**重点**。"),
    ],
)
def test_markdown_becomes_discords_own(markdown: str, written: str) -> None:
    assert write_text(markdown) == written


def test_a_table_becomes_an_aligned_code_block() -> None:
    table = "Prices:\n\n| Name | Price |\n|:--|--:|\n| Tea | 2 |\n| 咖啡 | 3 |\n\nThat is all."
    assert write_text(table) == (
        "Prices:\n\n```\nName | Price\n-----+------\nTea  |     2\n咖啡 |     3\n```\n\nThat is all."
    )


def test_a_table_with_uneven_rows_loses_no_cell() -> None:
    written = write_text("a | b\n--|--\n1\\|2 | 3 | 4\n5 |")

    assert "1|2" in written
    assert "4" in written
    assert "5" in written


def test_a_wide_table_becomes_records() -> None:
    table = f"| Name | Use |\n|---|---|\n| tea | {'w' * 60} |\n| **air** | |"

    assert write_text(table) == f"**Name: tea**\n- **Use:** {'w' * 60}\n\n**Name: air**"


def test_what_is_code_is_no_mention_and_stays_as_it_is() -> None:
    assert write_text("`@everyone <@1>`") == "`@everyone <@1>`"
    assert (
        write_text("@everyone, <@1>, <@&2>, <#3>") == "@\u200beveryone, <\u200b@1>, <\u200b@&2>, <\u200b#3>"
    )


def test_a_rule_below_text_with_a_bar_is_no_table() -> None:
    assert write_text("a | b\n---") == "## a | b"


_BITS = st.sampled_from(
    [
        "|",
        "||",
        "---",
        "\n",
        "```",
        "~~~",
        "#### ",
        "- [ ] ",
        "![",
        "](",
        ")",
        "__",
        "> ",
        "`",
        "a",
        "表",
        "🎉",
    ]
)
_MARKDOWN = st.lists(st.one_of(_BITS, st.text(max_size=5)), max_size=60).map("".join)


@settings(max_examples=300, deadline=None)
@given(_MARKDOWN)
def test_what_is_written_is_never_longer_than_was_measured(markdown: str) -> None:
    assert len(write_text(markdown).encode("utf-16-le", "surrogatepass")) // 2 <= length(markdown)


@settings(max_examples=100, deadline=None)
@given(_MARKDOWN, st.text(max_size=10))
def test_the_measure_never_shrinks(markdown: str, more: str) -> None:
    assert length(markdown + more) >= length(markdown)


@settings(max_examples=40, deadline=None)
@given(st.lists(_MARKDOWN, min_size=10, max_size=40).map("\n\n".join), st.integers(1, 8))
def test_every_piece_fits_a_post(markdown: str, times: int) -> None:
    for piece in cut(markdown * times, LIMIT, length):
        assert len(write_text(piece)) <= 2_000
