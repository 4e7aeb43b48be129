"""The conversations over HTTP: list them, read one, follow it, write into it, ask why, stop, vote."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any
from uuid import UUID

import structlog
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.dialogue import Accepted, Platform, Thread, Why
from bot.errors import StoreError
from bot.ports import Door, Transcripts, Words
from bot.web.forms import MESSAGE_CHARACTERS, Post, Wished, place
from bot.web.page import preferred_language
from bot.web.stream import Streams, said

REASON_CHARACTERS = 280
THREADS = 100

log = structlog.get_logger()

Handler = Callable[[Request], Awaitable[Response]]


class Talk:
    """The API under /api/, which the page and any program with the token may use."""

    def __init__(self, door: Door, transcripts: Transcripts, words: Words, streams: Streams) -> None:
        """Take the door that messages go in by, and where threads are read."""
        self._door = door
        self._transcripts = transcripts
        self._words = words
        self._streams = streams

    def routes(self) -> list[Route]:
        """Say where each handler stands."""
        thread = "/api/threads/{thread:uuid}"
        return [
            Route("/api/threads", self._guarded(self.threads)),
            Route(f"{thread}/entries", self._guarded(self.entries)),
            Route(f"{thread}/events", self._guarded(self.events)),
            Route(f"{thread}/messages", self._guarded(self.post), methods=["POST"]),
            Route(f"{thread}/turns/{{turn:int}}/why", self._guarded(self.why)),
            Route(f"{thread}/turns/{{turn:int}}/wishes", self._guarded(self.wish), methods=["POST"]),
        ]

    async def threads(self, request: Request) -> Response:
        """List the newest threads."""
        found = await self._transcripts.threads(Platform.WEB, THREADS)
        return JSONResponse({"threads": [_line(thread) for thread in found]})

    async def entries(self, request: Request) -> Response:
        """Read a thread; one that nobody has written in yet is empty."""
        found = await self._transcripts.read(place(_thread(request)))
        return JSONResponse({"entries": [said(entry) for entry in found]})

    async def events(self, request: Request) -> Response:
        """Follow a thread."""
        return self._streams.follow(place(_thread(request)))

    async def post(self, request: Request) -> Response:
        """Write into a thread; the same id again changes nothing."""
        try:
            post = Post.model_validate_json(await request.body())
        except ValidationError:
            return self._problem(request, 422, "malformed")
        if not post.text:
            return self._problem(request, 422, "empty")
        if len(post.text) > MESSAGE_CHARACTERS:
            return self._problem(request, 413, "too-long", limit=f"{MESSAGE_CHARACTERS:,}")
        language = post.locale or _language(request)
        message = post.message(_thread(request), self._words.say("web-guest", language))
        accepted = await self._door.accept(message)
        if accepted is Accepted.IGNORED:
            return self._problem(request, 403, "not-heard")
        if accepted is Accepted.LIMITED:
            return self._problem(request, 429, "rate-limited")
        return JSONResponse({"id": message.id, "accepted": accepted}, status_code=202)

    async def why(self, request: Request) -> Response:
        """Tell why an answer of this thread is what it is; turns of other places are not told."""
        turn = int(request.path_params["turn"])
        entries = await self._transcripts.read(place(_thread(request)))
        found = await self._transcripts.why(turn) if any(item.turn == turn for item in entries) else None
        if found is None:
            return self._problem(request, 404, "why-none")
        return JSONResponse(_reasons(found))

    async def wish(self, request: Request) -> Response:
        """Do what a button under an answer asks for; the answer says in words what came of it."""
        try:
            wished = Wished.model_validate_json(await request.body())
        except ValidationError:
            return self._problem(request, 422, "malformed")
        turn = int(request.path_params["turn"])
        reply = await self._door.request(wished.request(_thread(request), turn))
        return JSONResponse({"text": reply.text, "done": reply.done}, status_code=200 if reply.done else 409)

    def _guarded(self, handler: Handler) -> Handler:
        """Answer 503 in words while the database is away; the page tries again."""

        async def handle(request: Request) -> Response:
            try:
                return await handler(request)
            except StoreError as error:
                log.warning("web_store_down", path=request.url.path, reason=type(error).__name__)
                return self._problem(request, 503, "store-down")

        return handle

    def _problem(self, request: Request, status: int, word: str, **values: object) -> Response:
        text = self._words.say(f"web-{word}", _language(request), **values)
        headers = {"retry-after": "2"} if status == 503 else None
        return JSONResponse({"error": text, "reason": word}, status_code=status, headers=headers)


def _thread(request: Request) -> UUID:
    thread: UUID = request.path_params["thread"]
    return thread


def _language(request: Request) -> str:
    return preferred_language(request.headers.get("accept-language", ""))


def _line(thread: Thread) -> dict[str, Any]:
    return {"id": thread.channel.id, "title": thread.title, "at": thread.last_at.isoformat()}


def _reasons(why: Why) -> dict[str, Any]:
    reasons = [
        {**asdict(reason), "text": _short(reason.text), "reading": reason.reading.value}
        for reason in why.reasons
    ]
    return {
        "turn": why.turn,
        "outcome": why.outcome,
        "model": why.model,
        "prompt_tokens": why.prompt_tokens,
        "completion_tokens": why.completion_tokens,
        "attempts": why.attempts,
        "seconds": why.seconds,
        "first_text_seconds": why.first_text_seconds,
        "pruned": why.pruned,
        "budget": why.manifest.budget,
        "tokens": why.manifest.tokens,
        "shortened": why.manifest.shortened,
        "files": list(why.manifest.files),
        "notes": list(why.manifest.notes),
        "whole": [asdict(span) for span in why.manifest.whole],
        "summarised": [asdict(span) for span in why.manifest.summarised],
        "left_out": [asdict(span) for span in why.manifest.left_out],
        "reasons": reasons,
    }


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= REASON_CHARACTERS else line[: REASON_CHARACTERS - 1] + "…"
