"""A thread as a stream of server-sent events: all of it first, then what changed."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any

import structlog
from sse_starlette import EventSourceResponse, ServerSentEvent

from bot.dialogue import Channel, Entry, EntryState
from bot.errors import StoreError
from bot.ports import Transcripts
from bot.web.render import render

CALM = 0.1  # seconds between two events of one stream
PING_SECONDS = 15
RETRY_MILLISECONDS = 1_000

log = structlog.get_logger()


class Streams:
    """The open streams of this process, so that closing the server does not wait for their readers."""

    def __init__(self, transcripts: Transcripts) -> None:
        """Take where threads are read."""
        self._transcripts = transcripts
        self._open: set[asyncio.Event] = set()
        self._closing = False

    def follow(self, channel: Channel) -> EventSourceResponse:
        """Answer with the thread's events until the reader leaves or the server closes."""
        return EventSourceResponse(self._events(channel), ping=PING_SECONDS, send_timeout=60)

    def close(self) -> None:
        """End all streams; their readers connect again by themselves."""
        self._closing = True
        for changed in self._open:
            changed.set()

    async def _events(self, channel: Channel) -> AsyncIterator[ServerSentEvent]:
        changed = asyncio.Event()
        self._open.add(changed)
        watcher = asyncio.create_task(_watch(self._transcripts, channel, changed))
        watcher.add_done_callback(lambda _: changed.set())
        try:
            view = _View()
            while await self._next(changed, watcher):
                started = time.monotonic()
                news = await view.news(await self._transcripts.read(channel))
                if news is not None:
                    yield ServerSentEvent(
                        json.dumps(news, ensure_ascii=False), event="entries", retry=RETRY_MILLISECONDS
                    )
                # What costs long to render is rendered less often, so that one long answer
                # never takes the server from the others.
                await asyncio.sleep(max(CALM, 3 * (time.monotonic() - started)))
        except StoreError as error:
            log.warning("stream_ended", reason=type(error).__name__)
        finally:
            self._open.discard(changed)
            watcher.cancel()
            with suppress(asyncio.CancelledError, StoreError):
                await watcher

    async def _next(self, changed: asyncio.Event, watcher: asyncio.Task[None]) -> bool:
        """Wait for a change; False once there is nothing more to come."""
        if not self._closing:
            await changed.wait()
            changed.clear()
        if watcher.done():
            await watcher
        return not (self._closing or watcher.done())


def said(entry: Entry) -> dict[str, Any]:
    """Say an entry as the page reads it: a person's text as it is, the bot's as safe HTML too."""
    shown: dict[str, Any] = {
        "id": entry.id,
        "state": entry.state,
        "author": entry.author,
        "at": entry.at.isoformat(),
        "turn": entry.turn,
    }
    if entry.state is EntryState.HEARD:
        return {**shown, "text": entry.text}
    if entry.state in {EntryState.DONE, EntryState.FAILED, EntryState.STOPPED}:
        shown["text"] = entry.text
    return {**shown, "html": render(entry.text)}


class _View:
    """What one reader has been sent."""

    def __init__(self) -> None:
        self._sent: dict[str, Entry] = {}
        self._order: list[str] | None = None

    async def news(self, entries: Sequence[Entry]) -> dict[str, Any] | None:
        """Say what the reader does not know yet; None if nothing."""
        fresh = [entry for entry in entries if self._sent.get(entry.id) != entry]
        order = [entry.id for entry in entries]
        if not fresh and order == self._order:
            return None
        shown = await asyncio.to_thread(lambda: [said(entry) for entry in fresh])
        news: dict[str, Any] = {"entries": shown}
        if order != self._order:
            news["order"] = order
        self._sent = {entry.id: entry for entry in entries}
        self._order = order
        return news


async def _watch(transcripts: Transcripts, channel: Channel, changed: asyncio.Event) -> None:
    async for _ in transcripts.changes(channel):
        changed.set()
