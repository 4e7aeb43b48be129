"""The answer while it grows: written by the engine's side, read as pieces by the platform's side."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from bot.dialogue import Piece

# The first post waits for so many characters, or so long, that nobody is shown two letters for a second.
_FIRST_CHARACTERS = 24
_FIRST_SECONDS = 0.1


class Draft:
    """Holds the newest text; a reader that is slow misses versions in between, never the last."""

    def __init__(self, cut: Callable[[str], list[str]], opening: str = "") -> None:
        """
        `cut` makes posts of Markdown; growing text must not change its earlier cuts.

        `opening` stands before the text as soon as there is any, and is no part of the answer.
        """
        self._cut = cut
        self._opening = opening
        self._text = ""
        self._done = False
        self._error: Exception | None = None
        self._changed = asyncio.Event()

    def write(self, text: str, *, done: bool = False) -> None:
        """Replace the whole text so far; `done` says that nothing will follow."""
        self._text = f"{self._opening}\n\n{text}" if self._opening and text.strip() else text
        self._done = done
        self._changed.set()

    def fail(self, error: Exception) -> None:
        """Have the reader raise `error` instead of going on; the first one stays."""
        self._error = self._error or error
        self._changed.set()

    async def pieces(self) -> AsyncIterator[Piece]:
        """Yield each piece as it grows, and at last each one `done`; raise what `fail` was told."""
        shown: list[Piece] = []
        await self._wait_for_a_beginning()
        while True:
            self._changed.clear()
            done = self._done
            for piece in self._unseen(shown, done):
                self._raise_failure()
                shown[piece.ordinal :] = [piece]
                yield piece
            self._raise_failure()
            if done and self._done:
                return
            if not self._changed.is_set():
                await self._changed.wait()

    def _unseen(self, shown: list[Piece], done: bool) -> list[Piece]:
        """Choose the pieces the reader has to be given, so that it has all of them and none beyond."""
        pieces = _pieces(self._cut(self._text), done)
        same = 0
        while same < len(pieces) and pieces[same : same + 1] == shown[same : same + 1]:
            same += 1
        if same == len(pieces) < len(shown):
            same = max(same - 1, 0)  # a shorter text: its last piece again says that those beyond are void
        return pieces[same:]

    async def _wait_for_a_beginning(self) -> None:
        while not (self._text.strip() or self._done or self._error):
            await self._changed.wait()
            self._changed.clear()
        try:
            async with asyncio.timeout(_FIRST_SECONDS):
                while not (len(self._text) >= _FIRST_CHARACTERS or self._done or self._error):
                    await self._changed.wait()
                    self._changed.clear()
        except TimeoutError:
            pass
        self._raise_failure()

    def _raise_failure(self) -> None:
        if self._error is not None:
            raise self._error


def _pieces(texts: list[str], done: bool) -> list[Piece]:
    last = len(texts) - 1
    return [
        Piece(ordinal, text, done or ordinal < last, done and ordinal == last)
        for ordinal, text in enumerate(texts)
    ]
