"""The sections for whoever watches the program: metrics, health, traces."""

from __future__ import annotations

from pydantic import Field

from bot.config.fields import MaybeAddress, Secret, Section


class MetricsSettings(Section):
    """Metrics and health, for machines; a small server of its own where a port is set."""

    host: str = "127.0.0.1"
    port: int | None = Field(default=None, ge=0, le=65_535)
    token: Secret = None
    late_seconds: float = Field(default=300.0, gt=0, le=86_400)


class TracesSettings(Section):
    """Traces of answers; none are made without an endpoint."""

    endpoint: MaybeAddress = None
