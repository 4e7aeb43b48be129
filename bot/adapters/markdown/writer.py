"""Writes the tree as text: what all dialects have in common."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from bot.adapters.markdown.formulas import noted, readable
from bot.adapters.markdown.tables import aligned, compact, records
from bot.adapters.markdown.tree import Block, Kind, Shape, Span, Table, plain

MARKS = (Kind.STRONG, Kind.EMPHASIS, Kind.STRIKE)
_OPEN = (Shape.PARAGRAPH, Shape.LIST, Shape.QUOTE, Shape.NOTE)  # a line below would go on with these
_BEGINS = re.compile(r"(?:\A|\n)\d*\Z")
GAP = "\u200b"  # parts two letters that together would be a mark
HAIR = "\u200a"  # a space that is hardly seen


class Writer:
    """
    Writes blocks and spans; each dialect says what is its own.

    What stands here is CommonMark as most chats read it.
    """

    bullet = "- "
    rule = "---"
    strong, emphasis, strike = "**", "*", "~~"
    tasks = ("☐ ", "☑ ")
    bullet_of_tasks = "- "
    indents_code = True  # whether code in a list stands under its item

    def __init__(self, roomy: bool = True) -> None:
        """A writer keeps nothing of what it wrote; one that is not `roomy` says a table's row in a line."""
        self._roomy = roomy
        self._blocks: Mapping[Shape, Callable[[Block], str]] = {
            Shape.PARAGRAPH: lambda block: self.inline(block.spans).strip(" \n"),
            Shape.HEADING: lambda block: self.heading(block.level, block.spans),
            Shape.CODE: lambda block: self.code(block.text, plain(block.spans)),
            Shape.QUOTE: lambda block: self.quote(self.document(block.blocks)),
            Shape.LIST: self._list,
            Shape.ITEM: lambda block: self.document(block.blocks),
            Shape.TABLE: lambda block: self.table(block.table) if block.table else "",
            Shape.RULE: lambda _: self.rule,
            Shape.NOTE: lambda block: f"{self.note(block.text)} {self.document(block.blocks)}",
            Shape.FORMULA: self._display,
        }
        self._spans: Mapping[Kind, Callable[[Span], str]] = {
            **dict.fromkeys(MARKS, self._within),
            Kind.TEXT: lambda span: self.text(span.text),
            Kind.ESCAPED: lambda span: self.escaped(span.text),
            Kind.CODE: lambda span: self.code_span(span.text),
            Kind.LINK: self._link,
            Kind.IMAGE: lambda span: self.image(span.text, span.url),
            Kind.SOFT_BREAK: lambda _: "\n",
            Kind.BREAK: lambda _: "\n",
            Kind.NOTE: lambda span: self.note(span.text),
            Kind.FORMULA: self._formula,
        }

    def document(self, blocks: Sequence[Block]) -> str:
        """Write blocks as a text."""
        text = ""
        before: Block | None = None
        for block in blocks:
            written = self.block(block)
            if not written.strip():
                continue
            text += self.between(before, block) + written if before else written
            before = block
        return text

    def between(self, before: Block, after: Block) -> str:
        """Part two blocks."""
        if after.spaced or Shape.TABLE in (before.shape, after.shape):
            return "\n\n"
        merges = after.shape in (Shape.PARAGRAPH, Shape.RULE, Shape.FORMULA) and before.shape in _OPEN
        return "\n\n" if merges else "\n"

    def block(self, block: Block) -> str:
        """Write one block."""
        return self._blocks[block.shape](block)

    def heading(self, level: int, spans: Sequence[Span]) -> str:
        """Write a heading."""
        text = self.inline(spans).replace("\n", " ").strip()
        return f"{'#' * level} {text}" if text else ""

    def code(self, text: str, language: str) -> str:
        """Write a block of code."""
        runs = [len(run) for run in re.findall("`{3,}", text)]
        fence = "`" * max(3, *(run + 1 for run in runs)) if runs else "```"
        return f"{fence}{language}\n{text}\n{fence}"

    def quote(self, text: str) -> str:
        """Write a quote."""
        return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))

    def table(self, table: Table) -> str:
        """Write a table: aligned where it is narrow, else as records."""
        if not self._roomy:
            return "\n".join(compact(table, self.inline))
        lines = aligned(table)
        if lines is not None:
            return self.code("\n".join(lines), "")
        return "\n".join(records(table, self.inline, self._strong, self.bullet))

    def _strong(self, text: str, after: str = " ") -> str:
        return self.marked(Kind.STRONG, self.text(text), " ", after)

    def note(self, label: str) -> str:
        """Write the mark of a footnote."""
        return self.text(noted(label))

    def text(self, text: str) -> str:
        """Write literal text."""
        return text

    def escaped(self, text: str) -> str:
        """Write text that its author kept from being a mark."""
        return "\\" + text if len(text) == 1 and text in "\\`*_[]#+-.)~<>" else text

    def code_span(self, text: str) -> str:
        """Write code within a line."""
        runs = {len(run) for run in re.findall("`+", text)}
        ticks = "`" * next(length for length in range(1, len(runs) + 2) if length not in runs)
        pad = " " if text[:1] == "`" or text[-1:] == "`" else ""
        return f"{ticks}{pad}{text}{pad}{ticks}"

    def link(self, label: str, url: str, title: str) -> str:
        """Write a link; `label` is written already."""
        raise NotImplementedError

    def bare(self, url: str, after: str) -> str:
        """Write an address that stands for itself; `after` is the letter behind it."""
        if "://" not in url:
            return url
        return url if after.isspace() or (after.isascii() and after not in "*_~`|") else f"<{url}>"

    def image(self, alt: str, url: str) -> str:
        """Write a picture as a link."""
        if not url:
            return self.text(alt)
        return self.link(self.text(alt), url, "") if alt.strip() else self.bare(url, " ")

    def marked(self, kind: Kind, inner: str, before: str, after: str) -> str:
        """Put marks around text that stands between two letters."""
        mark = {Kind.STRONG: self.strong, Kind.EMPHASIS: self.emphasis}.get(kind, self.strike)
        return f"{mark}{inner}{mark}"

    def inline(self, spans: Sequence[Span]) -> str:
        """Write spans."""
        written = [self._span(span) for span in spans]
        text = ""
        for at, span in enumerate(spans):
            part = written[at]
            if span.kind in MARKS:
                part = self._around(span.kind, part, text, self._first(spans, written, at + 1))
            elif span.kind is Kind.LINK and span.text:
                part = self.bare(span.text, self._first(spans, written, at + 1))
            elif span.kind is Kind.ESCAPED and span.text in "#+-.>)" and not _BEGINS.search(text):
                part = self.text(span.text)  # a mark only where a line begins
            elif part == "\n":
                text = text.rstrip(" ")
            text += part.lstrip(" ") if text.endswith("\n") else part
        return text

    def _around(self, kind: Kind, inner: str, before: str, after: str) -> str:
        """Mark a text but for the spaces at its edges."""
        core = inner.strip()
        if not core:
            return inner
        at = inner.index(core)
        lead, tail = inner[:at], inner[at + len(core) :]
        return lead + self.marked(kind, core, (before + lead)[-1:] or " ", (tail + after)[:1]) + tail

    def _span(self, span: Span) -> str:
        return self._spans[span.kind](span)

    def _within(self, span: Span) -> str:
        return self.inline(span.spans)

    def _formula(self, span: Span) -> str:
        said = readable(span.text)
        return self.text(said) if said else self.code_span(span.text.replace("\n", " "))

    def _display(self, block: Block) -> str:
        said = readable(block.text)
        return self.text(said) if said else self.code(block.text, "latex")

    def _link(self, span: Span) -> str:
        if span.text:
            return span.text  # an address that stands for itself: see `inline`
        label = self.inline(span.spans).replace("\n", " ")
        pictures = [inner for inner in span.spans if inner.kind is Kind.IMAGE]
        if pictures:
            label = self.text(plain(span.spans)) if any(inner.text for inner in pictures) else span.url
        return self.link(label, span.url, span.title) if label.strip() else span.url

    def _first(self, spans: Sequence[Span], written: Sequence[str], at: int) -> str:
        for span, part in zip(spans[at:], written[at:], strict=True):
            if span.kind in MARKS and part.strip() == part != "":
                return "*"
            if span.kind in (Kind.BREAK, Kind.SOFT_BREAK):
                return "\n"
            if part:
                return part[0]
        return " "

    def _list(self, block: Block) -> str:
        lines: list[str] = []
        for number, item in enumerate(block.blocks, block.level):
            bullet = self.bullet if item.done is None else self.bullet_of_tasks
            marker = bullet if block.level < 0 else f"{number}. "
            task = "" if item.done is None else self.tasks[item.done]
            if lines and item.spaced and len(block.blocks[0].blocks) > 1:
                lines.append("")
            lines += self._item(item, marker, task)
        return "\n".join(lines)

    def _item(self, item: Block, marker: str, task: str) -> list[str]:
        text = self.document([_plainer(block) for block in item.blocks])
        indent = " " * max(len(marker), 2)
        first, *rest = text.split("\n")
        lines = [(marker + task + first).rstrip()]
        if first.startswith("```") and not (self.indents_code and marker and not task):
            lines, rest = [(marker + task).rstrip()], [first, *rest]
        code = False
        for line in rest:
            fence = not self.indents_code and line.startswith("```")
            lines.append(line if code or fence else (indent + line).rstrip())
            code = code != fence
        return lines


def _plainer(block: Block) -> Block:
    """A heading within a list is shown as a mark of it by no platform: it is a strong line."""
    if block.shape is not Shape.HEADING:
        return block
    spans: list[Span] = []
    for span in block.spans:
        spans += span.spans if span.kind is Kind.STRONG else [span]
    strong = Span(Kind.STRONG, spans=tuple(spans))
    return replace(block, shape=Shape.PARAGRAPH, spans=(strong,) if spans else ())
