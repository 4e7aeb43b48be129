"""Takes the text out of an HTML page; runs in a process of its own, since tangled HTML can take for ever."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from bot.documents.encodings import decode

_MOST_BYTES = 2 * 2**20
_SILENT = frozenset({"script", "style", "template", "noscript", "svg", "head"})
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "figcaption", "figure",
    "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol",
    "p", "pre", "section", "table", "tr", "ul",
})  # fmt: skip
_CELLS = frozenset({"td", "th"})


def read_page(data: bytes) -> dict[str, object]:
    """Read what people would see of the page, and its title."""
    text = decode(data, _MOST_BYTES)
    if text is None:
        return {"note": "file-other"}
    page = _Page()
    page.feed(text)
    page.close()
    seen = re.sub(r"[ \t\u00a0]+", " ", "".join(page.parts))
    return {"texts": [re.sub(r" ?\n[ \n]*\n ?", "\n\n", seen).strip()]}


class _Page(HTMLParser):
    """Gathers the text that is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._silent: list[str] = []
        self._title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._title = tag == "title"
        if tag in _SILENT:
            self._silent.append(tag)
        if tag == "body":  # a head need not be closed
            self._silent.clear()
        if tag in _BLOCKS:
            self.parts.append("\n")
        if tag in _CELLS:
            self.parts.append(" | ")

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._title = False
            self.parts.append("\n\n")
        if tag in _SILENT and tag in self._silent:
            while self._silent.pop() != tag:
                pass
        if tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if self._title or not self._silent:
            self.parts.append(data)
