"""
A model's server over the wire: OpenAI's two APIs on 127.0.0.1, with every fault a test may want.

    async with ModelDouble() as model:
        model.answer("Hello there")                # the next request gets this text
        model.script(fault(429), Script("late"))   # the next two requests get these
        model.reply = lambda body: "…"             # all others get this (an echo of the question if not set)
        gate = Gate(); model.script(Script("one two three", gate=gate, hold_after=1))
        await gate.reached()                       # the first chunk is out, the answer is held
        gate.release()
        model.requests[-1].question                # what was asked
        await model.stop(); await model.start()    # down, and up again on the same port
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Self

from aiohttp import web

from tests.doubles.model_responses import RESPONSES, response_of
from tests.doubles.model_scripts import (
    BAD_KEY,
    CHAT,
    DOWN,
    FILTERED,
    GARBAGE,
    NO_MODEL,
    QUOTA,
    SILENT,
    TOO_LONG,
    WAIT_SECONDS,
    Gate,
    Heard,
    Script,
    fault,
    pieces_of,
    question_of,
    refuse,
    whole,
)

__all__ = [
    "BAD_KEY", "DOWN", "FILTERED", "GARBAGE", "NO_MODEL", "QUOTA", "SILENT", "TOO_LONG",
    "Gate", "Heard", "ModelDouble", "Script", "fault",
]  # fmt: skip


class ModelDouble:
    """The server. Chat requests are in `requests`, the answers to come in a queue filled by `script`."""

    def __init__(self, models: Sequence[str] = ("double-1",), key: str = "") -> None:
        """Only `models` exist unless there are none; a `key` is asked for if it is given."""
        self.models = list(models)
        self.key = key
        self.lists_models = True
        self.requests: list[Heard] = []
        self.reply: Callable[[dict[str, Any]], str] = _echo
        self.gate: Gate | None = None  # holds every answer that is not scripted
        self.port = 0
        self._scripts: deque[Script] = deque()
        self._runner: web.AppRunner | None = None
        self._stopped = asyncio.Event()
        self._arrived = asyncio.Condition()

    @property
    def url(self) -> str:
        """The base address for `BOT_MODEL__BASE_URL`."""
        return f"http://127.0.0.1:{self.port}/v1"

    def answer(self, *texts: str | Sequence[str]) -> None:
        """Give the next requests these texts; a list is a text in just these chunks."""
        self.script(*(Script(text) for text in texts))

    def script(self, *scripts: Script) -> None:
        """Give the next requests these answers or faults, in order."""
        self._scripts.extend(scripts)

    async def asked(self, count: int = 1, seconds: float = WAIT_SECONDS) -> Heard:
        """Wait until so many chat requests have come; return the last of them."""
        async with asyncio.timeout(seconds), self._arrived:
            await self._arrived.wait_for(lambda: len(self.requests) >= count)
        return self.requests[count - 1]

    async def start(self) -> None:
        """Listen, on the port of the last time if there was one."""
        self._stopped.clear()
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_get("/v1/models", self._list)
        app.router.add_post("/v1/chat/completions", self._complete)
        app.router.add_post("/v1/responses", self._complete)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Go down: what is being answered breaks off, new connections are refused."""
        self._stopped.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self.stop()

    async def _list(self, request: web.Request) -> web.StreamResponse:
        if refusal := self._refusal(request, {}):
            return refuse(refusal)
        if not self.lists_models:
            return refuse(fault(404, message="no such path"))
        data = [{"id": name, "object": "model", "created": 0, "owned_by": "double"} for name in self.models]
        return web.json_response({"object": "list", "data": data})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        peer = request.transport.get_extra_info("peername") if request.transport else ("", 0)
        heard = Heard(request.path, body, dict(request.headers), int(peer[1]))
        async with self._arrived:
            self.requests.append(heard)
            self._arrived.notify_all()
        refusal = self._refusal(request, body)
        script = refusal or (self._scripts.popleft() if self._scripts else self._reply(body))
        try:
            if script.status != 200 or script.body is not None:
                return refuse(script)
            if not body.get("stream"):
                heard.whole = True
                return web.json_response(_whole(body, script))
            with suppress(ConnectionResetError):  # the client has left
                response = await self._stream(request, body, script)
                heard.whole = True
                return response
            raise asyncio.CancelledError
        finally:
            heard.left.set()

    def _reply(self, body: dict[str, Any]) -> Script:
        return Script(self.reply(body), gate=self.gate)

    def _refusal(self, request: web.Request, body: Mapping[str, Any]) -> Script | None:
        if self.key and request.headers.get("Authorization") != f"Bearer {self.key}":
            return BAD_KEY
        if "model" in body and self.models and body["model"] not in self.models:
            return NO_MODEL
        return None

    async def _stream(self, request: web.Request, body: dict[str, Any], script: Script) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": script.content_type, **script.headers})
        await response.prepare(request)
        ended = False
        async for event in self._events(body, script):
            if event is None:
                ended = True
                break
            await response.write(event)
        if ended:
            if request.transport is not None:
                request.transport.abort()
            raise asyncio.CancelledError
        await response.write_eof()
        return response

    async def _events(self, body: dict[str, Any], script: Script) -> AsyncIterator[bytes | None]:
        """Yield what goes over the wire; None means that the connection is aborted."""
        if script.raw is not None:
            async for part in self._as_it_is(script, script.raw):
                yield part
            return
        dialect = RESPONSES if "input" in body else CHAT
        for event in dialect.beginning(body, script):
            yield event
        for place, chunk in enumerate([*script.chunks, ""]):
            if not await self._may_pass(script, place):
                yield None
                return
            if script.error_after is not None and place == script.error_after[0]:
                yield dialect.error(script.error_after[1])
                return
            yield dialect.text(body, chunk)
        for event in dialect.ending(body, script):
            yield event

    async def _as_it_is(self, script: Script, raw: bytes) -> AsyncIterator[bytes | None]:
        for part in pieces_of(raw, script.raw_step):
            yield part
        if not await self._may_pass(script, 0):
            yield None

    async def _may_pass(self, script: Script, place: int) -> bool:
        """Hold or silence the answer where its script says so; False if it is cut here."""
        if script.gate is not None and place == script.hold_after:
            return await self._unless_stopped(script.gate)
        if place == script.silent_after:
            await self._stopped.wait()
            return False
        return place != script.cut_after

    async def _unless_stopped(self, gate: Gate) -> bool:
        tasks = [asyncio.ensure_future(gate.pass_through()), asyncio.ensure_future(self._stopped.wait())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return tasks[0].done()
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task


def _whole(body: dict[str, Any], script: Script) -> dict[str, Any]:
    return response_of(body, script, "completed") if "input" in body else whole(body, script)


def _echo(body: dict[str, Any]) -> str:
    return f"You said: {question_of(body) or 'nothing'}"
