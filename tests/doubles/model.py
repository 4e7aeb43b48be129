"""
A model's server over the wire: OpenAI's chat completions on 127.0.0.1, with every fault a test may want.

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
import json
import re
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

WAIT_SECONDS = 10.0


class Gate:
    """Holds an answer at one point: the test waits until it is there, and lets it go on."""

    def __init__(self) -> None:
        self._reached = asyncio.Event()
        self._released = asyncio.Event()

    async def reached(self) -> None:
        """Wait until the answer stands at the gate."""
        await asyncio.wait_for(self._reached.wait(), WAIT_SECONDS)

    def release(self) -> None:
        """Let the answer go on; a gate stays open."""
        self._released.set()

    async def pass_through(self) -> None:
        """Stand at the gate until it opens."""
        self._reached.set()
        await self._released.wait()


@dataclass(frozen=True)
class Script:
    """
    What one request gets. `text` is cut into words unless it is given as a list of chunks.

    `hold_after`, `silent_after` and `cut_after` count chunks of text: 0 is before the first one. Before
    it is held, silent (for ever) or cut (the connection is aborted), the server has sent its headers.
    """

    text: str | Sequence[str] = ""
    thoughts: Sequence[str] = ()
    gate: Gate | None = None
    hold_after: int = 0
    silent_after: int | None = None
    cut_after: int | None = None
    error_after: tuple[int, Mapping[str, Any]] | None = None
    finish: str | None = "stop"
    usage: bool = True
    done: bool = True
    raw: bytes | None = None
    content_type: str = "text/event-stream"
    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def chunks(self) -> list[str]:
        """The text as it goes over the wire."""
        return re.findall(r"\s*\S+\s*$|\s*\S+", self.text) if isinstance(self.text, str) else list(self.text)


def fault(status: int, code: str = "", message: str = "", **headers: str) -> Script:
    """Make a refusal in OpenAI's form; `Retry_After="2"` becomes the header Retry-After."""
    error = {"message": message or f"fault {status}", "type": "double", "param": None, "code": code or None}
    return Script(
        status=status,
        body={"error": error},
        headers={name.replace("_", "-"): v for name, v in headers.items()},
    )


DOWN = fault(503, message="The server is currently unavailable.")
QUOTA = fault(
    429, "insufficient_quota", "You exceeded your current quota, please check your plan and billing."
)
FILTERED = fault(400, "content_filter", "The response was filtered.")
TOO_LONG = fault(400, "context_length_exceeded", "This model's maximum context length is 8192 tokens.")
BAD_KEY = fault(401, "invalid_api_key", "Incorrect API key provided: sk-…")
NO_MODEL = fault(404, "model_not_found", "The model `nope` does not exist or you do not have access to it.")
SILENT = Script(silent_after=0)
GARBAGE = Script(raw=b"data: {this is no json\n\n")


