"""The console as one Starlette application: its routes and what each of them answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib.resources import files
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    RedirectResponse,
    Response,
)
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from bot.errors import SettingError
from bot.ports import Door, Transcripts, Words
from bot.web.forms import BODY_BYTES
from bot.web.gate import SLOW_SECONDS, Gate, Lock, knock_of
from bot.web.guard import Refusal, is_loopback
from bot.web.page import login_page, main_page, preferred_language
from bot.web.probes import Probes
from bot.web.session import COOKIE, SESSION_SECONDS
from bot.web.stream import Streams
from bot.web.talk import Talk

_STATIC = str(files(__package__).joinpath("static"))


def create_app(
    door: Door,
    transcripts: Transcripts,
    words: Words,
    token: str | None,
    probes: Probes,
    model_note: Callable[[str], str],
    host: str = "127.0.0.1",
) -> Starlette:
    """
    Build the console as it will be served on `host`.

    `probes` answers machines; `model_note` says in a language which model answers. Raises `SettingError`
    where others could reach it and no token keeps them out.
    """
    check_open(host, token)
    lock = Lock(token or None, is_loopback(host), knows=probes.knows)
    pages = _Pages(words, lock, model_note)
    streams = Streams(transcripts)
    app = Starlette(
        routes=[
            *pages.routes(),
            *probes.routes(pages.trusts),
            *Talk(door, transcripts, words, streams).routes(),
            _static(),
        ],
        middleware=[Middleware(Gate, lock=lock)],
        max_body_size=BODY_BYTES,
    )
    app.state.close = streams.close
    return app


def check_open(host: str, token: str | None) -> None:
    """Raise `SettingError` where others could reach the console and no token keeps them out."""
    if not token and not is_loopback(host):
        raise SettingError(
            f"BOT_WEB__TOKEN: missing, and BOT_WEB__HOST={host} lets other machines in; "
            "set BOT_WEB__TOKEN to a long secret, or BOT_WEB__HOST to 127.0.0.1"
        )


class _Pages:
    """What stands beside the conversations: the page itself, the login, and how the bot is."""

    def __init__(self, words: Words, lock: Lock, model_note: Callable[[str], str]) -> None:
        self._words = words
        self._lock = lock
        self._model_note = model_note

    def routes(self) -> list[Route]:
        return [
            Route("/", self.main),
            Route("/login", self.login_form),
            Route("/login", self.log_in, methods=["POST"]),
            Route("/logout", self.log_out, methods=["POST"]),
            Route("/favicon.ico", self.icon),
        ]

    async def main(self, request: Request) -> Response:
        language = language_of(request)
        leave = self._lock.sessions is not None
        return _html(main_page(self._words, language, self._model_note(language), leave), language)

    async def login_form(self, request: Request) -> Response:
        if self._lock.sessions is None or self.trusts(request):
            return RedirectResponse("/", status_code=303)
        language = language_of(request)
        return _html(login_page(self._words, language), language)

    async def log_in(self, request: Request) -> Response:
        fields = parse_qs((await request.body()).decode("utf-8", "replace"))
        client = request.client.host if request.client else ""
        refusal = self._lock.admits(fields.get("token", [""])[0].strip(), client)
        if refusal is not None or self._lock.sessions is None:
            return await self._refuse_login(request, refusal or Refusal.LOGIN)
        response = RedirectResponse("/", status_code=303)
        response.set_cookie(
            COOKIE,
            self._lock.sessions.begin(),
            max_age=SESSION_SECONDS,
            httponly=True,
            samesite="strict",
            secure=_is_secure(request),
        )
        return response

    async def _refuse_login(self, request: Request, refusal: Refusal) -> Response:
        await asyncio.sleep(SLOW_SECONDS)
        language = language_of(request)
        problem = "login-too-many" if refusal is Refusal.TOO_MANY else "login-wrong"
        status = 429 if refusal is Refusal.TOO_MANY else 401
        return _html(login_page(self._words, language, problem), language, status)

    async def log_out(self, request: Request) -> Response:
        response = RedirectResponse("/login", status_code=303)
        response.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=_is_secure(request))
        return response

    async def icon(self, request: Request) -> Response:
        return FileResponse(f"{_STATIC}/icon.svg")

    def trusts(self, request: Request) -> bool:
        return self._lock.trusts(knock_of(request), request.cookies.get(COOKIE, ""))


def language_of(request: Request) -> str:
    """Choose the language to answer a request in."""
    return preferred_language(request.headers.get("accept-language", ""))


def _html(page: str, language: str, status: int = 200) -> Response:
    headers = {"content-language": language, "vary": "accept-language, cookie"}
    return HTMLResponse(page, status_code=status, headers=headers)


def _is_secure(request: Request) -> bool:
    """Behind a proxy only its header knows; who forges it harms nobody but their own session."""
    return "https" in {request.url.scheme, request.headers.get("x-forwarded-proto", "").lower()}


def _static() -> Mount:
    return Mount("/static", StaticFiles(directory=_STATIC), name="static")
