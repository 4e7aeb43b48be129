"""What stands at the moment of a scrape: asked for then, written into gauges, told as text."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from prometheus_client import Gauge, Metric, generate_latest

from bot.dialogue import Platform
from bot.telemetry.metrics import Metrics

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Waiting(Protocol):
    """The open turns of a platform."""

    @property
    def waiting(self) -> int:
        """How many no worker has in hand."""
        ...

    @property
    def answering(self) -> int:
        """How many one has."""
        ...

    @property
    def oldest_seconds(self) -> float:
        """How long the oldest waits."""
        ...


@dataclass(frozen=True, slots=True)
class Readings:
    """
    How this process and its database stand.

    `waiting` is None while the database is away; then nothing is told of the queue, rather than an old
    number. `connections` is how many are in use, idle, and allowed.
    """

    waiting: Mapping[Platform, Waiting] | None = None
    connections: Mapping[str, int] = field(default_factory=dict)
    seats: Mapping[str, int] = field(default_factory=dict)
    processes: Mapping[str, int] = field(default_factory=dict)
    connected: Mapping[str, bool] = field(default_factory=dict)


class Scrape:
    """Tells all metrics as text; a database that is away fails no scrape."""

    def __init__(self, metrics: Metrics, look: Callable[[], Awaitable[Readings]]) -> None:
        """`look` finds out how things stand, and raises nothing for a database that is away."""
        self._registry = metrics.registry
        self._look = look
        self._up = self._gauge("frontdesk_database_up", "Whether the database answers, 1 or 0.")
        self._waiting = self._gauge(
            "frontdesk_turns_waiting", "Open turns that no worker has in hand, of all processes.", "platform"
        )
        self._answering = self._gauge(
            "frontdesk_turns_answering", "Open turns that a worker has in hand, of all processes.", "platform"
        )
        self._oldest = self._gauge(
            "frontdesk_oldest_waiting_seconds",
            "How long the oldest turn waits that no worker has in hand, nor one before it.",
            "platform",
        )
        self._connections = self._gauge(
            "frontdesk_database_connections", "This process' connections: in_use, idle, most.", "state"
        )
        self._seats = self._gauge("frontdesk_seats_held", "Seats that this process holds.", "kind")
        self._processes = self._gauge("frontdesk_processes", "Live processes, by role.", "role")
        self._connected = self._gauge(
            "frontdesk_platform_connected", "Whether this process' connections are up, 1 or 0.", "platform"
        )

    async def __call__(self) -> bytes:
        """Look, and tell all metrics in Prometheus' text format."""
        found = await self._look()
        self._up.set(found.waiting is not None)
        waiting = found.waiting or {}
        _set(self._waiting, {name: one.waiting for name, one in waiting.items()})
        _set(self._answering, {name: one.answering for name, one in waiting.items()})
        _set(self._oldest, {name: one.oldest_seconds for name, one in waiting.items()})
        _set(self._connections, found.connections)
        _set(self._seats, found.seats)
        _set(self._processes, found.processes)
        _set(self._connected, found.connected)
        return generate_latest(self)

    def collect(self) -> Iterator[Metric]:
        """Give the metrics without the moments of their making, which would be a third of all lines."""
        for metric in self._registry.collect():
            metric.samples = [one for one in metric.samples if not one.name.endswith("_created")]
            yield metric

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, registry=self._registry)


def _set(gauge: Gauge, values: Mapping[str, float]) -> None:
    """Let the gauge hold just these: what is not there any more is not told as it was."""
    gauge.clear()
    for name, value in values.items():
        gauge.labels(name).set(value)
