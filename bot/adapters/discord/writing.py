"""Writing: Markdown in Discord's dialect."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

LIMIT = 1_900  # of Discord's 2,000, in UTF-16 units as its clients count

_PIPE = 4  # what one | may cost beside itself: an aligned table, a spoiler that is none

_FENCE = re.compile(r"^(?P<indent> {0,3})(?P<fence>`{3,}|~{3,})(?P<info>.*)$")
_RULE = re.compile(r"^ {0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$")
_HEADING = re.compile(r"^ {0,3}(#{4,6})[ \t]+(.+?)(?:[ \t]+#+)?[ \t]*$")
_TASK = re.compile(r"^(\s*(?:[-*+]|\d{1,9}[.)])[ \t]+)\[([ xX])\](?=[ \t])")
_QUOTES = re.compile(r"^ {0,3}>[ \t]?(?:>[ \t]?)+")
_SEPARATOR = re.compile(r"^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$")
_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")
_IMAGE = re.compile(r"!\[(?P<alt>[^\[\]]*)\]\((?P<link>[^()\s]+)(?:\s+\"[^\"]*\")?\)")
_STRONG = re.compile(r"(?<![\w_\\])__(?=[^\s_])(.+?)(?<=[^\s_])__(?![\w_])")


def write_text(markdown: str) -> str:
    """
    Say Markdown in Discord's dialect.

    Tables become aligned code blocks, small headings bold lines, images links. Code is left as it is.
    """
    return "\n".join(_lines(markdown.split("\n")))


def length(markdown: str) -> int:
    """
    Say how long the text is at most once it is written out, as Discord's clients count.

    It never shrinks when text is appended, which cutting asks for.
    """
    return _units(markdown) + _PIPE * markdown.count("|")


def _lines(lines: list[str]) -> Iterator[str]:
    fence = ""
    position = 0
    while position < len(lines):
        line = lines[position]
        position += 1
        opened = _FENCE.match(line)
        if fence:
            closed = _closes(opened, fence)
            fence = "" if closed else fence
            yield "```" if closed else line
        elif opened and "`" not in opened["info"]:
            fence = opened["fence"]
            yield "```" + opened["info"].strip()
        elif rows := _table(lines, position - 1):
            position += len(rows) - 1
            yield from _aligned(rows)
        else:
            yield _line(line)


def _closes(found: re.Match[str] | None, fence: str) -> bool:
    return bool(found and found["fence"].startswith(fence) and not found["info"].strip())


def _line(line: str) -> str:
    if _RULE.match(line):
        return "───"
    if heading := _HEADING.match(line):
        return f"**{_inline(heading[2]).replace('**', '')}**"
    line = _QUOTES.sub("> ", line)  # three of them would quote all that follows
    line = _TASK.sub(lambda task: task[1] + ("☐" if task[2] == " " else "☑"), line)
    return _inline(line)


def _inline(line: str) -> str:
    parts: list[str] = []
    position = 0
    for code in _CODE_SPAN.finditer(line):
        parts += [_plain(line[position : code.start()]), code[0]]
        position = code.end()
    return "".join([*parts, _plain(line[position:])])


def _plain(text: str) -> str:
    text = _IMAGE.sub(
        lambda image: f"[{image['alt']}]({image['link']})" if image["alt"] else image["link"], text
    )
    text = _STRONG.sub(r"**\1**", text)  # Discord underlines what Markdown makes strong
    return text.replace("||", r"\|\|")  # it would be a spoiler


def _table(lines: list[str], start: int) -> list[str]:
    """Give the lines of the table that begins here; none where none does."""
    if "|" not in lines[start] or start + 1 >= len(lines) or not _SEPARATOR.match(lines[start + 1]):
        return []
    if "|" not in lines[start + 1]:
        return []
    if len(_cells(lines[start])) != len(_cells(lines[start + 1])):
        return []
    end = start + 2
    while end < len(lines) and "|" in lines[end] and lines[end].strip():
        end += 1
    return lines[start:end]


def _cells(row: str) -> list[str]:
    row = row.strip().removeprefix("|")
    if row.endswith("|") and not row.endswith("\\|"):
        row = row[:-1]
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", row)]


def _aligned(rows: list[str]) -> list[str]:
    table = [_cells(row) for index, row in enumerate(rows) if index != 1]
    columns = len(table[0])
    table = [row + [""] * (columns - len(row)) for row in table]
    widths = [max(_width(row[column]) for row in table) for column in range(columns)]
    shown = [_row(row, widths) for row in table]
    aligned = ["```", shown[0], "-+-".join("-" * width for width in widths), *shown[1:], "```"]
    if _units("\n".join(aligned)) <= length("\n".join(rows)):
        return aligned
    return ["```", *(row.replace("```", "'''") for row in rows), "```"]  # too wide to be worth its padding


def _row(row: list[str], widths: list[int]) -> str:
    padded = [
        cell + " " * (widths[column] - _width(cell)) if column < len(widths) else cell
        for column, cell in enumerate(row)
    ]
    return " | ".join(padded).replace("```", "'''").rstrip()


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
