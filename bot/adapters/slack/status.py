"""The line "… is working on it" under a thread, from the question to the first text."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

import structlog

from bot.adapters.slack.web import Web
from bot.dialogue import Message, Piece
from bot.errors import PlatformError

log = structlog.get_logger()

RENEW_SECONDS = 90.0  # Slack lets a status go after two minutes


class Status:
    """Shows the status beside the answer's making; that it cannot be shown hinders nothing."""

    def __init__(self, web: Web, question: Message, text: str) -> None:
        """Slack shows a status in threads only."""
        self._web = web
        self._question = question
        self._text = text
        self._task: asyncio.Task[None] | None = None
        self._over = asyncio.Event()

    async def __aenter__(self) -> Self:
        if self._question.channel.root:
            self._task = asyncio.create_task(self._show())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is None:
            return
        self._over.set()
        await asyncio.wait({self._task})  # else a late call could come after the clearing
        if kind is None or not issubclass(kind, asyncio.CancelledError):
            await self._set("")

    async def until_text(self, pieces: AsyncIterator[Piece]) -> AsyncIterator[Piece]:
        """Hand the pieces on; with the first text the status needs no renewing any more."""
        async for piece in pieces:
            self._over.set()
            yield piece

    async def _show(self) -> None:
        while not self._over.is_set() and await self._set(self._text):
            try:
                async with asyncio.timeout(RENEW_SECONDS):
                    await self._over.wait()
            except TimeoutError:
                continue

    async def _set(self, text: str) -> bool:
        place = self._question.channel
        try:
            await self._web.call(
                "assistant.threads.setStatus", channel_id=place.id, thread_ts=place.root, status=text
            )
        except PlatformError as error:
            log.info("slack_status_refused", error=str(error))
            return False
        return True
