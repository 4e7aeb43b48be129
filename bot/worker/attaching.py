"""Reads what is enclosed with a question before it is answered: files, pictures, linked messages."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

import structlog

from bot.dialogue import LINK, Attachment, Channel, File, Linked, Turn, Unread
from bot.errors import PermissionMissing, PlatformError, PostRefused
from bot.ports import Adapter, Files, Links, Words

log = structlog.get_logger()

# People wait for the answer: what takes longer is told, and read when it is asked for again.
_FILE_SECONDS = 30.0
_MOST_FILES = 8  # a turn, the question's own first
_AT_ONCE = 3  # a process: each is held in memory while it is read
_LEAST_TOKENS = 200


class Read(Protocol):
    """What a reader made of a file."""

    @property
    def text(self) -> str:
        """What can be read of it."""
        ...

    @property
    def picture(self) -> bytes:
        """What can be seen of it."""
        ...

    @property
    def media_type(self) -> str:
        """What sort of picture that is."""
        ...

    @property
    def tokens(self) -> int:
        """What it costs."""
        ...

    @property
    def note(self) -> str:
        """The catalogue's key of what was left out, or why there is nothing."""
        ...

    @property
    def values(self) -> Mapping[str, object]:
        """What that text needs."""
        ...


class Reader(Protocol):
    """Reads files within bounds."""

    @property
    def most_bytes(self) -> int:
        """How large a file may be."""
        ...

    def refuse(self, name: str, media_type: str, size: int) -> Read | None:
        """Say why a file will not be read, before it is fetched."""
        ...

    async def read(self, name: str, media_type: str, data: bytes, tokens: int) -> Read:
        """Read it; never fails."""
        ...


class Shelf(Protocol):
    """Keeps what was read."""

    async def unread(self, turn: Turn) -> Sequence[Unread]:
        """Find what has to be read before a turn is answered, oldest first."""
        ...

    async def keep(
        self, number: int, files: Mapping[int, Attachment], links: Sequence[Attachment] | None = None
    ) -> None:
        """Keep it with its message."""
        ...


class Attaching:
    """Has files and links read once, and kept; a failure is a note and never fails the answer."""

    def __init__(self, shelf: Shelf, reader: Reader, words: Words, tokens: int) -> None:
        """`tokens` is how much may be read of all that is enclosed with one message."""
        self._shelf = shelf
        self._reader = reader
        self._words = words
        self._tokens = max(tokens, _LEAST_TOKENS)
        self._gate = asyncio.Semaphore(_AT_ONCE)

    async def attach(self, turn: Turn, adapter: Adapter) -> None:
        """Read what is enclosed with the question and near before it, as far as the platform can."""
        if not isinstance(adapter, Files | Links):
            return
        left = _MOST_FILES
        # The newest first: what is asked about stands last.
        for unread in reversed(await self._shelf.unread(turn)):
            language = self._words.language_for(turn.asked)
            reading = _Reading(self._reader, self._gate, self._words, language, self._tokens)
            files = await reading.files(unread, adapter, left) if isinstance(adapter, Files) else {}
            left = max(left - len(files), 0)
            links = await reading.links(unread, adapter) if isinstance(adapter, Links) else None
            if files or links is not None:
                await self._shelf.keep(unread.number, files, links)


class _Reading:
    """The reading of what one message encloses, noted in one language."""

    def __init__(
        self, reader: Reader, gate: asyncio.Semaphore, words: Words, language: str, tokens: int
    ) -> None:
        self._reader = reader
        self._gate = gate
        self._words = words
        self._language = language
        self._tokens = tokens

    async def files(self, unread: Unread, adapter: Files, most: int) -> dict[int, Attachment]:
        places = unread.files[:most]
        share = max(self._tokens // max(len(places), 1), _LEAST_TOKENS)
        files, channel = unread.message.files, unread.message.channel
        read = await asyncio.gather(*(self._file(channel, files[place], adapter, share) for place in places))
        found = dict(zip(places, read, strict=True))
        if unread.asks:  # of other messages' files the rest may be read another time
            note = self._say("file-too-many", most=_MOST_FILES)
            found |= {place: Attachment(files[place].name, note=note) for place in unread.files[most:]}
        return found

    async def links(self, unread: Unread, adapter: Links) -> list[Attachment] | None:
        if not unread.asks:
            return None
        if "://" not in unread.message.text:
            return []
        try:
            found = await adapter.linked(unread.message)
        except PlatformError as error:
            log.warning("links_not_read", message=unread.number, kind=type(error).__name__)
            return None
        share = max(self._tokens // (2 * max(len(found), 1)), _LEAST_TOKENS)
        return [await self._link(linked, share) for linked in found]

    async def _file(self, channel: Channel, file: File, adapter: Files, tokens: int) -> Attachment:
        read = self._reader.refuse(file.name, file.media_type, file.size)
        if read is None:
            try:
                async with self._gate:
                    async with asyncio.timeout(_FILE_SECONDS):
                        data = await adapter.fetch(channel, file, self._reader.most_bytes)
                    read = await self._read(file, data, tokens)
            except (PlatformError, TimeoutError) as error:
                log.warning("file_not_fetched", kind=type(error).__name__, reason=str(error))
                return Attachment(file.name, note=self._say(_reason(error)))
        if read is None:
            return Attachment(file.name, note=self._say("file-broken"))
        log.info("file_read", kind=read.media_type or "text", tokens=read.tokens, note=read.note)
        note = self._say(read.note, **read.values) if read.note else ""
        return Attachment(file.name, read.media_type, read.text, read.picture, read.tokens, note)

    async def _read(self, file: File, data: bytes, tokens: int) -> Read | None:
        try:
            return await self._reader.read(file.name, file.media_type, data, tokens)
        except Exception as error:
            # A reader's fault would come again at each try: better an answer without the file than none.
            log.exception("file_reading_failed", kind=type(error).__name__, size=len(data))
            return None

    async def _link(self, linked: Linked, tokens: int) -> Attachment:
        if not linked.messages:
            return Attachment(linked.link, LINK, note=self._say("link-unreadable"))
        said = [
            f"{one.author.name} ({one.sent_at:%Y-%m-%d %H:%M} UTC): {one.text}"
            + "".join(f"\n[file: {file.name}]" for file in one.files)
            for one in linked.messages
        ]
        read = await self._reader.read("", "text/plain", "\n\n".join(said).encode(), tokens)
        note = self._say(read.note, **read.values) if read.note else ""
        quotes = tuple(one.key for one in linked.messages)
        return Attachment(linked.link, LINK, read.text, tokens=read.tokens, note=note, quotes=quotes)

    def _say(self, key: str, **values: object) -> str:
        return self._words.say(key, self._language, **values)


def _reason(error: Exception) -> str:
    if isinstance(error, PermissionMissing):
        return "file-no-permission"
    return "file-unreachable" if isinstance(error, PostRefused) else "file-away"
