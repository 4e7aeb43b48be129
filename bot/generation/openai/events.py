"""Cuts a server's stream into its events, however its bytes are cut on the way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import aiohttp
from httpx2 import AsyncByteStream, HTTPError, Response

_WHOLE = ("application/json", "text/html")
_DONE = b"[DONE]"
_DRAIN_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Event:
    """One event as it came: its name, "" for most, and the data of its lines."""

    name: str
    data: tuple[bytes, ...]

    def parse(self) -> object:
        """
        Read its JSON; raises `ValueError` for what is none.

        Lines of one event belong together, but some servers forget the blank line between two events:
        then the last of them that is whole counts.
        """
        try:
            found = json.loads(b"\n".join(self.data).decode())
        except ValueError:
            if len(self.data) < 2:
                raise
            found = json.loads(self.data[-1].decode())
        if self.name == "error" and isinstance(found, dict) and "error" not in found:
            return {"error": found}
        return found


class Lines:
    """Puts bytes together to lines, and lines to events (HTML Standard, "Server-sent events")."""

    def __init__(self) -> None:
        """Nothing has come yet."""
        self._rest = b""
        self._name = ""
        self._data: list[bytes] = []

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes and return the events that are whole now."""
        lines = (self._rest + data).splitlines(keepends=True)
        # A lone carriage return at the end may be the first half of a line's end.
        self._rest = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        return [event for line in lines if (event := self._read(line.rstrip(b"\r\n")))]

    def end(self) -> list[Event]:
        """Return what stands without the blank line that should have followed."""
        return self.feed(b"\n\n")

    def _read(self, line: bytes) -> Event | None:
        if not line:
            return self._dispatch()
        field, _, value = line.partition(b":")
        if field in {b"data", b"error"}:  # llama.cpp has had a field of its own for errors
            self._data.append(value.removeprefix(b" "))
            self._name = "error" if field == b"error" else self._name
        elif field == b"event":
            self._name = value.strip().decode(errors="replace")
        return None

    def _dispatch(self) -> Event | None:
        name, data, self._name, self._data = self._name, self._data, "", []
        return Event(name, tuple(data)) if data else None


class Events:
    """
    The events of one response, together as they came over the wire.

    Our own reading instead of the SDK's: that makes an object of a model for every chunk and passes it
    through five generators, which was two thirds of all that an answer cost us.
    """

    def __init__(self, response: Response) -> None:
        """The response is open, and is closed by `close`."""
        self._response = response
        self._bytes = _bytes_of(response)
        self._lines = Lines()
        self._ended = False
        self._done = False

    async def next(self) -> Sequence[Event]:
        """Wait for the next events; none at the end. Raises what the transport raises."""
        if self._response.headers.get("content-type", "").startswith(_WHOLE):
            return await self._whole()
        while not self._ended:
            try:
                events = self._lines.feed(await anext(self._bytes))
            except StopAsyncIteration:
                self._ended = True
                events = self._lines.end()
            if events := self._before_done(events):
                return events
        return ()

    async def close(self) -> None:
        """Close the response; after the last word its rest is read, so that its connection serves again."""
        if self._done:
            with suppress(TimeoutError, HTTPError, aiohttp.ClientError, OSError):
                async with asyncio.timeout(_DRAIN_SECONDS):
                    async for _ in self._bytes:
                        pass
        await self._response.aclose()

    async def _whole(self) -> Sequence[Event]:
        if self._ended:
            return ()
        self._ended = True
        return [Event("", (await self._response.aread(),))]

    def _before_done(self, events: list[Event]) -> list[Event]:
        for place, event in enumerate(events):
            if event.data[0].startswith(_DONE):
                self._ended = self._done = True
                return events[:place]
        return events


def _bytes_of(response: Response) -> AsyncIterator[bytes]:
    """Read past the layers that decode, where there is nothing to decode."""
    stream = response.stream
    if "content-encoding" in response.headers or not isinstance(stream, AsyncByteStream):
        return response.aiter_bytes()
    return aiter(stream)
