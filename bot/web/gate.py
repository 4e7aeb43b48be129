"""The lock of the console: every request passes here before any page, and every answer leaves by here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, MutableMapping
from typing import Any

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.web.guard import (
    ALIVE,
    METRICS,
    READY,
    Knock,
    Refusal,
    bearer,
    refuse_cross_site,
    refuse_stranger,
)
from bot.web.session import COOKIE, Sessions, Tries

# What anybody may read: it says nothing of the conversations.
PUBLIC = ("/static/", ALIVE, READY, "/login", "/favicon.ico")
SLOW_SECONDS = 0.3  # what a wrong token costs the one who tries it

_STATUS = {Refusal.NOT_LOCAL: 403, Refusal.CROSS_SITE: 403, Refusal.LOGIN: 401, Refusal.TOO_MANY: 429}
_TEXTS = {
    Refusal.NOT_LOCAL: "This console is open only to its own machine. To reach it from elsewhere, by another "
    "name or through a proxy, set BOT_WEB__TOKEN to a long secret and start the bot again.",
    Refusal.CROSS_SITE: "This request came from another site, so it was refused.",
    Refusal.LOGIN: "Log in with the token first (BOT_WEB__TOKEN), or send it as `Authorization: Bearer …`.",
    Refusal.TOO_MANY: "Too many wrong tokens. Wait a minute, then try again.",
}
_POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=()",
}

log = structlog.get_logger()


class Lock:
    """Decides on requests: by the token where there is one, else by who sits at this machine."""

    def __init__(
        self,
        token: str | None,
        bound_to_loopback: bool,
        tries: Tries | None = None,
        knows: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """
        Take the token of the console, None for an open one on loopback.

        `knows` says of a token whether it reads the metrics, which is all that it opens.
        """
        self._knows = knows
        self.sessions = Sessions(token) if token else None
        self.tries = tries or Tries()
        self._bound_to_loopback = bound_to_loopback

    def refuse(self, knock: Knock, cookie: str) -> Refusal | None:
        """Decide on a request; a public path needs no session but keeps the other rules."""
        if knock.path == METRICS and self._knows(bearer(knock.headers)):
            return None
        public = knock.path.startswith(PUBLIC)
        if self.sessions is None:
            stranger = refuse_stranger(knock, self._bound_to_loopback)
            refusal = None if knock.path in {ALIVE, READY} else stranger or refuse_cross_site(knock)
        else:
            refusal = refuse_cross_site(knock) or (None if public else self._refuse_guest(knock, cookie))
        return refusal

    def trusts(self, knock: Knock, cookie: str) -> bool:
        """Tell whether the request may see details that a public path keeps back."""
        if self.sessions is None:
            return refuse_stranger(knock, self._bound_to_loopback) is None
        return self._refuse_guest(knock, cookie) is None

    def admits(self, token: str, address: str) -> Refusal | None:
        """Try a token; wrong ones are counted by address, and then even the right one waits."""
        if self.sessions is None or self.tries.wait(address):
            return Refusal.TOO_MANY
        if self.sessions.knows(token):
            return None
        self.tries.failed(address)
        log.warning("web_token_refused", address=address)
        return Refusal.LOGIN

    def _refuse_guest(self, knock: Knock, cookie: str) -> Refusal | None:
        if self.sessions is not None and cookie and self.sessions.holds(cookie):
            return None
        token = bearer(knock.headers)
        return self.admits(token, knock.client) if token else Refusal.LOGIN


class Gate:
    """The middleware around all pages: asks the lock, and sets the headers that keep browsers careful."""

    def __init__(self, app: ASGIApp, lock: Lock) -> None:
        """Stand before `app` and ask `lock`."""
        self._app = app
        self._lock = lock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request in, or answer it here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        refusal = self._lock.refuse(knock_of(request), request.cookies.get(COOKIE, ""))
        app = self._app if refusal is None else await self._turn_away(request, refusal)
        await app(scope, receive, _with_headers(send, scope))

    async def _turn_away(self, request: Request, refusal: Refusal) -> Response:
        if refusal is Refusal.LOGIN and bearer(request.headers):
            await asyncio.sleep(SLOW_SECONDS)
        if refusal is Refusal.LOGIN and request.method == "GET" and request.url.path == "/":
            return RedirectResponse("/login", status_code=303)
        text, status = _TEXTS[refusal], _STATUS[refusal]
        if request.url.path.startswith("/api/"):
            return JSONResponse({"error": text, "reason": refusal}, status_code=status)
        return PlainTextResponse(text + "\n", status_code=status)


def knock_of(request: Request) -> Knock:
    """Read the facts that the guard decides on."""
    headers = Headers(scope=request.scope)
    client = request.client.host if request.client else ""
    return Knock(
        method=request.method,
        path=request.url.path,
        client=client,
        hosts=tuple(headers.getlist("host")),
        headers={name.lower(): value for name, value in headers.items()},
    )


def _with_headers(send: Send, scope: Scope) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            _set_headers(message, scope["path"])
        await send(message)

    return sending


def _set_headers(message: MutableMapping[str, Any], path: str) -> None:
    headers = MutableHeaders(scope=message)
    for name, value in HEADERS.items():
        headers[name] = value
    # Static files are asked for again each time, and mostly answered with 304.
    headers["cache-control"] = "no-cache" if path.startswith("/static/") else "no-store"
