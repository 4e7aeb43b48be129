"""Reads Markdown into the tree: once for all dialects, and a paragraph that stands again not at all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block.table import escapedSplit
from markdown_it.token import Token

from bot.adapters.markdown.rules import DEEPEST, parser
from bot.adapters.markdown.spans import build
from bot.adapters.markdown.tree import Block, Kind, Shape, Span, Table

# What makes a text more than plain lines; all else need not be parsed.
_MARKS = re.compile(
    r"[*_`\[<&\\~$|\x00]|://|^[ \t]*(?:#|>|[-+][ \t\n]|\d{1,9}[.)][ \t\n]|=+ *$|-+ *$)|^[ ]{4}|^\t|[ ]{2}\n",
    re.MULTILINE,
)
_PART = re.compile(r"\n[ \t]*+\n++(?=[^\s\-*+>\d\[:|`~<$\\]|\*\*|`[^`]|#)")
_FENCE = re.compile(
    r"^(?P<lead>[ \t>]*(?:(?:[-*+]|\d+[.)])[ \t]+)*)(?P<mark>`{3,}|~{3,})(?P<info>.*)$", re.MULTILINE
)
_WHOLE = re.compile(r"<!--|^ {0,3}\[[^\]\n]+\]:", re.MULTILINE)
_DEEP = re.compile(
    rf"^[ \t]*(?:(?:>|[-*+]|\d{{1,9}}[.)])[ \t]*){{{DEEPEST},}}|^[ \t]{{160,}}\S", re.MULTILINE
)
_BRACKETS = 100
_LINKED = re.compile(r"\](?=[(\[:])|\[\^|\[[ xX]\]")
_TASK = re.compile(r"\[([ xX])\][ \t]+")
_ALERT = re.compile(r"\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]\Z")

_LEAVES = {"fence": Shape.CODE, "code_block": Shape.CODE, "hr": Shape.RULE, "formula_block": Shape.FORMULA}
_BRANCHES = {
    "paragraph_open": Shape.PARAGRAPH,
    "heading_open": Shape.HEADING,
    "blockquote_open": Shape.QUOTE,
    "bullet_list_open": Shape.LIST,
    "ordered_list_open": Shape.LIST,
    "list_item_open": Shape.ITEM,
    "footnote_reference_open": Shape.NOTE,
}


@lru_cache(maxsize=64)
def read(markdown: str) -> tuple[Block, ...]:
    """Read Markdown; a fence that was not closed ends with the text. No text is dropped."""
    if _DEEP.search(markdown):
        return (Block(Shape.PARAGRAPH, _lines(markdown.strip("\n"))),)
    if _WHOLE.search(markdown):
        return _read_part(markdown)
    blocks: list[Block] = []
    for part in _parts(markdown):
        blocks += _read_part(part)
    return tuple(blocks)


def _parts(markdown: str) -> Iterator[str]:
    """Cut at blank lines that part blocks in any case, so that what stood before is known already."""
    code = list(_fenced(markdown)) if "```" in markdown or "~~~" in markdown else []
    begin = 0
    for gap in _PART.finditer(markdown):
        if any(start < gap.start() < end for start, end in code):
            continue
        yield markdown[begin : gap.start()]
        begin = gap.end()
    yield markdown[begin:]


def _fenced(markdown: str) -> Iterator[tuple[int, int]]:
    """Say where code may stand; too much rather than too little, which only makes a part longer."""
    opened: re.Match[str] | None = None
    for found in _FENCE.finditer(markdown):
        if opened is None:
            if found["mark"][0] == "~" or "`" not in found["info"]:
                opened = found
        elif (
            found["mark"].startswith(opened["mark"])
            and not found["info"].strip()
            and found["lead"].replace(" ", "") == re.sub("[^>]", "", opened["lead"])
        ):
            yield opened.start(), found.end()
            opened = None
    if opened is not None:
        yield opened.start(), len(markdown)


@lru_cache(maxsize=512)
def _read_part(markdown: str) -> tuple[Block, ...]:
    if not markdown.strip():
        return ()
    if not _MARKS.search(markdown):
        return tuple(
            Block(Shape.PARAGRAPH, _lines(paragraph))
            for paragraph in re.split(r"\n[ \t]*\n+", markdown.strip())
        )
    env: dict[str, Any] = {}
    reader = parser(markdown.count("[") < _BRACKETS + 2 * len(_LINKED.findall(markdown)))
    tokens = reader.parse(markdown, env)
    blocks = _Builder(reader, env, tokens, markdown).blocks(0, len(tokens))
    return (*blocks, *_unused(env.get("references") or {}, markdown))


def _unused(references: Mapping[str, Any], markdown: str) -> Iterator[Block]:
    """Show the definitions of links that nothing refers to: models list their sources so."""
    for label, target in references.items():
        used = re.findall(rf"\[{re.escape(label)}\](?!:)", markdown, re.IGNORECASE)
        if not used:
            address, title = str(target["href"]), str(target["title"])
            spans = (Span(Kind.ESCAPED, f"[{label.lower()}] "), Span(Kind.LINK, address, url=address))
            yield Block(Shape.PARAGRAPH, (*spans, Span(Kind.TEXT, f" {title}")) if title else spans)


def _lines(text: str) -> tuple[Span, ...]:
    spans: list[Span] = []
    for line in text.split("\n"):
        spans += [Span(Kind.SOFT_BREAK)] if spans else []
        spans += [Span(Kind.TEXT, line.strip())] if line.strip() else []
    return tuple(spans)


class _Builder:
    """Builds blocks from the parser's flat tokens."""

    def __init__(
        self, reader: MarkdownIt, env: dict[str, Any], tokens: Sequence[Token], markdown: str
    ) -> None:
        self._reader, self._env, self._tokens = reader, env, tokens
        self._lines = markdown.split("\n")
        self._ends = _pairs(tokens)

    def blocks(self, begin: int, end: int) -> tuple[Block, ...]:
        """Build the blocks of the tokens between."""
        found: list[Block] = []
        at = begin
        while at < end:
            block = self._block(at)
            if block is not None:
                found.append(replace(block, spaced=self._spaced(self._tokens[at])))
            at = self._ends.get(at, at) + 1
        return tuple(found)

    def _spaced(self, token: Token) -> bool:
        if token.map is None or not 0 < token.map[0] <= len(self._lines):
            return True
        return not self._lines[token.map[0] - 1].strip(" \t>")

    def _block(self, at: int) -> Block | None:
        token, end = self._tokens[at], self._ends.get(at, at)
        if token.type in _LEAVES:
            text = token.content.removesuffix("\n") if token.type != "hr" else ""
            language = token.info.strip() if token.type == "fence" else ""
            return Block(_LEAVES[token.type], (Span(Kind.TEXT, language),) if language else (), text=text)
        if token.type == "table_open":
            return Block(Shape.TABLE, table=self._table(at, end))
        shape = _BRANCHES.get(token.type)
        if shape in (Shape.PARAGRAPH, Shape.HEADING):
            spans = self._inline(self._tokens[at + 1].content)
            level = int(token.tag[1]) if shape is Shape.HEADING else 0
            return Block(shape, spans, level=level) if spans or shape is Shape.HEADING else None
        return self._branch(shape, token, self.blocks(at + 1, end)) if shape else None

    def _branch(self, shape: Shape, token: Token, blocks: tuple[Block, ...]) -> Block:
        if shape is Shape.ITEM:
            return _item(blocks)
        if shape is Shape.QUOTE:
            return Block(shape, blocks=_alerted(blocks))
        if shape is Shape.NOTE:
            return Block(shape, blocks=blocks, text=str(token.meta["label"]))
        ordered = token.type == "ordered_list_open"
        start = int(token.attrGet("start") or 1) if token.attrGet("start") != 0 else 0
        return Block(shape, blocks=blocks, level=start if ordered else -1)

    def _table(self, begin: int, end: int) -> Table:
        rows: list[tuple[tuple[Span, ...], ...]] = []
        cells: list[tuple[Span, ...]] = []
        aligned: list[str] = []
        for at in range(begin, end):
            token = self._tokens[at]
            if token.type == "tr_open":
                cells = []
            elif token.type == "tr_close":
                rows.append(tuple(cells))
            elif token.type == "inline":
                surplus = (
                    self._surplus(token, len(aligned)) if len(cells) == len(aligned) - 1 and rows else ""
                )
                cells.append(self._inline(token.content + surplus))
            elif token.type == "th_open":
                style = str(token.attrGet("style") or "")
                aligned.append(style.removeprefix("text-align:") or "left")
        return Table(tuple(rows), tuple(aligned))

    def _surplus(self, token: Token, known: int) -> str:
        """Find the cells that a row has beyond the headers; GFM would drop them."""
        if token.map is None:
            return ""
        line = self._lines[token.map[0]].strip().removeprefix("|").removesuffix("|")
        cells = escapedSplit(line) if line.count("|") >= known else []
        return "".join(f" · {cell.strip()}" for cell in cells[known:] if cell.strip())

    def _inline(self, content: str) -> tuple[Span, ...]:
        if not self._env.get("references") and "[^" not in content:
            return _inline_alone(content, "[" not in content or self._reader is parser(True))
        return _inline(content, self._reader, self._env)


