"""The two pages by which a workspace installs the bot: the way to Slack's question, and the way back."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlencode, urljoin

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.adapters.slack.check import ROLE_SCOPES, SCOPES
from bot.adapters.slack.teams import Installations
from bot.adapters.slack.web import Refused, Web
from bot.dialogue import Installation
from bot.errors import PlatformError, StoreError, TokenRefused

log = structlog.get_logger()

INSTALL = "/slack/install"
REDIRECT = "/slack/oauth_redirect"
COOKIE = "frontdesk_slack_state"
COOKIE_SECONDS = 600

_TRY_AGAIN = 409
_REFUSED = 502
_AWAY = 503


class Record(Installations, Protocol):
    """Keeps installations, and knows its own states."""

    def invite(self) -> str:
        """Make a state for one installation."""
        ...

    async def admit(self, state: str) -> bool:
        """Say whether the state is ours, fresh, and used for the first time."""
        ...

    async def keep(self, installation: Installation) -> None:
        """Keep an installation in the place of an earlier one."""
        ...


class Page(Protocol):
    """Writes one page in the language of who asks for it."""

    def __call__(self, accept: str, name: str, href: str = "", status: int = 200, **values: str) -> Response:
        """Write the page of that name; `accept` is an Accept-Language, `href` where the page leads on."""
        ...


@dataclass(frozen=True, slots=True)
class AppIdentity:
    """An app that many workspaces install; `public_url` is where browsers reach the bot."""

    client_id: str
    client_secret: str = field(repr=False)
    public_url: str

    def at(self, path: str) -> str:
        """Say the address of a path as browsers need it."""
        return self.public_url.rstrip("/") + path


@dataclass(frozen=True, slots=True)
class Installing:
    """What it takes that workspaces install the app by themselves."""

    app: AppIdentity
    record: Record
    page: Page


class InstallPages:
    """
    Installs by OAuth ("Installing with OAuth" in Slack's documentation).

    Whoever comes back from Slack has to bring the state that this browser was given, once and within ten
    minutes: so nobody can be led to finish an installation that somebody else began.
    """

    def __init__(self, web: Web, app: AppIdentity, record: Record, page: Page) -> None:
        """`web` needs no token."""
        self._web = web
        self._app = app
        self._record = record
        self._page = page

    @property
    def routes(self) -> Mapping[str, ASGIApp]:
        """The pages, by path."""
        return {INSTALL: self._serve_install, REDIRECT: self._serve_redirect}

    async def _serve_install(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        response = _only_get(request) or self._install(request)
        await response(scope, receive, send)

    async def _serve_redirect(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        response = _only_get(request) or await self._redirect(request)
        # Its purpose is over, however it ended.
        response.delete_cookie(COOKIE, path="/")
        await response(scope, receive, send)

    def _install(self, request: Request) -> Response:
        state = self._record.invite()
        asked = {
            "client_id": self._app.client_id,
            "scope": ",".join(sorted(SCOPES | ROLE_SCOPES)),
            "redirect_uri": self._app.at(REDIRECT),
            "state": state,
        }
        href = f"{urljoin(self._web.api_url, '/oauth/v2/authorize')}?{urlencode(asked)}"
        response = self._page(_accept(request), "slack-install", href)
        secure = self._app.public_url.startswith("https:")
        # Lax: it has to come along when Slack sends the browser back.
        response.set_cookie(
            COOKIE, state, COOKIE_SECONDS, path="/", secure=secure, httponly=True, samesite="lax"
        )
        return response

    async def _redirect(self, request: Request) -> Response:
        told, accept = request.query_params, _accept(request)
        if error := told.get("error"):
            name = "slack-denied" if error == "access_denied" else "slack-refused"
            return self._again(accept, name, _TRY_AGAIN, error=_name(error))
        state, known = told.get("state", ""), request.cookies.get(COOKIE, "")
        same = bool(state) and secrets.compare_digest(state.encode(), known.encode())
        try:
            if not same or not told.get("code") or not await self._record.admit(state):
                log.warning("slack_install_state_refused")
                return self._again(accept, "slack-state", _TRY_AGAIN)
            return await self._finish(accept, told["code"])
        except (Refused, TokenRefused) as error:
            log.error("slack_install_refused", reason=str(error))
            return self._again(
                accept, "slack-refused", _REFUSED, error=getattr(error, "code", "invalid_auth")
            )
        except (PlatformError, StoreError) as error:
            log.warning("slack_install_failed", error=type(error).__name__, reason=str(error))
            return self._again(accept, "slack-away", _AWAY)

    async def _finish(self, accept: str, code: str) -> Response:
        """Get the token for the code, see that it works, and keep it."""
        app = self._app
        granted = await self._web.redeem(code, app.client_id, app.client_secret, app.at(REDIRECT))
        team = _map(granted, "team")
        token, workspace = str(granted.get("access_token") or ""), str(team.get("id") or "")
        problem = _problem(granted, token, workspace)
        if problem:
            log.error("slack_install_refused", reason=problem)
            return self._again(accept, problem, _REFUSED, error="")
        installation = await self._seen(token, workspace, str(team.get("name") or workspace))
        await self._record.keep(installation)
        href = f"slack://app?team={workspace}&id={granted.get('app_id') or ''}&tab=messages"
        return self._page(accept, "slack-installed", href, team=installation.name, bot=installation.bot_name)

    async def _seen(self, token: str, workspace: str, name: str) -> Installation:
        """Ask with the new token who the bot is there."""
        web = self._web.with_token(token, f"the new token of the workspace {workspace} ({name})")
        me = await web.read("auth.test")
        return Installation(
            workspace=workspace,
            name=name,
            token=token,
            user_id=str(me.get("user_id") or ""),
            bot_id=str(me.get("bot_id") or ""),
            bot_name=str(me.get("user") or "bot"),
            url=str(me.get("url") or ""),
        )

    def _again(self, accept: str, name: str, status: int, **values: str) -> Response:
        """Say what went wrong, with the way to begin again."""
        address = {"address": self._app.at(REDIRECT)} if name == "slack-refused" else {}
        return self._page(accept, name, self._app.at(INSTALL), status, **address, **values)


def _problem(granted: Mapping[str, Any], token: str, workspace: str) -> str:
    """Name the page for an installation that we cannot serve; "" where we can."""
    if granted.get("is_enterprise_install"):
        return "slack-org"
    if granted.get("refresh_token") or granted.get("expires_in"):
        return "slack-rotation"
    return "" if token and workspace else "slack-refused"


def _only_get(request: Request) -> Response | None:
    if request.method in {"GET", "HEAD"}:
        return None
    return PlainTextResponse("Open this page in a browser.\n", 405, {"allow": "GET, HEAD"})


def _accept(request: Request) -> str:
    return request.headers.get("accept-language", "")


def _name(error: str) -> str:
    """Show an error's name, but no other words that a link may have put there."""
    return error if re.fullmatch(r"[a-z_]{1,60}", error) else "?"


def _map(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = data.get(name)
    return found if isinstance(found, Mapping) else {}
