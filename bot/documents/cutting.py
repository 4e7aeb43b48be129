"""Cuts text to a number of tokens, on whole lines, rows or pages; pure."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence

Count = Callable[[str], int]

# No more than so many characters are ever counted for one token: text of blanks alone has as many.
_CHARACTERS_A_TOKEN = 8
_TRIES = 8
_LEAST = 40
_TABLE_CHARACTERS = 500_000
_DELIMITERS = ",\t;|"


def keep_ends(text: str, tokens: int, count: Count) -> tuple[str, int]:
    """
    Keep the beginning and the end of a text, since what is looked for stands in either.

    Returns it with the number of characters that were left out of its middle.
    """
    length = min(len(text), max(tokens, 1) * _CHARACTERS_A_TOKEN)
    kept, left_out = _ends(text, length)
    for _ in range(_TRIES):
        weight = count(kept)
        if weight <= tokens or length <= _LEAST:
            break
        length = max(int(length * min(tokens / weight, 0.95)), _LEAST)
        kept, left_out = _ends(text, length)
    return kept, left_out


def keep_first(units: Sequence[str], tokens: int, count: Count) -> tuple[str, int]:
    """Keep the first units (pages, rows) that fit, and say how many; at least a part of the first."""
    most, length = 0, 0
    while most < len(units) and length <= tokens * _CHARACTERS_A_TOKEN:
        length += len(units[most])
        most += 1
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if count("".join(units[:middle])) <= tokens:
            low = middle
        else:
            high = middle - 1
    if low or not units:
        return "".join(units[:low]), low
    return keep_ends(units[0], tokens, count)[0], 1


def rows_of(text: str, tabs: bool = False) -> list[str]:
    """
    Cut a table into its rows, each with its line end: a quoted cell may run over several lines.

    Only the beginning of a large table is looked at; the rest comes as one row.
    """
    head = text[:_TABLE_CHARACTERS]
    lines = head.splitlines(keepends=True)
    cut = len(head) < len(text)
    if cut and len(lines) > 1:
        lines.pop()
    rows: list[str] = []
    begin = 0
    for end in _row_ends(lines, "\t" if tabs else _delimiter(lines)):
        rows.append("".join(lines[begin:end]))
        begin = end
    return rows


def _row_ends(lines: Sequence[str], delimiter: str) -> Sequence[int]:
    reader = csv.reader(lines, delimiter=delimiter)
    ends = []
    try:
        for _ in reader:
            ends.append(reader.line_num)
    except csv.Error:  # a cell that is too large, or a null byte: lines are good enough
        return range(1, len(lines) + 1)
    return ends


def _delimiter(lines: Sequence[str]) -> str:
    head = lines[0] if lines else ""
    return max(_DELIMITERS, key=head.count)


def _ends(text: str, length: int) -> tuple[str, int]:
    if len(text) <= length:
        return text, 0
    head, tail = text[: length * 2 // 3], text[len(text) - length // 3 :]
    # A line is not cut where there is another near.
    if "\n" in head[-200:]:
        head = head[: head.rindex("\n")]
    if "\n" in tail[:200]:
        tail = tail[tail.index("\n") + 1 :]
    return f"{head}\n[…]\n{tail}", len(text) - len(head) - len(tail)
