"""The tree that Markdown is read into: blocks, and the spans of text within them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from bot.adapters.markdown.formulas import noted, readable


class Kind(Enum):
    """What a span is."""

    TEXT = auto()  # literal
    ESCAPED = auto()  # literal, and its author took care that it would not be a mark
    CODE = auto()
    STRONG = auto()
    EMPHASIS = auto()
    STRIKE = auto()
    LINK = auto()
    IMAGE = auto()
    SOFT_BREAK = auto()
    BREAK = auto()
    NOTE = auto()  # the mark of a footnote, `text` its label
    FORMULA = auto()


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text; `spans` where others lie within it."""

    kind: Kind
    text: str = ""
    spans: tuple[Span, ...] = ()
    url: str = ""
    title: str = ""


class Shape(Enum):
    """What a block is."""

    PARAGRAPH = auto()
    HEADING = auto()
    CODE = auto()
    QUOTE = auto()
    LIST = auto()
    ITEM = auto()
    TABLE = auto()
    RULE = auto()
    NOTE = auto()  # a footnote, `text` its label
    FORMULA = auto()


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells, the first of them the headers, all of the same number; aligned left, center or right."""

    rows: tuple[tuple[tuple[Span, ...], ...], ...]
    aligned: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """
    A block; `blocks` where others lie within it.

    `level` is a heading's, and in a list the first number (-1: bullets). `spaced` says that a blank line
    stood before it. `done` is whether a task is, None where an item is no task.
    """

    shape: Shape
    spans: tuple[Span, ...] = ()
    blocks: tuple[Block, ...] = ()
    text: str = ""
    level: int = 0
    spaced: bool = True
    done: bool | None = None
    table: Table | None = None


def plain(spans: tuple[Span, ...]) -> str:
    """Say spans without any marks, in one line."""
    return "".join(_plain(span) for span in spans)


def _plain(span: Span) -> str:
    if span.kind in (Kind.SOFT_BREAK, Kind.BREAK):
        return " "
    if span.kind is Kind.FORMULA:
        return readable(span.text) or span.text
    if span.kind is Kind.NOTE:
        return noted(span.text)
    return span.text or plain(span.spans) or span.url
