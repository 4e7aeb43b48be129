"""Slack's two dialects: the Markdown it takes today, and the older mrkdwn."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Sequence

from bot.adapters.markdown.tree import Kind, Span
from bot.adapters.markdown.writer import GAP, HAIR, Writer

_WEB = re.compile(r"(?:https?|mailto):[^\s<>|]+\Z", re.IGNORECASE)


_PAIRS = dict(zip("“‘「『（《【〈", "”’」』）》】〉", strict=True))


class SlackMarkdown(Writer):
    """The Markdown of `markdown_text` and of markdown blocks: CommonMark's, without titles and pictures."""

    def escaped(self, text: str) -> str:
        """A name like `__init__` is code, for nobody promises that Slack knows escapes."""
        return self.code_span(text) if text.startswith("__") else super().escaped(text)

    def marked(self, kind: Kind, inner: str, before: str, after: str) -> str:
        """
        Let marks stand where CommonMark sees them.

        `**真：**她` would not be closed: signs at the edges go out of the marks, where nobody sees the
        difference, and where that does not help a hair's space stands between.
        """
        mark = {Kind.STRONG: self.strong, Kind.EMPHASIS: self.emphasis}.get(kind, self.strike)
        lead = tail = ""
        while len(inner) > 1 and _moves(inner[0]) and not (_is_open(before) and _is_open((tail + after)[0])):
            pair = len(inner) > 2 and inner[-1] == _PAIRS.get(inner[0])
            if not pair and _is_open(before):
                break
            lead, inner, before = lead + inner[0], inner[1:], inner[0]
            if pair:
                tail, inner = inner[-1] + tail, inner[:-1]
        while len(inner) > 1 and _moves(inner[-1]) and not _is_open((tail + after)[0]):
            tail, inner = inner[-1] + tail, inner[:-1]
        opens = HAIR if _is_sign(inner[:1]) and not _is_open(before) else ""
        closes = HAIR if _is_sign(inner[-1:]) and not _is_open((tail + after)[0]) else ""
        return f"{lead}{opens}{mark}{inner}{mark}{closes}{tail}"

    def link(self, label: str, url: str, title: str) -> str:
        """Slack links to the web and to mail addresses."""
        if not _WEB.match(url):
            return label if url in ("", label) or url.startswith("#") else f"{label} ({url})"
        address = url.replace("(", "%28").replace(")", "%29")
        return f"[{label}]({address})"


class Mrkdwn(Writer):
    """The older dialect of `text`, where nothing is nested and little can be escaped."""

    bullet = "• "
    bullet_of_tasks = ""
    rule = "———"
    strong, emphasis, strike = "*", "_", "~"

    def heading(self, level: int, spans: Sequence[Span]) -> str:
        """There are no headings: a strong line."""
        text = self.inline(_weaker(spans)).replace("\n", " ").strip()
        return f"*{text}*" if text else ""

    def code(self, text: str, language: str) -> str:
        """No language; three ticks end it wherever they are."""
        return f"```\n{_escape(text).replace('```', f'``{GAP}`')}\n```"

    def quote(self, text: str) -> str:
        """One level; an inner one gets a bar."""
        return "\n".join("> " + re.sub(r"^> ?", "│ ", line) for line in text.split("\n"))

    def text(self, text: str) -> str:
        """Slack asks for three letters to be escaped."""
        return _escape(text)

    def escaped(self, text: str) -> str:
        """There are no escapes: an unseen letter parts a mark from what follows it."""
        return _escape(text) + (GAP if text in ("*", "_", "~", "`") else "")

    def code_span(self, text: str) -> str:
        """One tick on each side."""
        return f"`{_escape(text).replace('`', 'ˋ')}`"

    def bare(self, url: str, after: str) -> str:
        """Mark an address, so that it ends where it ends."""
        if "://" not in url:
            return f"<mailto:{_escape(url)}|{_escape(url)}>"
        return f"<{_escape(url)}>"

    def link(self, label: str, url: str, title: str) -> str:
        """Slack links to the web and to mail addresses."""
        if not _WEB.match(url):
            return label if url in ("", label) or url.startswith("#") else f"{label} ({_escape(url)})"
        if html.unescape(label) == url:
            return f"<{_escape(url)}>"
        return f"<{_escape(url)}|{label.replace('|', '¦')}>"

    def marked(self, kind: Kind, inner: str, before: str, after: str) -> str:
        """Marks count only at the edges of words, and within a line."""
        mark = {Kind.STRONG: self.strong, Kind.EMPHASIS: self.emphasis}.get(kind, self.strike)
        inner = "\n".join(f"{mark}{line}{mark}" if line.strip() else line for line in inner.split("\n"))
        opens = HAIR if before.isalnum() or (before > "\u2000" and not before.isspace()) else ""
        closes = HAIR if after.isalnum() or (after > "\u2000" and not after.isspace()) else ""
        return f"{opens}{inner}{closes}"


def _moves(letter: str) -> bool:
    return _is_sign(letter) and letter not in "*~`[]()<>\\"


def _is_sign(letter: str) -> bool:
    return bool(letter) and unicodedata.category(letter)[0] in "PS"


def _is_open(letter: str) -> bool:
    return letter.isspace() or _is_sign(letter)


def _weaker(spans: Sequence[Span]) -> list[Span]:
    weaker: list[Span] = []
    for span in spans:
        weaker += span.spans if span.kind is Kind.STRONG else [span]
    return weaker


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
