"""Builds spans from the parser's inline tokens, HTML's tags among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from markdown_it.token import Token

from bot.adapters.markdown.formulas import raised
from bot.adapters.markdown.tags import Tag, read_tag
from bot.adapters.markdown.tree import Kind, Span, plain

_DEEPEST = 16  # marks within marks; what is nested deeper keeps its text and loses its mark

_OPENING = {
    "strong_open": Kind.STRONG,
    "em_open": Kind.EMPHASIS,
    "s_open": Kind.STRIKE,
    "link_open": Kind.LINK,
}
_SIMPLE = {
    "text_special": Kind.ESCAPED,
    "code_inline": Kind.CODE,
    "formula": Kind.FORMULA,
    "softbreak": Kind.SOFT_BREAK,
    "hardbreak": Kind.BREAK,
}
# Names that Python's own speakers write bare and do not mean to be strong.
_DUNDERS = frozenset(
    name[2:-2] for kind in (object, int, dict, type) for name in dir(kind) if name[:2] == "__"
)
_DUNDERS |= {"main", "name", "file", "all", "version", "enter", "exit", "call", "del", "iter", "next", "path"}


@dataclass(slots=True)
class _Frame:
    """A mark that is open."""

    kind: Kind | None = None
    token: Token | None = None
    tag: str = ""
    url: str = ""
    spans: list[Span] = field(default_factory=list)

    def closed(self) -> list[Span]:
        if self.kind is None or not self.spans:
            return self.spans
        spans = tuple(self.spans)
        if self.kind is Kind.CODE:
            return [Span(Kind.CODE, plain(spans))]
        if self.tag in ("sup", "sub"):
            return [Span(Kind.TEXT, raised(plain(spans), lower=self.tag == "sub"))]
        if self.kind is Kind.STRONG and self.token and self.token.markup == "__" and plain(spans) in _DUNDERS:
            return [Span(Kind.ESCAPED, f"__{plain(spans)}__")]
        title = str(self.token.attrGet("title") or "") if self.token else ""
        if self.token is not None and self.token.info == "auto":
            return [Span(Kind.LINK, plain(spans), spans, self.url)]
        return [Span(self.kind, "", spans, self.url, title)]


def build(tokens: Sequence[Token]) -> tuple[Span, ...]:
    """Turn inline tokens into spans; adjacent text becomes one."""
    stack = [_Frame()]
    for token in tokens:
        if token.type in _OPENING:
            _open(stack, _Frame(_OPENING[token.type], token, url=str(token.attrGet("href") or "")))
        elif token.nesting < 0:
            _close(stack)
        elif token.type == "html_inline":
            _read_html(stack, token.content)
        else:
            stack[-1].spans += _leaf(token)
    while len(stack) > 1:
        _close(stack)
    return tuple(_joined(stack[0].spans))


def _open(stack: list[_Frame], frame: _Frame) -> None:
    if len(stack) > _DEEPEST:
        frame.kind = None
    stack.append(frame)


def _close(stack: list[_Frame]) -> None:
    if len(stack) > 1:
        frame = stack.pop()
        frame.spans = _joined(frame.spans)
        stack[-1].spans += frame.closed()


def _leaf(token: Token) -> list[Span]:
    if token.type == "image":
        alt = plain(build(token.children or ()))
        return [Span(Kind.IMAGE, alt, url=str(token.attrGet("src") or ""))]
    if token.type == "footnote_ref":
        return [Span(Kind.NOTE, str(token.meta["label"]))]
    kind = _SIMPLE.get(token.type, Kind.TEXT)
    if kind in (Kind.BREAK, Kind.SOFT_BREAK):
        return [Span(kind)]
    return [Span(kind, token.content)] if token.content else []


def _read_html(stack: list[_Frame], source: str) -> None:
    tag = read_tag(source)
    if tag is None:
        stack[-1].spans.append(Span(Kind.ESCAPED, source))
    elif tag.closes:
        if any(frame.tag == tag.name for frame in stack):
            while stack[-1].tag and stack[-1].tag != tag.name:
                _close(stack)
            if stack[-1].tag == tag.name:
                _close(stack)
        stack[-1].spans += _break_for(stack, tag)
    else:
        stack[-1].spans += _break_for(stack, tag)
        stack[-1].spans += _standing(stack[-1].spans, tag)
        if tag.kind is not None:
            _open(stack, _Frame(tag.kind, tag=tag.name, url=tag.url))


def _break_for(stack: list[_Frame], tag: Tag) -> list[Span]:
    spans = stack[-1].spans
    parted = not spans or spans[-1].kind in (Kind.BREAK, Kind.SOFT_BREAK)
    return [Span(Kind.BREAK)] if tag.breaks and (not parted or tag.name == "br") else []


def _standing(before: Sequence[Span], tag: Tag) -> list[Span]:
    if tag.name in ("td", "th") and before and before[-1].kind not in (Kind.BREAK, Kind.SOFT_BREAK):
        return [Span(Kind.TEXT, " · ")]
    if tag.name == "img":
        return [Span(Kind.IMAGE, tag.alt, url=tag.url)]
    return [Span(Kind.TEXT, "• ")] if tag.name == "li" else []


def _joined(spans: list[Span]) -> list[Span]:
    joined: list[Span] = []
    for span in spans:
        if joined and span.kind is Kind.TEXT and joined[-1].kind is Kind.TEXT:
            joined[-1] = Span(Kind.TEXT, joined[-1].text + span.text)
        elif joined and span.kind is Kind.SOFT_BREAK and joined[-1].kind is Kind.BREAK:
            continue
        else:
            joined.append(span)
    return joined
