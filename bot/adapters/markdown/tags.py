"""The tags of HTML that models write among Markdown, and what becomes of them."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

from bot.adapters.markdown.tree import Kind

_TAG = re.compile(r"<(?P<closes>/?)(?P<name>[A-Za-z][A-Za-z0-9]*)(?P<rest>[^>]*)/?>\Z", re.DOTALL)
_ATTRIBUTE = re.compile(r"""\b(href|src|alt)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+))""", re.IGNORECASE)

_KINDS = {
    **dict.fromkeys(("b", "strong", "summary", "th", "dt", "h1", "h2", "h3", "h4", "h5", "h6"), Kind.STRONG),
    **dict.fromkeys(("i", "em", "cite", "var", "dfn"), Kind.EMPHASIS),
    **dict.fromkeys(("s", "del", "strike"), Kind.STRIKE),
    **dict.fromkeys(("code", "kbd", "samp", "tt"), Kind.CODE),
    **dict.fromkeys(("sub", "sup"), Kind.TEXT),
    "a": Kind.LINK,
}
_LINES = (
    "br p div center details summary ul ol li dl dt dd table tr blockquote pre section article hr "
    "h1 h2 h3 h4 h5 h6"
)
_INLINE = (
    "u ins mark span font small big abbr q img td thead tbody tfoot header footer nav main figure "
    "figcaption video audio source picture script style html body head title wbr time label caption"
)
_BREAKING = frozenset(_LINES.split(" "))
_PLAIN = frozenset(_INLINE.split(" "))
TAGS = tuple(sorted({*_KINDS, *_BREAKING, *_PLAIN}))  # all that are known


@dataclass(frozen=True, slots=True)
class Tag:
    """A known tag: the mark it makes if any, whether a line begins with it, its address."""

    name: str
    closes: bool = False
    kind: Kind | None = None
    breaks: bool = False
    url: str = ""
    alt: str = ""


def read_tag(source: str) -> Tag | None:
    """Read a tag or a comment; None for what only looks like one, as `<your-token>` does."""
    if source.startswith("<!--"):
        return Tag("comment")
    found = _TAG.match(source)
    if found is None:
        return None
    name = found["name"].lower()
    if name not in _KINDS and name not in _BREAKING and name not in _PLAIN:
        return None
    attributes = {
        key.lower(): html.unescape(a or b or c) for key, a, b, c in _ATTRIBUTE.findall(found["rest"])
    }
    kind = _KINDS.get(name)
    url = attributes.get("href") or attributes.get("src") or ""
    if kind is Kind.LINK and not url:
        kind = None
    return Tag(name, bool(found["closes"]), kind, name in _BREAKING, url, attributes.get("alt", ""))
