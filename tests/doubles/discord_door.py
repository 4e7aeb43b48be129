"""The door of the double's REST calls: token, rate limits, mishaps, and what was called."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.doubles.discord_schema import objections


@dataclass(eq=False)
class Trouble:
    """What the next calls of a kind get instead of an answer."""

    method: str
    pattern: str
    count: int
    status: int = 0
    code: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] | str = field(default_factory=dict)
    after: bool = False  # the call takes effect, only its answer is lost
    released: asyncio.Event | None = None

    def meets(self, method: str, path: str) -> bool:
        return self.count > 0 and self.method == method and re.search(self.pattern, path) is not None


@dataclass(eq=False)
class Call:
    """One call as it came over the wire."""

    method: str
    path: str
    body: Any
    status: int
    at: float


class Refusal(Exception):
    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"message": message, "code": code}


class Door:
    """Lets calls in, or not; keeps every one, and what Discord's description objects to."""

    def __init__(self, token: str, changed: Callable[[], None]) -> None:
        self._token = token
        self._changed = changed
        self._limits: dict[str, tuple[int, float]] = {}
        self._spent: dict[tuple[str, str], deque[float]] = {}
        self.troubles: list[Trouble] = []
        self.calls: list[Call] = []
        # Told of each call that changes something, before and after; True: whoever calls is dead.
        self.watch: Callable[[str, bool], bool] = lambda call, done: False
        self.objections: list[str] = []
        self.a_second = 0  # how many calls of the token in any second; 0 is no limit
        self.limited_globally = 0
        self._all: deque[float] = deque()

    def limit(self, path: str, count: int, seconds: float) -> None:
        """Let each channel's calls of this path (as the specification writes it) be so many in a window."""
        self._limits[path] = (count, seconds)

    def wrap(
        self, path: str, act: Callable[..., Awaitable[Any]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            text = await request.text()
            body = json.loads(text) if text else None
            if self._dies(request, done=False):
                return _cut(request)
            status, found, headers = await self._result(request, path, body, act)
            self.calls.append(
                Call(
                    request.method,
                    request.path.removeprefix("/api/v10"),
                    body,
                    status,
                    time.monotonic(),
                )
            )
            if status in {200, 201}:
                looked_at = found[:3] if isinstance(found, list) else found  # a page of 100 takes long
                self.objections += objections(request.method, path, status, looked_at)
            self._changed()
            if self._dies(request, done=True):
                return _cut(request)
            packed = b"" if found is None else json.dumps(found).encode()
            kind = "text/html" if found is None or isinstance(found, str) else "application/json"
            return web.Response(status=status, body=packed, content_type=kind, headers=headers)

        return answer

    async def _result(
        self, request: web.Request, path: str, body: Any, act: Callable[..., Awaitable[Any]]
    ) -> tuple[int, Any, dict[str, str]]:
        # A token of their own lets interactions in.
        known = {f"Bot {self._token}", None if "_token}" in path else ""}
        if request.headers.get("Authorization") not in known:
            return 401, {"message": "401: Unauthorized", "code": 0}, {}
        headers = self._counted(request, path)
        if headers.get("X-RateLimit-Remaining") == "-1":
            return 429, *_limited(float(headers["X-RateLimit-Reset-After"]), headers)
        trouble = next((found for found in self.troubles if found.meets(request.method, request.path)), None)
        if trouble is not None:
            trouble.count -= 1
            if not trouble.after:
                return await self._troubled(trouble)
        if body is not None:
            self.objections += objections(request.method, path, None, body)
        try:
            found = await act(request, body)
        except Refusal as refusal:
            return refusal.status, refusal.body, headers
        if trouble is not None:
            return await self._troubled(trouble)
        made = path.endswith("/threads")
        return (204 if found is None else 201 if made else 200), found, headers

    def _dies(self, request: web.Request, *, done: bool) -> bool:
        # Commands are registered by a house that begins; it is no step of an answer.
        step = request.method != "GET" and not request.path.endswith("/commands")
        return step and self.watch(f"{request.method} {request.path}", done)

    async def _troubled(self, trouble: Trouble) -> tuple[int, Any, dict[str, str]]:
        if trouble.released is not None:
            await trouble.released.wait()
        body = trouble.body or {"message": "refused by the test", "code": trouble.code}
        return trouble.status, body, trouble.headers

    def _over(self, path: str) -> float:
        """Say how long all calls of the token have to rest; interactions are not counted, says Discord."""
        if not self.a_second or "_token}" in path:
            return 0.0
        now = time.monotonic()
        while self._all and now - self._all[0] > 1:
            self._all.popleft()
        if len(self._all) >= self.a_second:
            return self._all[0] + 1 - now
        self._all.append(now)
        return 0.0

    def _counted(self, request: web.Request, path: str) -> dict[str, str]:
        if rest := self._over(path):
            self.limited_globally += 1
            spent_all = {"X-RateLimit-Remaining": "-1", "X-RateLimit-Reset-After": f"{rest:.3f}"}
            return spent_all | {"X-RateLimit-Global": "true"}
        key = f"{request.method} {path}"
        if key not in self._limits:
            return {}
        count, seconds = self._limits[key]
        spent = self._spent.setdefault((key, request.match_info.get("channel_id", "")), deque())
        now = time.monotonic()
        while spent and now - spent[0] > seconds:
            spent.popleft()
        remaining = count - len(spent) - 1
        if remaining >= 0:
            spent.append(now)
        reset = spent[0] + seconds - now
        return {
            "X-RateLimit-Limit": str(count),
            "X-RateLimit-Remaining": str(remaining),
            "X-RateLimit-Reset": str(time.time() + reset),
            "X-RateLimit-Reset-After": f"{reset:.3f}",
            "X-RateLimit-Bucket": re.sub(r"\W+", "-", key),
        }


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _limited(seconds: float, headers: dict[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    everywhere = "X-RateLimit-Global" in headers
    body = {"message": "You are being rate limited.", "retry_after": seconds, "global": everywhere}
    sent = headers | {
        "Via": "1.1 google",
        "Retry-After": str(max(1, round(seconds))),
        "X-RateLimit-Remaining": "0",
    }
    return body, sent
