"""Writing: Markdown in Discord's dialect."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.adapters.markdown.emoji import pictured
from bot.adapters.markdown.reading import read
from bot.adapters.markdown.tables import most_of_records
from bot.adapters.markdown.tree import Block, Kind, Shape, Span
from bot.adapters.markdown.writer import GAP, Writer

LIMIT = 1_900  # of Discord's 2,000, in UTF-16 units as its clients count

_ROOM = 3  # what one | may cost beside itself: an aligned table, a spoiler that is none

_MARGIN = 16

# What Discord would show as a mention; code is left alone, where it is none.
_CALLS = r"@(?=everyone|here)|<(?=@[!&]?\d|#\d|id:|/[\w-]+:\d)"
_PING = re.compile(_CALLS, re.IGNORECASE)
_CODE_OR_PING = re.compile(rf"\\.|(?P<ticks>`+)(?!`)[^`]*(?P=ticks)(?!`)|(?P<ping>{_CALLS})", re.IGNORECASE)
# Single letters that Discord reads as marks though CommonMark does not.
_MARK = re.compile(
    r"(?<!\s)\*|\*(?!\s)|`|~(?=~)|(?<=~)~|\|(?=\|)|(?<=\|)\||(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])"
    r"|\](?=\()|(?m:^(?=-# |>>> |> |#{1,3} ))"
)
_SPECIAL = re.compile(r"[\\`*_~|\[\]#>+\-.)]")
_GROWS = "*_`~<>()&[]\n@"  # each may be escaped
_LANGUAGE = re.compile(r"[a-z0-9_+\-.#]+\Z", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://\S+\Z", re.IGNORECASE)


def write_text(markdown: str) -> str:
    """
    Say Markdown in Discord's dialect, in at most `length` units.

    Narrow tables become aligned code, wide ones records; small headings bold lines, pictures links,
    formulas letters. Nothing in it is shown as a mention.
    """
    blocks, most = read(markdown), length(markdown)
    for writer in _WRITERS:
        text = writer.document(blocks).strip("\n")
        if units(text) <= most:
            return text
    return _PING.sub(lambda found: found[0] + GAP, markdown)


def length(markdown: str) -> int:
    """
    Bound how long the text is once it is written out, as Discord's clients count.

    It never shrinks when text is appended, which cutting asks for.
    """
    bound = units(markdown) + sum(map(markdown.count, _GROWS)) + 2 * markdown.count("://") + _MARGIN
    if "|" in markdown:
        bound += _ROOM * markdown.count("|") + most_of_records(markdown, units)
    return bound


def units(text: str) -> int:
    """Count UTF-16 units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


class DiscordWriter(Writer):
    """Discord's dialect."""

    rule = "───────"
    indents_code = False  # Discord would show the indentation as part of the code

    def between(self, before: Block, after: Block) -> str:
        """Part two blocks; headings and code have room of their own around them."""
        roomy = before.shape in (Shape.HEADING, Shape.CODE) or after.shape is Shape.CODE
        if roomy and after.shape is not Shape.HEADING:
            return "\n"
        return super().between(before, after)

    def heading(self, level: int, spans: Sequence[Span]) -> str:
        """Discord knows three levels."""
        if level <= 3:
            return super().heading(level, spans)
        text = self.inline(_weaker(spans)).replace("\n", " ").strip()
        return f"**{text}**" if text else ""

    def quote(self, text: str) -> str:
        """Discord knows one level; an inner one gets a bar."""
        lines = text.split("\n")
        inner = [re.sub(r"^> ?", "│ ", line) for line in lines]
        return "\n".join(f"> {line}" for line in inner)

    def code(self, text: str, language: str) -> str:
        """Discord ends code at three ticks, wherever they are."""
        name = language.split(maxsplit=1)[0] if language.strip() else ""
        name = name if _LANGUAGE.match(name) else ""
        body = text.replace("```", f"``{GAP}`")
        return f"```{name}\n{body if body.strip() else GAP}\n```"

    def text(self, text: str) -> str:
        """Keep literal text from being marks and mentions; names of emoji become emoji."""
        text = _MARK.sub(lambda found: "\\" + found[0], pictured(text))
        return _PING.sub(lambda found: found[0] + GAP, text)

    def escaped(self, text: str) -> str:
        """Escape what its author had escaped."""
        return "\\" + text if _SPECIAL.fullmatch(text) else self.text(text)

    def inline(self, spans: Sequence[Span]) -> str:
        """Write spans; what became a mention only where two of them met is none either."""
        text = super().inline(spans)
        if any(span.kind is Kind.ESCAPED for span in spans):
            text = _CODE_OR_PING.sub(lambda found: found[0] + (GAP if found["ping"] else ""), text)
        return text

    def bare(self, url: str, after: str) -> str:
        """Nobody is called by an address either."""
        if "://" not in url:
            return _PING.sub(lambda found: found[0] + GAP, url)
        return super().bare(_PING.sub("%40", url), after)

    def link(self, label: str, url: str, title: str) -> str:
        """Discord links only to the web, and not from a label that is an address itself."""
        if not _ADDRESS.match(url):
            target = url.removeprefix("mailto:")
            same = target in (label, "") or url.startswith("#")
            return label if same else f"{label} ({self.text(target)})"
        address = _PING.sub("%40", url).replace("(", "%28").replace(")", "%29")
        if "://" in label:
            return (
                f"<{url}>" if label.replace("\\", "").rstrip("/") == url.rstrip("/") else f"{label} (<{url}>)"
            )
        hint = f' "{self.text(title)}"' if title and '"' not in title else ""
        return f"[{label}]({address}{hint})"


def _weaker(spans: Sequence[Span]) -> list[Span]:
    weaker: list[Span] = []
    for span in spans:
        weaker += span.spans if span.kind is Kind.STRONG else [span]
    return weaker


_WRITERS = (DiscordWriter(), DiscordWriter(roomy=False))
