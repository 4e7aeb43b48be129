"""How much a person and a channel may ask in a minute, counted in Postgres by all processes together."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import LiteralString

from bot.dialogue import Message
from bot.memory.database import Database
from bot.memory.places import lock_name

_SWEEP_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How many questions a minute are answered of one person and in one channel; 0 is no limit."""

    person: int = 0
    channel: int = 0


def counted_as(message: Message) -> tuple[str, str]:
    """Name the rows that count a message: its author's and its channel's."""
    place = message.channel
    return f"person:{place.tenant}:{message.author.id}", f"channel:{lock_name(place)}"


class Rates:
    """
    The record of who was told that they ask too much, and the sweep of what is past.

    The counting itself is part of `arrivals.keep`, in the same commit as the message.
    """

    def __init__(self, database: Database) -> None:
        """The same database as the inbox's."""
        self._database = database
        self._swept = -_SWEEP_SECONDS

    async def first_told(self, message: Message) -> bool:
        """Note that the author is told of the limit now; False where they were in this minute."""
        person, _ = counted_as(message)
        return bool(await self._database.run(_TOLD, key=person))

    async def sweep(self) -> None:
        """Forget the minutes that are past; called often, it works only now and then."""
        if time.monotonic() - self._swept < _SWEEP_SECONDS:
            return
        self._swept = time.monotonic()
        await self._database.run(_SWEEP)


_TOLD: LiteralString = """
INSERT INTO rates AS known (key, minute, count, told_minute)
SELECT %(key)s, minute, 0, minute FROM (
    SELECT floor(extract(epoch FROM now()) / 60)::bigint AS minute) AS clock
ON CONFLICT (key) DO UPDATE SET told_minute = excluded.told_minute
WHERE known.told_minute <> excluded.told_minute
RETURNING key
"""

# A row that somebody counts in at this moment is not waited for.
_SWEEP: LiteralString = """
DELETE FROM rates WHERE key IN (
    SELECT key FROM rates WHERE minute < floor(extract(epoch FROM now()) / 60)::bigint - 1
    FOR UPDATE SKIP LOCKED)
"""
