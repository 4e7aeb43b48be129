"""A finished post as blocks: Markdown, and where Slack takes it a real table."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, TypeGuard

from bot.adapters.markdown.emoji import pictured
from bot.adapters.markdown.reading import read
from bot.adapters.markdown.tree import Block, Kind, Span, Table, plain
from bot.adapters.slack.dialects import SlackMarkdown
from bot.adapters.slack.writing import harmless, measure, units, write_markdown

MARKDOWN_CHARACTERS = 12_000  # of all markdown blocks of a message together
TABLE_CHARACTERS = 10_000  # of all cells of a message together
ROWS, COLUMNS = 100, 20
BLOCKS_CHARACTERS = 13_000  # of a message's blocks as JSON; Slack refuses from about 13,200

_MARKDOWN = SlackMarkdown()
_STYLES = {Kind.STRONG: "bold", Kind.EMPHASIS: "italic", Kind.STRIKE: "strike"}


def write_blocks(markdown: str) -> list[dict[str, Any]]:
    """
    Say Markdown in blocks, within Slack's limits for one message.

    The first table that fits is a table block (Slack takes one a message), all else markdown blocks.
    Nothing for a text that is blank.
    """
    blocks = read(markdown)
    tables = ((at, block.table) for at, block in enumerate(blocks))
    found = next(((at, table) for at, table in tables if _fits(table)), None)
    if found is None:
        return _markdown(write_markdown(markdown))
    at, table = found
    parts = [*_said(blocks[:at]), write_table(table), *_said(blocks[at + 1 :])]
    written = sum(units(part["text"]) for part in parts if part["type"] == "markdown")
    if written > measure(markdown) or len(json.dumps(parts, ensure_ascii=False)) > BLOCKS_CHARACTERS:
        return _markdown(write_markdown(markdown))
    return parts


def write_table(table: Table) -> dict[str, Any]:
    """Say a table as Slack's own."""
    settings = [{"align": side, "is_wrapped": True} for side in table.aligned]
    return {
        "type": "table",
        "column_settings": settings,
        "rows": [[_cell(cell) for cell in row] for row in table.rows],
    }


def _said(blocks: Sequence[Block]) -> list[dict[str, Any]]:
    return _markdown(harmless(_MARKDOWN.document(blocks).strip("\n")))


def _markdown(text: str) -> list[dict[str, Any]]:
    return [{"type": "markdown", "text": text}] if text.strip() else []


def _fits(table: Table | None) -> TypeGuard[Table]:
    if table is None or not 2 <= len(table.rows) <= ROWS or not 1 <= len(table.rows[0]) <= COLUMNS:
        return False
    return sum(len(plain(cell)) + 1 for row in table.rows for cell in row) <= TABLE_CHARACTERS


def _cell(spans: Sequence[Span]) -> dict[str, Any]:
    if all(span.kind in (Kind.TEXT, Kind.ESCAPED, Kind.SOFT_BREAK) for span in spans):
        # A cell must not be empty.
        return {"type": "raw_text", "text": pictured(plain(tuple(spans))) or " "}
    section = {"type": "rich_text_section", "elements": list(_elements(spans, {}))}
    return {"type": "rich_text", "elements": [section]}


def _elements(spans: Sequence[Span], style: dict[str, bool]) -> Iterator[dict[str, Any]]:
    for span in spans:
        if span.kind in _STYLES:
            yield from _elements(span.spans, {**style, _STYLES[span.kind]: True})
        elif span.kind is Kind.CODE:
            yield _element(span.text, {**style, "code": True})
        elif span.kind in (Kind.LINK, Kind.IMAGE) and span.url.startswith(("https://", "http://", "mailto:")):
            link = {"type": "link", "url": span.url, "text": plain((span,)) or span.url}
            yield {**link, "style": style} if style else link
        elif span.kind in (Kind.BREAK, Kind.SOFT_BREAK):
            yield _element("\n", style)
        else:
            text = _MARKDOWN.inline([span]) if span.kind in (Kind.NOTE, Kind.FORMULA) else plain((span,))
            if text:
                yield _element(pictured(text), style)


def _element(text: str, style: dict[str, bool]) -> dict[str, Any]:
    element: dict[str, Any] = {"type": "text", "text": text}
    return {**element, "style": style} if style else element
