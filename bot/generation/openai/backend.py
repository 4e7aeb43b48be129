"""A backend on any server that speaks OpenAI's chat completions: its connection, its name, its retries."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from urllib.parse import urlsplit

from httpx2 import URL, InvalidURL, Timeout
from openai import APIStatusError, AsyncOpenAI, AsyncStream, DefaultAioHttpClient

from bot.dialogue import Context, Delta, Finding
from bot.errors import (
    BackendError,
    BackendSilent,
    KeyRefused,
    ModelMissing,
    RateLimited,
    SettingError,
)
from bot.generation.openai.checks import check_server
from bot.generation.openai.dialect import Dialect
from bot.generation.openai.reading import FAILURES, Patience, Reading
from bot.generation.openai.refusals import read_error
from bot.ports import Tell

OPENAI_URL = "https://api.openai.com/v1"
UNNAMED = "default"

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_LONGEST_WAIT = 60.0
_CONNECT_SECONDS = 10.0


class OpenAIBackend:
    """
    A `Backend` on an OpenAI-compatible server.

    Every failure before the first text is tried again where that may help; a failure after it is a
    `StreamCut`. The SDK's own retries are off: they see no error inside a stream, and repeat what no
    credit is left for.
    """

    def __init__(
        self,
        name: str,
        base_url: str | None,
        api_key: str,
        context_tokens: int,
        answer_tokens: int,
        first_token_seconds: float = 60,
        next_token_seconds: float = 30,
        languages: frozenset[str] = frozenset(),
        metered: bool = True,
        sees: bool = False,
        retries: int = 3,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """
        Prepare; nothing is sent yet. An empty name stands for the first model that the server lists.

        Raises `SettingError` for an address that is none.
        """
        self.base_url = _checked(base_url or OPENAI_URL)
        self.context_tokens = context_tokens
        self.answer_tokens = answer_tokens
        self.languages = languages
        self.metered = metered
        self.sees = sees
        self._given_name = name
        self._name = name
        self._key = api_key
        self._seconds = (first_token_seconds, next_token_seconds)
        self._retries = retries
        self._sleep = sleep
        self._dialect = Dialect(self.base_url)
        self._client = _client(self.base_url, api_key, min(_CONNECT_SECONDS, first_token_seconds))

    @property
    def name(self) -> str:
        """The model's name; "default" until an unnamed server has told it."""
        return self._name or UNNAMED

    async def stream(self, context: Context) -> AsyncGenerator[Delta]:
        """
        Generate; every delta names the model, the last one carries `usage` where the server tells it.

        Raises a `BackendError` instead of ending an answer that is not whole.
        """
        tries = 0
        while True:
            said = False
            try:
                async with aclosing(self._once(context)) as deltas:
                    async for delta in deltas:
                        said = said or bool(delta.text)
                        yield delta
            except BackendError as error:
                wait = None if said else self._wait_after(error, tries)
                if wait is None:
                    raise
            else:
                return
            tries += 1
            await self._sleep(wait)

    async def list_models(self) -> tuple[str, ...]:
        """
        List the models the server has; none where it lists none.

        Raises a `BackendError` where the server cannot be reached or refuses the key.
        """
        try:
            async with Patience(*self._seconds).waiting():
                found = await self._client.get("/models", cast_to=object)
        except TimeoutError as error:
            raise BackendSilent("no list of models came in time") from error
        except FAILURES as error:
            told = read_error(error)
            if (
                isinstance(error, APIStatusError)
                and not isinstance(told, KeyRefused)
                and error.status_code < 500
            ):
                return ()  # many small servers have no list
            raise told from error
        return _names(found)

    async def check(self, tell: Tell) -> AsyncIterator[Finding]:
        """Look at the address, the key and the model, and have it say one word."""
        alone = OpenAIBackend(
            self._given_name,
            self.base_url,
            self._key,
            self.context_tokens,
            self.answer_tokens,
            *self._seconds,
            retries=0,
        )
        try:
            async for finding in check_server(alone, self._given_name, self.base_url, tell):
                yield finding
        finally:
            await alone.close()

    async def close(self) -> None:
        """Close all connections; an answer still on its way breaks off."""
        await self._client.close()

    async def _once(self, context: Context) -> AsyncGenerator[Delta]:
        if not self._key.isascii() or not self._key.isprintable():
            raise KeyRefused("the key holds letters that no key has")
        if not self._name:
            self._name = next(iter(await self.list_models()), UNNAMED)
        patience = Patience(*self._seconds)
        stream = await self._open(context, patience)
        try:
            async with aclosing(Reading(stream, patience, self.name).deltas()) as deltas:
                async for delta in deltas:
                    yield delta
        finally:
            await stream.close()

    async def _open(self, context: Context, patience: Patience) -> AsyncStream[object]:
        while True:
            try:
                async with patience.waiting():
                    return await self._client.post(
                        "/chat/completions",
                        cast_to=object,
                        body=self._dialect.request(self.name, context),
                        stream=True,
                        stream_cls=AsyncStream[object],
                    )
            except TimeoutError as error:
                raise BackendSilent("the server took the question and said nothing") from error
            except FAILURES as error:
                if isinstance(error, APIStatusError) and self._dialect.adapt(error):
                    continue
                raise self._told(error) from error

    def _told(self, error: Exception) -> BackendError:
        told = read_error(error)
        if isinstance(told, ModelMissing):
            self._name = self._given_name  # an unnamed server may have been given another model
        return told

    def _wait_after(self, error: BackendError, tries: int) -> float | None:
        """Tell how long to wait before the next try; None where another would not help."""
        allowed = min(self._retries, 1) if isinstance(error, BackendSilent) else self._retries
        if not error.passing or tries >= allowed:
            return None
        asked = error.retry_after if isinstance(error, RateLimited) else None
        if asked is not None:
            return asked if asked <= _LONGEST_WAIT else None
        return min(0.5 * 2.0**tries, 8.0) * random.uniform(0.75, 1.25)


def _checked(address: str) -> str:
    try:
        parts = urlsplit(address)
        URL(address)
    except (InvalidURL, ValueError) as error:
        raise SettingError(f"BOT_MODEL__BASE_URL: {address!r} is no address ({error})") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise SettingError(
            f"BOT_MODEL__BASE_URL: {address!r} has to begin with http:// or https:// and a host"
        )
    return address


def _client(base_url: str, api_key: str, connect_seconds: float) -> AsyncOpenAI:
    timeout = Timeout(None, connect=connect_seconds)
    # A proxy of the environment leads outwards; a server on this machine is not reached through it.
    proxied = urlsplit(base_url).hostname not in _LOOPBACK
    return AsyncOpenAI(
        base_url=base_url,
        api_key=api_key or "none",  # the SDK insists on one; servers without keys do not look at it
        max_retries=0,
        timeout=timeout,
        http_client=DefaultAioHttpClient(timeout=timeout, trust_env=proxied),
    )


def _names(found: object) -> tuple[str, ...]:
    listed = found.get("data") if isinstance(found, dict) else None
    items = listed if isinstance(listed, list) else []
    return tuple(str(item["id"]) for item in items if isinstance(item, dict) and item.get("id"))
