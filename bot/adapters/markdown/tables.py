"""Tables where a platform has none: aligned by letters of equal width, or as records."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from bot.adapters.markdown.tree import Kind, Span, Table, plain
from bot.adapters.markdown.width import columns, is_wide

NARROW = 56  # columns that a code block shows without scrolling or wrapping, on a telephone turned too

_RUN = re.compile(r"(?:^[ \t]*\|.*(?:\n|\Z)){3,}", re.MULTILINE)
_NUMBER = re.compile(r"[-+−]?[$€¥£]?\s?\d[\d,. ]*\s?[%°a-zA-Z]{0,3}\Z")
_RECORD = 8  # what the marks of one cell's line in a record take, at most


def aligned(table: Table) -> list[str] | None:
    """Lay the table out in columns; None where it is wider than `NARROW`, or would lose addresses."""
    if any(_has_address(cell) for row in table.rows for cell in row):
        return None
    rows = [[plain(cell).replace("\n", " ").strip() for cell in row] for row in table.rows]
    widths = [max(1, *(columns(row[at]) for row in rows)) for at in range(len(rows[0]))]
    if sum(widths) + 3 * (len(widths) - 1) > NARROW:
        return None
    sides = [_side(table.aligned[at], [row[at] for row in rows[1:]]) for at in range(len(widths))]
    lines = [_row(row, widths, sides) for row in rows]
    return [lines[0], "-+-".join("-" * width for width in widths), *lines[1:]]


def records(
    table: Table, inline: Callable[[Sequence[Span]], str], strong: Callable[[str, str], str], bullet: str
) -> list[str]:
    """
    Say each row as a list of "header: value" under its first cell.

    `strong` marks a text that stands before a given letter.
    """
    headers = [plain(cell).strip() for cell in table.rows[0]]
    colon = "：" if any(is_wide(header[-1]) for header in headers if header) else ":"
    space = "" if colon == "：" else " "
    lines: list[str] = []
    for row in table.rows[1:]:
        title = plain(row[0]).strip()
        lines += [""] if lines else []
        if title and headers[0] and any(span.kind not in (Kind.TEXT, Kind.STRONG) for span in row[0]):
            value = inline(row[0]).replace("\n", " ").strip()
            lines.append(strong(headers[0] + colon, space or value[0]) + space + value)
        elif title:
            lines.append(strong(f"{headers[0]}{colon}{space}{title}" if headers[0] else title, " "))
        for header, cell in zip(headers[1:], row[1:], strict=True):
            if value := inline(cell).replace("\n", " ").strip():
                name = strong(header + colon, space or value[0]) + space if header else ""
                lines.append(bullet + name + value)
    if len(table.rows) == 1:
        lines.append(" · ".join(strong(header, " ") for header in headers if header))
    return lines


def compact(table: Table, inline: Callable[[Sequence[Span]], str]) -> list[str]:
    """Say each row in a line; it takes no more room than the table as it was written."""
    return [" · ".join(inline(cell).replace("\n", " ").strip() for cell in row) for row in table.rows]


def most_of_records(markdown: str, length: Callable[[str], int]) -> int:
    """Bound what tables grow by as records; it never shrinks when text is appended."""
    most = 0
    for run in _RUN.finditer(markdown):
        header, _, rows = run[0].partition("\n")
        most += (rows.count("\n") + 1 - 1) * (length(header) + _RECORD * header.count("|"))
    return most


def _has_address(spans: Sequence[Span]) -> bool:
    return any(
        (span.kind in (Kind.LINK, Kind.IMAGE) and not span.text.startswith("http"))
        or _has_address(span.spans)
        for span in spans
    )


def _side(aligned: str, values: Sequence[str]) -> str:
    if aligned == "left" and any(values) and all(_NUMBER.match(value) for value in values if value):
        return "right"
    return aligned


def _row(row: Sequence[str], widths: Sequence[int], sides: Sequence[str]) -> str:
    return " | ".join(map(_cell, row, widths, sides)).rstrip()


def _cell(text: str, width: int, side: str) -> str:
    room = width - columns(text)
    before = {"right": room, "center": room // 2}.get(side, 0)
    return " " * before + text + " " * (room - before)
