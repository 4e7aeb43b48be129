"""Wraps the rooms' seams in what counts them, and in what traces them where that is wanted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from bot import __version__
from bot.config import TracesSettings
from bot.dialogue import Platform
from bot.memory.outbox import Fence, Outbox
from bot.memory.recall import Memory
from bot.ports import Backend, Door
from bot.telemetry import (
    Answerer,
    CountedAnswerer,
    CountedDoor,
    CountedOutbox,
    CountedTurns,
    Metrics,
    Remembers,
    SeenOutbox,
    TimedBackend,
    Turns,
)


@asynccontextmanager
async def watching(settings: TracesSettings, process: str) -> AsyncIterator[Watch]:
    """Begin to count, and to trace where an endpoint is set; at the end the last spans are sent."""
    metrics = Metrics(Platform, __version__)
    if settings.endpoint is None:
        yield Watch(metrics)
        return
    from bot.app.tracing import traced  # loaded where it is wanted only

    async with traced(metrics, settings.endpoint, process) as watch:
        yield watch


class Watch:
    """What counts at the seams of one process: each method gives back a seam that is watched."""

    def __init__(self, metrics: Metrics) -> None:
        """All is counted in `metrics`."""
        self.metrics = metrics

    def door(self, inner: Door) -> Door:
        """Count what is accepted."""
        return CountedDoor(inner, self.metrics)

    def turns(self, inner: Turns) -> Turns:
        """Count what is taken up, and how it ends."""
        return CountedTurns(inner, self.metrics)

    def answerer(self, inner: Answerer) -> Answerer:
        """Count what is in hand."""
        return CountedAnswerer(inner, self.metrics)

    def outbox(self, inner: Outbox) -> SeenOutbox[Fence]:
        """Count what is posted."""
        return CountedOutbox(inner, self.metrics)

    def backends(self, inner: Sequence[Backend]) -> Sequence[Backend]:
        """Time the models."""
        return [TimedBackend(backend, self.metrics) for backend in inner]

    def memory(self, inner: Memory) -> Remembers[Any]:
        """Leave it as it is: its steps are in no metric."""
        return inner
