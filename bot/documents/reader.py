"""Reads one file within bounds: text here, whatever needs a parser in a process of its own."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.documents.apart import read_apart
from bot.documents.cutting import keep_ends, keep_first, rows_of
from bot.documents.encodings import decode
from bot.documents.kinds import Kind, kind_of, named_kind
from bot.ports import TokenCounter

# A phone's photo has 3 to 8 MB, a report with pictures up to 20; the file is held in memory while it is read.
MOST_BYTES = 20 * 2**20
# Of a larger text the beginning and the end are enough for any context.
_TEXT_BYTES = 2 * 2**20
_AT_ONCE = 2  # parsers, each with a process: more would slow down the answers that run

# What logs paint their lines with.
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")

_REFUSED = {
    Kind.SOUND: "file-sound",
    Kind.OFFICE: "file-office",
    Kind.OTHER: "file-other",
    Kind.EMPTY: "file-empty",
}


@dataclass(frozen=True, slots=True)
class Read:
    """
    What a model can read of a file: its `text`, or a `picture` of `media_type`, or neither.

    `note` is the catalogue's key of what was left out, or why nothing was read, and `values` its values.
    `tokens` is what the text counts, or what seeing the picture is taken to cost.
    """

    text: str = ""
    picture: bytes = b""
    media_type: str = ""
    tokens: int = 0
    note: str = ""
    values: Mapping[str, object] = field(default_factory=dict)


class Reader:
    """Reads files; two at a time at most are parsed, each in a process that may fail or be ended."""

    def __init__(self, counter: TokenCounter, seconds: float = 10.0) -> None:
        """`seconds` is how long a parser may take, which a hostile file would use without end."""
        self._counter = counter
        self._seconds = seconds
        self._gate = asyncio.Semaphore(_AT_ONCE)

    @property
    def most_bytes(self) -> int:
        """How large a file may be; no more of one has to be fetched."""
        return MOST_BYTES

    def refuse(self, name: str, media_type: str, size: int) -> Read | None:
        """Say why a file will not be read, as far as that is known before it is fetched."""
        if size > MOST_BYTES:
            return Read(
                note="file-too-large", values={"size": _megabytes(size), "most": _megabytes(MOST_BYTES)}
            )
        refused = _REFUSED.get(named_kind(name, media_type))
        return Read(note=refused) if refused else None

    async def read(self, name: str, media_type: str, data: bytes, tokens: int) -> Read:
        """Read what is worth at most about `tokens` tokens; never fails, whatever the file is."""
        kind = kind_of(name, media_type, data)
        if kind in _REFUSED:
            return Read(note=_REFUSED[kind])
        if kind in {Kind.TEXT, Kind.TABLE}:
            return await asyncio.to_thread(self._text, name, kind, data, tokens)
        async with self._gate:
            found = await read_apart(kind, data, tokens, self._seconds)
        if found.note or found.picture:
            note = found.note or "file-picture"
            return Read("", found.picture, found.media_type, found.tokens, note)
        if kind is Kind.PDF:
            return await asyncio.to_thread(self._pages, found.texts, found.pages, tokens)
        return await asyncio.to_thread(self._cut, "".join(found.texts), tokens)

    def _text(self, name: str, kind: Kind, data: bytes, tokens: int) -> Read:
        text = decode(data, _TEXT_BYTES)
        if text is None:
            return Read(note="file-other")
        if kind is Kind.TABLE:
            return self._table(text, data, tokens, tabs=name.lower().endswith(".tsv"))
        return self._cut(_COLOURS.sub("", text), tokens)

    def _cut(self, text: str, tokens: int) -> Read:
        kept, left_out = keep_ends(text.strip("\r\n"), tokens, self._counter.count)
        if not left_out:
            return self._whole(kept)
        return self._whole(kept, "file-cut", left=f"{left_out:,}")

    def _table(self, text: str, data: bytes, tokens: int, *, tabs: bool) -> Read:
        rows = rows_of(text, tabs)
        kept, number = keep_first(rows, tokens, self._counter.count)
        looked_at = sum(len(row) for row in rows)
        if looked_at < len(text) or len(data) > _TEXT_BYTES:
            # Beyond what was looked at, lines stand for rows.
            total = max(data.count(b"\n") - sum(row.count("\n") - 1 for row in rows if row), len(rows))
        else:
            total = len(rows)
        # The first row names the columns.
        if number == total:
            return self._whole(kept, "file-rows", rows=f"{max(total - 1, 0):,}")
        return self._whole(kept, "file-some-rows", rows=f"{total - 1:,}", read=f"{max(number - 1, 0):,}")

    def _pages(self, texts: Sequence[str], pages: int, tokens: int) -> Read:
        kept, number = keep_first(texts, tokens, self._counter.count)
        if number == pages:
            return self._whole(kept, "file-pages", pages=pages)
        return self._whole(kept, "file-some-pages", pages=pages, read=number)

    def _whole(self, text: str, note: str = "", **values: object) -> Read:
        return Read(text, tokens=self._counter.count(text), note=note, values=values)


def _megabytes(size: int) -> str:
    return f"{size / 2**20:.1f} MB"
