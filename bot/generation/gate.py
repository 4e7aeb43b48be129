"""A model's endpoint as it bears it: room for so many answers at once, and rest where its limit binds."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from bot.dialogue import Context, Delta
from bot.errors import RateLimited
from bot.ports import Backend

PATIENCE_SECONDS = 2.0
_FULL_SECONDS = 2.0
_SHORTEST_REST, _LONGEST_REST = 2.0, 60.0


class Gate:
    """
    A `Backend` that lets only so many answers through to another at once; all of a process share it.

    Where its server says that it is too much, nobody is let through until that is over, and fewer at once
    after it: half as many, then one more with each answer that went well. Who cannot be let through is told
    so by `RateLimited` with the time to wait, and costs the server nothing.
    """

    def __init__(self, inner: Backend, at_once: int, patience: float = PATIENCE_SECONDS) -> None:
        """`patience` is for how many seconds an answer stands in line before it is sent away."""
        self._inner = inner
        self._at_once = at_once
        self._patience = patience
        self._room = float(at_once)
        self._running = 0
        self._line: deque[asyncio.Future[None]] = deque()
        self._rests_until = 0.0
        self._rest = _SHORTEST_REST

    @property
    def name(self) -> str:
        """The model's name."""
        return self._inner.name

    @property
    def context_tokens(self) -> int:
        """How many tokens it reads and writes together."""
        return self._inner.context_tokens

    @property
    def answer_tokens(self) -> int:
        """How many of them are kept for the answer."""
        return self._inner.answer_tokens

    @property
    def languages(self) -> frozenset[str]:
        """The languages it can write; empty means all."""
        return self._inner.languages

    @property
    def sees(self) -> bool:
        """Whether it can be shown pictures."""
        return self._inner.sees

    @property
    def metered(self) -> bool:
        """Whether its tokens cost somebody money."""
        return self._inner.metered

    async def stream(self, context: Context) -> AsyncGenerator[Delta]:
        """Generate once there is room; raises `RateLimited` where there is none, or what the model raises."""
        async with self._place():
            deltas = self._inner.stream(context)
            try:
                async for delta in deltas:
                    yield delta
            except RateLimited as error:
                raise RateLimited(str(error), self._begin_rest(error.retry_after)) from error
            finally:
                await _closed(deltas)
            self._went_well()

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        await self._enter()
        try:
            yield
        finally:
            self._running -= 1
            self._let_in()

    async def _enter(self) -> None:
        self._check_rest()
        if self._running < int(self._room) and not self._line:
            self._running += 1
            return
        place = asyncio.get_running_loop().create_future()
        self._line.append(place)
        try:
            async with asyncio.timeout(self._patience):
                await place
        except BaseException as error:
            self._step_out(place)
            if isinstance(error, TimeoutError):
                raise RateLimited(f"{self.name} has no room", _FULL_SECONDS) from None
            raise

    def _step_out(self, place: asyncio.Future[None]) -> None:
        """Leave the line, or give back the room that was given in the same moment."""
        if place in self._line:
            self._line.remove(place)
        elif not place.cancelled() and place.exception() is None:
            self._running -= 1
            self._let_in()

    def _let_in(self) -> None:
        while self._line and self._running < int(self._room):
            place = self._line.popleft()
            if not place.done():
                self._running += 1
                place.set_result(None)

    def _check_rest(self) -> None:
        left = self._rests_until - time.monotonic()
        if left > 0:
            raise RateLimited(f"{self.name} rests", left)

    def _begin_rest(self, asked: float | None) -> float:
        """Rest for as long as the server asks, else longer each time; return the seconds."""
        now = time.monotonic()
        if now >= self._rests_until:  # of many that are refused together, the first halves the room
            self._room = max(self._room / 2, 1.0)
            self._rest = min(self._rest * 2, _LONGEST_REST)
        seconds = max(asked if asked is not None else self._rest / 2, _SHORTEST_REST / 2)
        self._rests_until = max(self._rests_until, now + seconds)
        left = self._rests_until - now
        while self._line:
            place = self._line.popleft()
            if not place.done():
                place.set_exception(RateLimited(f"{self.name} rests", left))
        return left

    def _went_well(self) -> None:
        self._room = min(self._room + 1.0, float(self._at_once))
        self._rest = _SHORTEST_REST


async def _closed(deltas: AsyncIterator[Delta]) -> None:
    """End a generation that nobody reads any further."""
    if isinstance(deltas, AsyncGenerator):
        await deltas.aclose()
