"""A finished post as blocks."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from slack_sdk.models.blocks import Block

from bot.adapters.markdown.reading import read
from bot.adapters.slack.blocks import BLOCKS_CHARACTERS, write_blocks, write_table
from bot.adapters.slack.writing import streams_well, write_markdown
from tests.adapters.test_writing_out import MARKDOWN

TABLE = "| a | b |\n|:-|-:|\n| 1 | **2** |"


def kinds(markdown: str) -> list[str]:
    return [block["type"] for block in write_blocks(markdown)]


def test_text_is_one_markdown_block() -> None:
    assert write_blocks("# Head\n\nText") == [{"type": "markdown", "text": "# Head\n\nText"}]
    assert write_blocks(" \n") == []


def test_a_table_is_a_table_and_stands_where_it_stood() -> None:
    before, table, after = write_blocks(f"Before\n\n{TABLE}\n\nAfter")
    assert (before["text"], after["text"]) == ("Before", "After")
    assert table["column_settings"] == [
        {"align": "left", "is_wrapped": True},
        {"align": "right", "is_wrapped": True},
    ]
    assert table["rows"][0] == [{"type": "raw_text", "text": "a"}, {"type": "raw_text", "text": "b"}]
    section = {
        "type": "rich_text_section",
        "elements": [{"type": "text", "text": "2", "style": {"bold": True}}],
    }
    assert table["rows"][1][1] == {"type": "rich_text", "elements": [section]}


def test_slack_takes_one_table_a_message() -> None:
    assert kinds(f"{TABLE}\n\nand\n\n{TABLE}") == ["table", "markdown"]


def test_a_table_beyond_slacks_limits_is_said_in_text() -> None:
    assert kinds("| a |\n|---|\n" + "| 1 |\n" * 101) == ["markdown"]
    assert kinds("|" + "a|" * 21 + "\n|" + "-|" * 21 + "\n|" + "1|" * 21) == ["markdown"]
    assert kinds("| a |\n|---|\n" + f"| {'w' * 1_000} |\n" * 11) == ["markdown"]


def test_cells_are_never_empty_and_hold_links() -> None:
    block = read("| a | b |\n|---|---|\n| | [x](https://e.com) :tada: |")[0]
    assert block.table is not None
    cells = write_table(block.table)["rows"][1]
    assert cells[0] == {"type": "raw_text", "text": " "}
    elements: list[dict[str, Any]] = cells[1]["elements"][0]["elements"]
    assert elements == [
        {"type": "link", "url": "https://e.com", "text": "x"},
        {"type": "text", "text": " 🎉"},
    ]


@given(MARKDOWN)
@settings(max_examples=100, deadline=None)
def test_blocks_are_such_as_slack_knows(markdown: str) -> None:
    blocks = write_blocks(markdown)
    assert len(str(blocks)) < 2 * BLOCKS_CHARACTERS
    assert sum(block["type"] == "table" for block in blocks) <= 1
    for block in Block.parse_all(blocks):
        block.validate_json()


def test_a_stream_is_worth_an_update_only_where_slack_would_show_it_ill() -> None:
    for text in (
        "**bold** and `code`\n\n- a\n- b",
        "这是**重点**的话",
        "It costs $5 and $6.",
        "```\na\n```",
        "a*b*c",
    ):
        assert streams_well(text), text
        assert write_markdown(text) == text
    for text in (
        TABLE,
        "x[^1]",
        "$x^2$",
        "\\(a+b\\)",
        "**真：**她",
        "说**「好」**",
        "a<br>b",
        "![a](b)",
        "__init__",
    ):
        assert not streams_well(text), text
