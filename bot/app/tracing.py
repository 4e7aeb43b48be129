"""Wraps the rooms' seams in what traces them, around what counts them; loaded where that is wanted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from bot import __version__
from bot.app.watching import Watch
from bot.memory.outbox import Fence, Outbox
from bot.memory.recall import Memory
from bot.ports import Backend, Door
from bot.telemetry import Answerer, Metrics, Remembers, SeenOutbox, Turns
from bot.telemetry.traced import (
    TracedAnswerer,
    TracedBackend,
    TracedDoor,
    TracedMemory,
    TracedOutbox,
    TracedTurns,
)
from bot.telemetry.tracing import Tracing


@asynccontextmanager
async def traced(metrics: Metrics, endpoint: str, process: str) -> AsyncIterator[Watch]:
    """Trace while the block lasts, and send what is left at its end."""
    tracing = Tracing(endpoint, __version__, process)
    try:
        yield _TracingWatch(metrics, tracing)
    finally:
        await tracing.close()


class _TracingWatch(Watch):
    def __init__(self, metrics: Metrics, tracing: Tracing) -> None:
        super().__init__(metrics)
        self._tracing = tracing

    def door(self, inner: Door) -> Door:
        return TracedDoor(super().door(inner), self._tracing)

    def turns(self, inner: Turns) -> Turns:
        return TracedTurns(super().turns(inner), self._tracing)

    def answerer(self, inner: Answerer) -> Answerer:
        return TracedAnswerer(super().answerer(inner), self._tracing)

    def outbox(self, inner: Outbox) -> SeenOutbox[Fence]:
        return TracedOutbox(super().outbox(inner), self._tracing)

    def backends(self, inner: Sequence[Backend]) -> Sequence[Backend]:
        return [TracedBackend(backend, self._tracing) for backend in super().backends(inner)]

    def memory(self, inner: Memory) -> Remembers[Any]:
        return TracedMemory(super().memory(inner), self._tracing)
