"""What machines are answered about this process: whether it is ready, and its metrics."""

from __future__ import annotations

from bot.app.readiness import Readiness
from bot.app.roles import Role
from bot.app.running import Standing
from bot.config import MetricsSettings
from bot.memory.pulse import Pulse
from bot.telemetry import Readings, Scrape
from bot.web.probes import Probes


def probes(settings: MetricsSettings, built: Standing) -> Probes:
    """Build the answers; both look at the database through one pulse."""
    pulse = Pulse(built.ground.database)
    heard = {name: built.adapters[name] for name in built.heard}
    late = settings.late_seconds if Role.WORKER in built.roles else None
    readiness = Readiness(pulse, heard, late)

    async def readings() -> Readings:
        vitals = await pulse.feel()
        return Readings(
            vitals.backlog if vitals.up else None,
            built.ground.database.connections(),
            built.machinery.seats.held(),
            dict.fromkeys(Role, 0) | dict(built.machinery.processes.alive()),
            readiness.connected(),
        )

    token = settings.token.get_secret_value() if settings.token else ""
    return Probes(readiness.look, Scrape(built.watch.metrics, readings), token)
