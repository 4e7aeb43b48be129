"""Slack's Web API: one session, short calls, and Slack's error names turned into ours."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cache
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack.refusals import cure
from bot.errors import PermissionMissing, PlatformDown, PlatformError, PostRefused, TokenRefused

CALL_SECONDS = 4.0

_TOKEN = frozenset(
    [
        "invalid_auth",
        "not_authed",
        "account_inactive",
        "token_revoked",
        "token_expired",
        "not_allowed_token_type",
        "user_removed_from_team",
        "team_access_not_granted",
        "invalid_token",
    ]
)
_PERMISSION = frozenset(["missing_scope", "no_permission", "access_denied", "app_access_restricted"])
_BUSY = frozenset(["ratelimited", "rate_limited"])
_DOWN = frozenset(
    [
        "internal_error",
        "fatal_error",
        "service_unavailable",
        "request_timeout",
        "team_added_to_org",
        "accesslimited",
        "messaging_processing_failed",
        "update_failed",
        "external_channel_migrating",
    ]
)


class Refused(PostRefused):
    """Slack says no; `code` is its own name for why."""

    def __init__(self, method: str, code: str, bot: str = "") -> None:
        """Tell which method was refused, by Slack's error name, and the cure; `bot` is the bot's name."""
        self.reason, self.values, text = cure(code, bot)
        super().__init__(f"Slack refuses {method}: {code}" + (f"; {text}" if text else ""))
        self.code = code


class Busy(PlatformDown):
    """Over a rate limit; `retry_after` is in seconds."""

    def __init__(self, method: str, retry_after: float) -> None:
        """Tell which method is over its rate."""
        super().__init__(f"Slack's rate limit for {method} is spent")
        self.retry_after = retry_after


class Unsure(PlatformDown):
    """No clear answer came: the call may have been carried out."""


class Web:
    """
    Calls of the Web API with the bot's token.

    `call` makes one attempt of at most four seconds, so that whoever posts can look at its lease before
    each; `read` is for what only reads, and tries again by itself, also after a rate limit.
    """

    def __init__(self, bot_token: str, api_url: str, proxy: str = "") -> None:
        """No connection is made before the first call; `proxy` is an address that all go through."""
        self.proxy = proxy or None
        self.bot_name = ""
        self.api_url = api_url
        self.refused = False  # whether Slack refused the bot's token lately
        self._token = bot_token
        self._whose = "BOT_SLACK__BOT_TOKEN"
        self._session: aiohttp.ClientSession | None = None
        self._lender: Web | None = None

    def with_token(self, bot_token: str, name: str) -> Web:
        """
        Make the same with another token, over the same connections; `name` says whose token it is.

        Whoever lends its connections is closed last.
        """
        made = Web(bot_token, self.api_url, self.proxy or "")
        made._whose, made._lender = name, self
        return made

    async def call(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        """Call once; raises a `PlatformError`, `Unsure` where it may have been carried out all the same."""
        return await self._send(self.client(), method, json=_given(arguments))

    async def read(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        """Call a reading method, again after a lost connection, a failing server or a rate limit."""
        handlers = [
            AsyncConnectionErrorRetryHandler(max_retry_count=2),
            AsyncServerErrorRetryHandler(max_retry_count=2),
            AsyncRateLimitErrorRetryHandler(max_retry_count=3),
        ]
        client = self.client()
        client.retry_handlers.extend(handlers)
        return await self._send(client, method, http_verb="GET", params=_given(arguments))

    async def ask(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        """Call a reading method once, for who keeps a rate of its own; raises `Busy` over Slack's."""
        return await self._send(self.client(), method, http_verb="GET", params=_given(arguments))

    async def as_app(self, app_token: str, method: str) -> Mapping[str, Any]:
        """Call a method that wants the app-level token."""
        client = self.client()
        client.token = app_token
        return await self._send(client, method, json={})

    async def redeem(self, code: str, client_id: str, client_secret: str, address: str) -> Mapping[str, Any]:
        """Get what a code of OAuth stands for; `address` is where Slack sent it ("oauth.v2.access")."""
        client = self.client()
        client.token = None
        told = {"code": code, "redirect_uri": address}
        who = {"Authorization": aiohttp.encode_basic_auth(client_id, client_secret)}
        return await self._send(client, "oauth.v2.access", data=told, headers=who)

    async def respond(self, response_url: str, body: Mapping[str, Any]) -> None:
        """Answer a command or a press to that person alone, by the address that came with it."""
        told = {"response_type": "ephemeral", "replace_original": False, **body}
        try:
            async with self._connections().post(response_url, json=told, proxy=self.proxy) as response:
                if response.status >= 400:
                    raise Refused("response_url", str(response.status))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unsure(f"No answer from Slack to response_url: {type(error).__name__}") from error

    def client(self) -> AsyncWebClient:
        """A client that repeats nothing by itself: a post that is sent twice stands twice."""
        client = AsyncWebClient(
            token=self._token,
            base_url=self.api_url,
            timeout=int(CALL_SECONDS),
            session=self._connections(),
            retry_handlers=[],
            logger=quiet("web"),
        )
        client.proxy = self.proxy  # after the SDK has looked into the environment, which is decided elsewhere
        return client

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    def _connections(self) -> aiohttp.ClientSession:
        if self._lender is not None:
            return self._lender._connections()
        if self._session is None or self._session.closed:
            # No limit: one workspace's slow calls would else be what another waits for.
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=CALL_SECONDS)
            )
        return self._session

    async def _send(self, client: AsyncWebClient, method: str, **arguments: Any) -> Mapping[str, Any]:
        try:
            response = await client.api_call(method, **arguments)
        except SlackApiError as error:
            ours = _ours(method, error, self.bot_name, self._whose)
            self.refused |= isinstance(ours, TokenRefused) and client.token == self._token
            raise ours from error
        except aiohttp.ClientConnectorError as error:
            raise PlatformDown(f"Slack cannot be reached for {method}: {type(error).__name__}") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unsure(f"No answer from Slack to {method}: {type(error).__name__}") from error
        self.refused &= client.token != self._token
        data = response.data
        if not isinstance(data, dict):
            raise Unsure(f"Slack's answer to {method} cannot be read")
        return {**data, "_headers": {name.lower(): value for name, value in response.headers.items()}}


