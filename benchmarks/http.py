"""A plain HTTP/1.1 server for the doubles: next to no CPU, since the doubles share the machine."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_STATUS = {200: b"200 OK", 201: b"201 Created", 204: b"204 No Content", 404: b"404 Not Found"}

Answerer = Callable[["Exchange"], None]


class Exchange:
    """One request, and the way to answer it: at once, or as a stream of events."""

    def __init__(self, transport: asyncio.Transport, method: str, path: str, body: bytes) -> None:
        """`path` is without the query."""
        self._transport = transport
        self.method = method
        self.path = path
        self.body = body

    @property
    def gone(self) -> bool:
        """Whether the client has left."""
        return self._transport.is_closing()

    def reply(self, data: Any = None, status: int = 200) -> None:
        """Answer with JSON, or with nothing."""
        body = b"" if data is None else json.dumps(data).encode()
        head = b"HTTP/1.1 %s\r\n" % _STATUS[status]
        if status != 204:
            head += b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(body)
        self._transport.write(head + b"\r\n" + body)

    def begin(self) -> None:
        """Begin a stream of server-sent events."""
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        )

    def send(self, event: bytes) -> None:
        """Send one event, as a chunk of its own."""
        self._transport.write(b"%x\r\n%s\r\n" % (len(event), event))

    def end(self) -> None:
        """End the stream; the connection stays."""
        self._transport.write(b"0\r\n\r\n")


class Server(asyncio.Protocol):
    """One connection; its requests are answered in their order."""

    def __init__(self, routes: Mapping[str, Answerer]) -> None:
        """`routes` go by the beginning of the path."""
        self._routes = routes
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer what is whole, keep the rest."""
        self._held += data
        while (end := self._held.find(b"\r\n\r\n")) >= 0:
            body, after = _body(self._held, end)
            if after < 0:
                return
            method, target, _ = self._held[: self._held.index(b"\r\n")].decode().split(" ")
            self._held = self._held[after:]
            path = urlsplit(target).path
            answer = next(found for prefix, found in self._routes.items() if path.startswith(prefix))
            answer(Exchange(self._transport, method, path, body))


async def serve(routes: Mapping[str, Answerer]) -> tuple[asyncio.Server, int]:
    """Listen on a free port of this machine, and say which."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Server(routes), "127.0.0.1", 0, backlog=2_000)
    return server, int(server.sockets[0].getsockname()[1])


def _body(held: bytes, end: int) -> tuple[bytes, int]:
    """Give the body and where it ends; -1 where it is not whole."""
    head = held[: end + 2]
    if _CHUNKED.search(head):
        return _joined(held, end + 4)
    found = _LENGTH.search(head)
    after = end + 4 + (int(found[1]) if found else 0)
    return (held[end + 4 : after], after) if len(held) >= after else (b"", -1)


def _joined(held: bytes, at: int) -> tuple[bytes, int]:
    parts: list[bytes] = []
    while (line := held.find(b"\r\n", at)) >= 0:
        size = int(held[at:line], 16)
        begin = line + 2
        if len(held) < begin + size + 2:
            break
        if not size:
            return b"".join(parts), begin + 2
        parts.append(held[begin : begin + size])
        at = begin + size + 2
    return b"", -1
