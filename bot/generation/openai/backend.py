"""A backend on any server that speaks OpenAI's dialects: its name, its retries, its check."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from functools import partial

from httpx2 import Response
from openai import APIStatusError, AsyncStream

from bot.dialogue import Context, Delta, Finding
from bot.errors import (
    BackendError,
    BackendSilent,
    KeyRefused,
    ModelMissing,
    RateLimited,
)
from bot.generation.openai.checks import check_server
from bot.generation.openai.chunks import read_step
from bot.generation.openai.connection import checked, connect
from bot.generation.openai.dialect import Dialect, Wishes
from bot.generation.openai.events import Events
from bot.generation.openai.habits import habits_of
from bot.generation.openai.letters import blindfolded
from bot.generation.openai.reading import FAILURES, Patience, Reading
from bot.generation.openai.refusals import read_error
from bot.generation.openai.responses import read_event
from bot.ports import Tell

OPENAI_URL = "https://api.openai.com/v1"
UNNAMED = "default"

_LONGEST_WAIT = 2.0  # what is longer is waited out where it holds up nothing


class OpenAIBackend:
    """
    A `Backend` on an OpenAI-compatible server.

    Every failure before the first text is tried again where that may help; a failure after it is a
    `StreamCut`.
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
        sees: bool | None = None,
        retries: int = 3,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        wishes: Wishes | None = None,
        proxy: str | None = None,
    ) -> None:
        """
        Prepare; nothing is sent yet. An empty name stands for the first model that the server lists.

        Where `sees` is None the model's name tells. Raises `SettingError` for an address that is none.
        """
        self.base_url = checked(base_url or OPENAI_URL)
        self.context_tokens = context_tokens
        self.answer_tokens = answer_tokens
        self.languages = languages
        self.metered = metered
        self._sees = sees
        self._given_name = self._name = name
        self._sound = api_key.isascii() and api_key.isprintable()
        self._seconds = (first_token_seconds, next_token_seconds)
        self._retries = retries
        self._sleep = sleep
        self._dialect = Dialect(self.base_url, wishes)
        self._client = connect(self.base_url, api_key, first_token_seconds, proxy)
        self._alone = partial(
            OpenAIBackend, name, self.base_url, api_key, context_tokens, answer_tokens, *self._seconds,
            retries=0, wishes=wishes, proxy=proxy,
        )  # fmt: skip

    @property
    def name(self) -> str:
        """The model's name; "default" until an unnamed server has told it."""
        return self._name or UNNAMED

    @property
    def sees(self) -> bool:
        """Whether it can be shown pictures: as told, else by its name; not where the server refused one."""
        sees = habits_of(self.name).sees if self._sees is None else self._sees
        return sees and not self._dialect.blind

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
        alone = self._alone()
        try:
            responses = self._dialect.wishes.responses
            async for finding in check_server(alone, self._given_name, self.base_url, tell, responses):
                yield finding
        finally:
            await alone.close()

    async def close(self) -> None:
        """Close all connections; an answer still on its way breaks off."""
        await self._client.close()

    async def _once(self, context: Context) -> AsyncGenerator[Delta]:
        if not self._sound:
            raise KeyRefused("the key holds letters that no key has")
        if not self._name:
            self._name = next(iter(await self.list_models()), UNNAMED)
        patience = Patience(*self._seconds)
        response, unseen = await self._open(context, patience)
        if unseen:
            yield Delta(unseen=True, model=self.name)
        events = Events(response)
        wishes = self._dialect.wishes
        read = read_event if wishes.responses else read_step
        try:
            reading = Reading(events, read, patience, self.name, wishes.tells_thoughts)
            async with aclosing(reading.deltas()) as deltas:
                async for delta in deltas:
                    yield delta
        finally:
            await events.close()

    async def _open(self, context: Context, patience: Patience) -> tuple[Response, bool]:
        """Ask, and ask again in the form the server wants; say too whether it would not see the pictures."""
        shown = any(line.pictures for line in context.lines)
        unseen = shown and self._dialect.blind
        while True:
            body = self._dialect.request(self.name, context)
            try:
                async with patience.waiting():
                    return await self._post(body), unseen
            except TimeoutError as error:
                raise BackendSilent("the server took the question and said nothing") from error
            except FAILURES as error:
                if not isinstance(error, APIStatusError):
                    raise self._told(error) from error
                if shown and not unseen and self._dialect.minds_pictures(error):
                    context, unseen = Context(blindfolded(context.lines), context.answer_tokens), True
                elif not self._dialect.adapt(error, body):
                    raise self._told(error) from error

    async def _post(self, body: dict[str, object]) -> Response:
        path = self._dialect.path
        # Asked for as a plain response the SDK hands over the open stream, and makes no model of each chunk.
        found: object = await self._client.post(
            path, cast_to=Response, body=body, stream=True, stream_cls=AsyncStream[object]
        )
        if not isinstance(found, Response):
            raise TypeError(f"the SDK made {type(found).__name__} of a response")
        return found

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


def _names(found: object) -> tuple[str, ...]:
    listed = found.get("data") if isinstance(found, dict) else None
    items = listed if isinstance(listed, list) else []
    return tuple(str(item["id"]) for item in items if isinstance(item, dict) and item.get("id"))
