"""Messages that were set aside, since workers died with each try to answer them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from bot.dialogue import Platform
from bot.memory.database import Database

_MOST = 20


@dataclass(frozen=True, slots=True)
class Aside:
    """A turn that was given up, since several workers died with it."""

    turn: int
    platform: Platform
    place: str
    attempts: int
    at: datetime


async def set_aside(database: Database, days: int = 7) -> Sequence[Aside]:
    """List those of the last days, the newest first."""
    rows = await database.run(_ASIDE, days=days, most=_MOST)
    return [
        Aside(row["id"], Platform(row["platform"]), row["place"], row["attempts"], row["finished_at"])
        for row in rows
    ]


_ASIDE: LiteralString = """
SELECT turns.id, platform, place, attempts, finished_at
FROM turns JOIN conversations ON conversations.id = turns.conversation_id
WHERE error = 'poisoned' AND finished_at > now() - make_interval(days => %(days)s)
ORDER BY turns.id DESC LIMIT %(most)s
"""
