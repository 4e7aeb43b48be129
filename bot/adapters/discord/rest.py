"""Discord's REST calls without a gateway: logged in at the first call, errors in our words."""

from __future__ import annotations

import asyncio
import json
import logging
import types
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import aiohttp
import discord
import structlog
from discord.http import Route

from bot.adapters.discord.budget import Budget
from bot.adapters.discord.refusals import refusal
from bot.adapters.posting import PostGone
from bot.errors import PlatformDown, TokenRefused

log = structlog.get_logger()

CALL_SECONDS = 4.0  # the longest one call may be on the wire: a taker of the lease waits as long
_LONGEST_LIMIT = 60.0
_TRIES = 4
_UNKNOWN_MESSAGE = 10008
_TRIED_AGAIN = frozenset({500, 502, 504, 524})  # by discord.py itself, five times

Guard = Callable[[], Awaitable[None]]
_guard: ContextVar[Guard | None] = ContextVar("discord_guard", default=None)


class Rest:
    """One token's REST calls; discord.py keeps the rate limits, `processes` divide the one of all calls."""

    def __init__(
        self,
        token: str,
        api_url: str,
        proxy: str | None = None,
        call_seconds: float = CALL_SECONDS,
        processes: Callable[[], int] = lambda: 1,
        retried: Callable[[], None] = lambda: None,
    ) -> None:
        """
        `proxy` is an HTTP proxy's address; `processes` counts those that call with this token.

        `retried` is told of each guarded call that is repeated.
        """
        self._retried = retried
        # At their debug level these write down what people and the model say.
        for name in ("discord.http", "discord.gateway"):
            logging.getLogger(name).setLevel(logging.INFO)
        # Nobody is to be told that a voice it never has is missing.
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
        # discord.py knows one address a process.
        Route.BASE = api_url.rstrip("/")
        self._token = token
        self._proxy = proxy
        self._budget = Budget(processes)
        self._timeout = aiohttp.ClientTimeout(total=call_seconds)
        self._client: discord.Client | None = None
        self._login = asyncio.Lock()

    async def client(self) -> discord.Client:
        """
        Give the logged-in client, which never connects to the gateway.

        Raises `TokenRefused` or `PlatformDown`.
        """
        async with self._login:
            if self._client is None:
                self._client = await _logged_in(self._token, self._proxy, self._budget)
            return self._client

    async def my_id(self) -> int:
        """Give the bot's own user id."""
        user = (await self.client()).user
        return user.id if user else 0

    async def call(
        self,
        method: str,
        path: str,
        *,
        payload: Any = None,
        query: Mapping[str, str] | None = None,
        guard: Guard | None = None,
        **places: Any,
    ) -> Any:
        """
        Make one call; `guard` runs right before each time it goes on the wire, after any rate limit.

        Only calls that may safely be made twice come here (a post carries a nonce), because a broken
        connection is tried again. Raises `TokenRefused`, `PostGone`, `PostRefused`, `PlatformDown`
        and what `guard` raises.
        """
        client = await self.client()
        sent = {"json": payload, "params": query}
        given = {name: value for name, value in sent.items() if value is not None}
        guard = guard and self._counted(guard)
        for pause in range(_TRIES):
            try:
                with our_errors(), _guarded(guard):
                    return await client.http.request(
                        Route(method, path, **places),
                        timeout=self._timeout,
                        **given,
                    )
            except _Dropped:
                log.info("discord_call_dropped", method=method, path=path, tried=pause + 1)
                if pause == _TRIES - 1:
                    raise
                await asyncio.sleep(0.25 * 2**pause)
        raise PlatformDown("Discord does not answer")

    def _counted(self, guard: Guard) -> Guard:
        """Tell of each time after the first that the call goes on the wire, by discord.py or by us."""
        begun = False

        async def counted() -> None:
            nonlocal begun
            await guard()
            if begun:
                self._retried()
            begun = True

        return counted

    async def close(self) -> None:
        """Close the connections; a later call opens new ones."""
        async with self._login:
            client, self._client = self._client, None
            if client is not None:
                await client.close()


class _Dropped(PlatformDown):
    """The connection broke, or no answer came in time."""


@contextmanager
def our_errors() -> Iterator[None]:
    """Turn what discord.py and aiohttp raise into our errors."""
    try:
        yield
    except discord.LoginFailure as error:
        raise TokenRefused("BOT_DISCORD__TOKEN: Discord does not know this token") from error
    except discord.HTTPException as error:
        raise _meaning_of(error) from error
    except (discord.RateLimited, discord.GatewayNotFound) as error:
        raise PlatformDown(f"Discord is busy: {error}") from error
    except (aiohttp.ClientError, OSError, json.JSONDecodeError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "closed" not in str(error):
            raise
        raise _Dropped(f"Discord cannot be reached ({type(error).__name__})") from error


def _meaning_of(error: discord.HTTPException) -> Exception:
    said = f"{error.status}, code {error.code}"
    if error.status == 401:
        return TokenRefused("Discord refuses the token")
    if error.status >= 500 and error.status not in _TRIED_AGAIN:
        return _Dropped(f"Discord does not serve us now ({said})")
    if error.status == 429 or error.status >= 500:
        return PlatformDown(f"Discord does not serve us now ({said})")
    if error.code == _UNKNOWN_MESSAGE:
        return PostGone(f"the message is gone ({said})")
    return refusal(error.status, error.code, error.text)


async def _logged_in(token: str, proxy: str | None, budget: Budget) -> discord.Client:
    client = discord.Client(
        intents=discord.Intents(guilds=True),  # never used, but discord.py warns without
        max_messages=None,
        proxy=proxy,
        max_ratelimit_timeout=_LONGEST_LIMIT,
        http_trace=_guarding_trace(),
    )
    client.http.request = _within(budget, client.http.request)  # type: ignore[method-assign]
    try:
        with our_errors():
            await client.login(token)
    except BaseException:
        await client.close()
        raise
    return client


def _within(budget: Budget, request: Callable[..., Awaitable[Any]]) -> Callable[..., Any]:
    """Put the budget before whatever discord.py asks, page by page, and outside a call's time-out."""

    async def paced(route: Route, **given: Any) -> Any:
        await budget.spend()
        return await request(route, **given)

    return paced


def _guarding_trace() -> aiohttp.TraceConfig:
    async def before(
        session: aiohttp.ClientSession,
        context: types.SimpleNamespace,
        params: aiohttp.TraceRequestStartParams,
    ) -> None:
        guard = _guard.get()
        if guard is not None:
            await guard()

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(before)
    return trace


@contextmanager
def _guarded(guard: Guard | None) -> Iterator[None]:
    token = _guard.set(guard)
    try:
        yield
    finally:
        _guard.reset(token)
