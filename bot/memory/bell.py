"""Listens for what other processes' commits tell."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import structlog
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from bot.memory.database import plain_url
from bot.memory.news import CHANNEL

log = structlog.get_logger()

MISSED = "missed"
# A listener says nothing, so without these it would not learn for hours that the other side is gone.
_ALIVE: dict[str, int] = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
_PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)

Listener = Callable[[str], None]


class Bell:
    """One connection that listens, and hands the news to whoever subscribed to its beginning."""

    def __init__(self, url: str) -> None:
        """`url` must reach Postgres itself: a pool between would swallow notifications."""
        self._url = plain_url(url)
        self._listeners: dict[int, tuple[str, Listener]] = {}
        self._next = 0
        self.listening = asyncio.Event()

    @contextmanager
    def subscribe(self, prefix: str, listener: Listener) -> Iterator[None]:
        """
        Call `listener` with all news that begin with `prefix`, while the block lasts.

        After a lost connection it is called with `MISSED`, since anything may have been told meanwhile.
        """
        self._next += 1
        number = self._next
        self._listeners[number] = (prefix, listener)
        try:
            yield
        finally:
            del self._listeners[number]

    async def run(self) -> None:
        """Listen until cancelled, connecting again with a growing pause."""
        failures = 0
        while True:
            try:
                await self._listen()
            except psycopg.Error as error:
                log.warning("bell_lost", reason=str(error).split("\n", 1)[0])
            failures = 0 if self.listening.is_set() else failures + 1
            self.listening.clear()
            await asyncio.sleep(_PAUSES[min(failures, len(_PAUSES) - 1)])

    async def _listen(self) -> None:
        given = {**_ALIVE, **conninfo_to_dict(self._url)}
        connection = await psycopg.AsyncConnection.connect(make_conninfo("", **given), autocommit=True)
        async with connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            self.listening.set()
            self._tell(MISSED)
            async for notice in connection.notifies():
                self._tell(notice.payload)

    def _tell(self, news: str) -> None:
        for prefix, listener in list(self._listeners.values()):
            if news == MISSED or news.startswith(prefix):
                listener(news)