@lru_cache(maxsize=1024)
def _inline_alone(content: str, links: bool) -> tuple[Span, ...]:
    return _inline(content, parser(links), {})


def _inline(content: str, reader: MarkdownIt, env: dict[str, Any]) -> tuple[Span, ...]:
    tokens: list[Token] = []
    reader.inline.parse(content, reader, env, tokens)
    return build(tokens)


def _pairs(tokens: Sequence[Token]) -> dict[int, int]:
    ends: dict[int, int] = {}
    open_at: list[int] = []
    for at, token in enumerate(tokens):
        if token.nesting > 0:
            open_at.append(at)
        elif token.nesting < 0:
            ends[open_at.pop()] = at
    return ends


def _item(blocks: tuple[Block, ...]) -> Block:
    done = None
    if blocks and blocks[0].shape is Shape.PARAGRAPH and blocks[0].spans[0].kind is Kind.TEXT:
        first, *rest = blocks[0].spans
        if task := _TASK.match(first.text):
            done = task[1] != " "
            spans = (Span(Kind.TEXT, first.text[task.end() :]), *rest)
            blocks = (replace(blocks[0], spans=spans), *blocks[1:])
    return Block(Shape.ITEM, blocks=blocks, done=done)


def _alerted(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """Let GitHub's `[!NOTE]` at the beginning of a quote be a strong word."""
    if not blocks or blocks[0].shape is not Shape.PARAGRAPH:
        return blocks
    first, *rest = blocks[0].spans
    found = _ALERT.match(first.text) if first.kind is Kind.TEXT else None
    if found is None:
        return blocks
    word = Span(Kind.STRONG, spans=(Span(Kind.TEXT, found[1].capitalize()),))
    return (replace(blocks[0], spans=(word, *rest)), *blocks[1:])
