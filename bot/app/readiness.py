"""Whether this process can do its work now, part by part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from bot.dialogue import Platform
from bot.memory.pulse import Vitals
from bot.ports import Adapter, Connected


class Pulse(Protocol):
    """Feels how the database is."""

    async def feel(self) -> Vitals:
        """Look, or give what was found a moment ago."""
        ...


class Readiness:
    """Looks at the database, its tables, what waits, and the platforms' connections."""

    def __init__(self, pulse: Pulse, heard: Mapping[Platform, Adapter], late: float | None) -> None:
        """
        `heard` are the platforms that are listened to here.

        `late` is how many seconds a question may wait, None for a process that answers none: taking its
        pages away from people would help nobody.
        """
        self._pulse = pulse
        self._heard = heard
        self._late = late

    async def look(self) -> Mapping[str, bool | float | str]:
        """Name each part, False where it is not well."""
        vitals = await self._pulse.feel()
        found: dict[str, bool | float | str] = {"database": vitals.up, "tables": vitals.current}
        if self._late is not None:
            found["queue"] = vitals.current and vitals.oldest_seconds <= self._late
        found["oldest_waiting_seconds"] = round(vitals.oldest_seconds, 1)
        return found | dict(self.connected())

    def connected(self) -> Mapping[str, bool]:
        """Say of each platform that is listened to over connections whether they are up."""
        return {
            str(name): adapter.connected()
            for name, adapter in self._heard.items()
            if isinstance(adapter, Connected)
        }