@cache  # setting a level empties what all loggers have worked out: a tenth of an answer, call by call
def quiet(part: str) -> logging.Logger:
    """Make the logger for a part of Slack's SDK, which at its finest level writes texts down."""
    logger = logging.getLogger(f"bot.slack.{part}")
    logger.setLevel(logging.INFO)
    return logger


def _given(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}


def _ours(method: str, error: SlackApiError, bot: str, whose: str) -> PlatformError:
    response = error.response
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0) or 0)
    data = getattr(response, "data", None)
    code = str(data.get("error", "")) if isinstance(data, dict) else ""
    if status == 429 or code in _BUSY:
        return Busy(method, _retry_after(response))
    if status >= 500 or not code or code in _DOWN:
        return Unsure(f"Slack fails at {method}: {code or status}")
    if code in _TOKEN:
        name = "BOT_SLACK__APP_TOKEN" if method == "apps.connections.open" else whose
        return TokenRefused(f"{name}: Slack does not accept this token ({method}: {code})")
    if code in _PERMISSION:
        needed = str(data.get("needed") or "") if isinstance(data, dict) else ""
        return _missing(method, code, needed)
    return Refused(method, code, bot)


def _missing(method: str, code: str, needed: str) -> PermissionMissing:
    reason, values, text = cure(code, "", needed)
    error = PermissionMissing(
        f"Slack refuses {method}: {code} {needed}".rstrip() + (f"; {text}" if text else "")
    )
    error.reason, error.values = reason, values
    return error


def _retry_after(response: Any) -> float:
    headers = {str(name).lower(): value for name, value in getattr(response, "headers", {}).items()}
    try:
        return max(0.0, float(headers.get("retry-after", 1)))
    except ValueError:
        return 1.0