@dataclass
class Heard:
    """One request as it came; `left` is set once the client has gone or has got everything."""

    path: str
    body: dict[str, Any]
    headers: Mapping[str, str]
    left: asyncio.Event = field(default_factory=asyncio.Event)
    whole: bool = False

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The messages of a chat request."""
        return list(self.body.get("messages", []))

    @property
    def question(self) -> str:
        """The text of the last message of a person."""
        asked = [str(message["content"]) for message in self.messages if message["role"] == "user"]
        return asked[-1] if asked else ""

    async def gone(self) -> None:
        """Wait until the server is done with it: answered whole, or left by the client."""
        await asyncio.wait_for(self.left.wait(), WAIT_SECONDS)


class ModelDouble:
    """The server. Chat requests are in `requests`, the answers to come in a queue filled by `script`."""

    def __init__(self, models: Sequence[str] = ("double-1",), key: str = "") -> None:
        """Only `models` exist unless there are none; a `key` is asked for if it is given."""
        self.models = list(models)
        self.key = key
        self.lists_models = True
        self.requests: list[Heard] = []
        self.reply: Callable[[dict[str, Any]], str] = _echo
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

    async def asked(self, count: int = 1) -> Heard:
        """Wait until so many chat requests have come; return the last of them."""
        async with asyncio.timeout(WAIT_SECONDS), self._arrived:
            await self._arrived.wait_for(lambda: len(self.requests) >= count)
        return self.requests[count - 1]

    async def start(self) -> None:
        """Listen, on the port of the last time if there was one."""
        self._stopped.clear()
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_get("/v1/models", self._list)
        app.router.add_post("/v1/chat/completions", self._complete)
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
            return _refuse(refusal)
        if not self.lists_models:
            return _refuse(fault(404, message="no such path"))
        data = [{"id": name, "object": "model", "created": 0, "owned_by": "double"} for name in self.models]
        return web.json_response({"object": "list", "data": data})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        heard = Heard(request.path, body, dict(request.headers))
        async with self._arrived:
            self.requests.append(heard)
            self._arrived.notify_all()
        refusal = self._refusal(request, body)
        script = refusal or (self._scripts.popleft() if self._scripts else Script(self.reply(body)))
        try:
            if script.status != 200 or script.body is not None:
                return _refuse(script)
            if not body.get("stream"):
                heard.whole = True
                return web.json_response(_whole(body, script))
            response = await self._stream(request, body, script)
            heard.whole = True
            return response
        finally:
            heard.left.set()

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
            yield script.raw
            if not await self._may_pass(script, 0):
                yield None
            return
        for event in _beginning(body, script):
            yield event
        for place, chunk in enumerate([*script.chunks, ""]):
            if not await self._may_pass(script, place):
                yield None
                return
            if script.error_after is not None and place == script.error_after[0]:
                yield _line({"error": dict(script.error_after[1])})
                return
            yield _event(body, {"content": chunk})
        for event in _ending(body, script):
            yield event

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


def _echo(body: dict[str, Any]) -> str:
    asked = [message["content"] for message in body["messages"] if message["role"] == "user"]
    return f"You said: {asked[-1] if asked else 'nothing'}"


def _refuse(script: Script) -> web.StreamResponse:
    text = script.body if isinstance(script.body, str) else json.dumps(script.body)
    kind = "text/html" if isinstance(script.body, str) else "application/json"
    return web.Response(status=script.status, text=text, content_type=kind, headers=dict(script.headers))


def _beginning(body: Mapping[str, Any], script: Script) -> list[bytes]:
    deltas = [
        {"role": "assistant", "content": ""},
        *({"reasoning_content": text} for text in script.thoughts),
    ]
    return [_event(body, delta) for delta in deltas]


def _ending(body: Mapping[str, Any], script: Script) -> list[bytes]:
    events = []
    if script.finish is not None:
        events.append(_event(body, {}, script.finish))
    if script.usage and (body.get("stream_options") or {}).get("include_usage"):
        events.append(_line({**_frame(body), "choices": [], "usage": _usage(body, script)}))
    if script.done:
        events.append(b"data: [DONE]\n\n")
    return events


def _frame(body: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": "chatcmpl-double",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": body.get("model"),
    }


def _event(body: Mapping[str, Any], delta: dict[str, Any], finish: str | None = None) -> bytes:
    return _line({**_frame(body), "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


def _line(data: Mapping[str, Any]) -> bytes:
    return f"data: {json.dumps(data)}\n\n".encode()


def _whole(body: Mapping[str, Any], script: Script) -> dict[str, Any]:
    message = {"role": "assistant", "content": "".join(script.chunks)}
    choice = {"index": 0, "message": message, "finish_reason": script.finish}
    return {**_frame(body), "object": "chat.completion", "choices": [choice], "usage": _usage(body, script)}


def _usage(body: Mapping[str, Any], script: Script) -> dict[str, int]:
    """Count four characters as a token, and four tokens a message, as a rough real server would."""
    read = sum(len(str(message["content"])) // 4 + 4 for message in body["messages"])
    written = max(1, sum(map(len, [*script.chunks, *script.thoughts])) // 4)
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
