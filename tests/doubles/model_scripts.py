"""What the double of a model's server is told to answer, and how that looks on the wire."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

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
    it is held, silent (for ever) or cut (the connection is aborted), the server has sent its headers. `raw`
    goes over the wire as it is, in pieces of `raw_step` bytes where that is given.
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
    raw_step: int = 0
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
    """One request as it came, and its client's port; `left` is set once that is gone or has it all."""

    path: str
    body: dict[str, Any]
    headers: Mapping[str, str]
    port: int = 0
    left: asyncio.Event = field(default_factory=asyncio.Event)
    whole: bool = False

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The messages of a chat request, or the items of a response's input."""
        return talk_of(self.body)

    @property
    def question(self) -> str:
        """The text of the last message of a person."""
        return question_of(self.body)

    @property
    def pictures(self) -> list[str]:
        """The addresses of all pictures shown, data and all."""
        parts = [part for message in self.messages for part in _parts(message["content"])]
        found = (part.get("image_url") for part in parts)
        return [str(url["url"] if isinstance(url, Mapping) else url) for url in found if url]

    async def gone(self) -> None:
        """Wait until the server is done with it: answered whole, or left by the client."""
        await asyncio.wait_for(self.left.wait(), WAIT_SECONDS)


def talk_of(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what was said, by whichever API it was asked."""
    return list(body.get("messages", body.get("input", [])))


def question_of(body: Mapping[str, Any]) -> str:
    """Return the text of the last message of a person."""
    asked = [message["content"] for message in talk_of(body) if message["role"] == "user"]
    return "".join(part.get("text", "") for part in _parts(asked[-1])) if asked else ""


def _parts(content: Any) -> list[dict[str, Any]]:
    return [{"text": content}] if isinstance(content, str) else list(content)


def pieces_of(raw: bytes, step: int) -> list[bytes]:
    """Cut bytes into pieces of so many; 0 leaves them whole."""
    return [raw[start : start + step] for start in range(0, len(raw), step)] if step else [raw]


def refuse(script: Script) -> web.StreamResponse:
    """Make a plain response of a refusal: JSON, or a page if its body is a text."""
    text = script.body if isinstance(script.body, str) else json.dumps(script.body)
    kind = "text/html" if isinstance(script.body, str) else "application/json"
    return web.Response(status=script.status, text=text, content_type=kind, headers=dict(script.headers))


@dataclass(frozen=True)
class Dialect:
    """How one API looks on the wire."""

    beginning: Callable[[Mapping[str, Any], Script], list[bytes]]
    text: Callable[[Mapping[str, Any], str], bytes]
    ending: Callable[[Mapping[str, Any], Script], list[bytes]]
    error: Callable[[Mapping[str, Any]], bytes]


def _beginning(body: Mapping[str, Any], script: Script) -> list[bytes]:
    """Make the events before the text: the role, then the thoughts."""
    deltas = [
        {"role": "assistant", "content": ""},
        *({"reasoning_content": text} for text in script.thoughts),
    ]
    return [_event_of(body, delta) for delta in deltas]


def _ending(body: Mapping[str, Any], script: Script) -> list[bytes]:
    """Make the events after the text: why it ended, the bill, the end."""
    events = []
    if script.finish is not None:
        events.append(_event_of(body, {}, script.finish))
    if script.usage and (body.get("stream_options") or {}).get("include_usage"):
        events.append(line({**_frame(body), "choices": [], "usage": used(body, script)}))
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


def _event_of(body: Mapping[str, Any], delta: Mapping[str, Any], finish: str | None = None) -> bytes:
    return line({**_frame(body), "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


def line(data: Mapping[str, Any]) -> bytes:
    """Write one event."""
    return f"data: {json.dumps(data)}\n\n".encode()


def whole(body: Mapping[str, Any], script: Script) -> dict[str, Any]:
    """Make a completion for a client that does not stream."""
    message = {"role": "assistant", "content": "".join(script.chunks)}
    choice = {"index": 0, "message": message, "finish_reason": script.finish}
    return {**_frame(body), "object": "chat.completion", "choices": [choice], "usage": used(body, script)}


def used(body: Mapping[str, Any], script: Script) -> dict[str, int]:
    """Count four characters as a token, and four tokens a message, as a rough real server would."""
    read = sum(len(str(message["content"])) // 4 + 4 for message in talk_of(body))
    written = max(1, sum(map(len, [*script.chunks, *script.thoughts])) // 4)
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


CHAT = Dialect(
    _beginning,
    lambda body, text: _event_of(body, {"content": text}),
    _ending,
    lambda error: line({"error": dict(error)}),
)
