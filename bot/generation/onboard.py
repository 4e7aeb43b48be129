"""The model on board as a backend: starts its server, and starts it again where it died."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Protocol

from bot.dialogue import Context, Delta, Finding
from bot.errors import BackendDown
from bot.generation.builtin import Address
from bot.ports import Backend, Tell

# What the small model writes well enough to be read.
SMALL_LANGUAGES = frozenset({"en"})


class Server(Protocol):
    """What serves the model."""

    async def start(self) -> Address:
        """Say where it answers, after starting it where it does not run."""
        ...

    async def stop(self) -> bool:
        """Leave it."""
        ...


class ServedBackend(Backend, Protocol):
    """A backend behind a server, as this one is given it."""

    def check(self, tell: Tell) -> AsyncIterator[Finding]:
        """Look whether it answers."""
        ...

    async def close(self) -> None:
        """Close its connections."""
        ...


class OnBoardBackend:
    """Answers with the model on board; free of cost, and the small one in English only."""

    def __init__(self, server: Server, served_by: Callable[[Address], ServedBackend]) -> None:
        """`served_by` makes the backend for the server's address."""
        self._server = server
        self._served_by = served_by
        self._inner: ServedBackend | None = None
        self._address: Address | None = None
        self._opening = asyncio.Lock()

    async def open(self) -> None:
        """Start the server, or join it; raises `BackendDown` or `SettingError`."""
        async with self._opening:
            address = await self._server.start()
            if address == self._address:
                return  # other answers may be on their way from there: they shall not break off
            before, self._inner = self._inner, self._served_by(address)
            self._address = address
            if before is not None:
                await before.close()

    async def close(self) -> None:
        """Leave the server; the last to leave stops it."""
        if self._inner is not None:
            await self._inner.close()
        await self._server.stop()

    @property
    def name(self) -> str:
        """The model's name."""
        return self._opened.name

    @property
    def context_tokens(self) -> int:
        """How many tokens it reads and writes together."""
        return self._opened.context_tokens

    @property
    def answer_tokens(self) -> int:
        """How many of them are for the answer."""
        return self._opened.answer_tokens

    @property
    def languages(self) -> frozenset[str]:
        """What it can write: of a user's own file nothing is known, so all."""
        small = self._address is None or self._address.small
        return SMALL_LANGUAGES if small else frozenset()

    @property
    def sees(self) -> bool:
        """The models it runs read only text."""
        return False

    @property
    def metered(self) -> bool:
        """It costs nobody money."""
        return False

    async def stream(self, context: Context) -> AsyncIterator[Delta]:
        """Generate; a server that died before the first text is started again, once."""
        begun = False
        try:
            async for delta in self._opened.stream(context):
                begun = begun or bool(delta.text)
                yield delta
        except BackendDown:
            if begun:
                raise
            await self.open()
        else:
            return
        async for delta in self._opened.stream(context):
            yield delta

    async def check(self, tell: Tell) -> AsyncIterator[Finding]:
        """Look whether it answers."""
        async for finding in self._opened.check(tell):
            yield finding

    @property
    def _opened(self) -> ServedBackend:
        if self._inner is None:
            raise BackendDown("the model on board was not started")
        return self._inner
