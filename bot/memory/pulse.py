"""How the database stands at this moment: whether it answers, its tables' revision, and what is open."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import LiteralString

import psycopg

from bot.dialogue import Platform
from bot.errors import StoreDown
from bot.memory.database import Database
from bot.memory.migrations import newest

_KEPT_SECONDS = 1.0
_PATIENCE = 3.0


@dataclass(frozen=True, slots=True)
class Backlog:
    """
    The open turns of a platform.

    `waiting` has no worker, `answering` has one; `oldest_seconds` is how long the oldest waits that no worker
    has in hand, nor an earlier turn of its conversation.
    """

    waiting: int = 0
    answering: int = 0
    oldest_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Vitals:
    """What a look found; `up` says that the database answered, `current` that its tables are not too old."""

    up: bool = False
    current: bool = False
    backlog: Mapping[Platform, Backlog] = field(default_factory=dict)

    @property
    def oldest_seconds(self) -> float:
        """How long the oldest turn waits, on whichever platform."""
        return max((one.oldest_seconds for one in self.backlog.values()), default=0.0)


class Pulse:
    """Feels the database's pulse, at most once a second however many ask."""

    def __init__(self, database: Database, kept: float = _KEPT_SECONDS, patience: float = _PATIENCE) -> None:
        """What was found counts for `kept` seconds; a database that is silent for `patience` is away."""
        self._database = database
        self._kept = kept
        self._patience = patience
        self._needed = newest()
        self._looking = asyncio.Lock()
        self._found = Vitals()
        self._until = 0.0

    async def feel(self) -> Vitals:
        """Look, or give what was found a moment ago; a database that is away is a finding, not an error."""
        async with self._looking:
            if time.monotonic() >= self._until:
                self._found = await self._look()
                self._until = time.monotonic() + self._kept
            return self._found

    async def _look(self) -> Vitals:
        try:
            async with asyncio.timeout(self._patience):
                # During a rollout the tables may be newer than this program, which works with them all the
                # same.
                (revision,) = await self._database.run("SELECT version_num FROM alembic_version")
                if revision["version_num"] < self._needed:
                    return Vitals(up=True)
                rows = await self._database.run(OPEN_TURNS)
        except (StoreDown, TimeoutError):
            return Vitals()
        except psycopg.errors.UndefinedTable:
            return Vitals(up=True)
        backlog = dict.fromkeys(Platform, Backlog())
        for row in rows:
            told = Backlog(row["waiting"], row["answering"], row["oldest_seconds"])
            backlog[Platform(row["platform"])] = told
        return Vitals(True, True, backlog)


# By the partial index of open turns, so that it costs what is open and not what has ever been answered.
# A turn behind another one of its conversation waits in order, and says nothing about the workers.
OPEN_TURNS: LiteralString = """
WITH open AS MATERIALIZED (
    SELECT conversation_id, coalesce(wanted_at, created_at) AS since, state = 'answering' AS taken
    FROM turns WHERE state IN ('waiting', 'answering')
), seen AS (
    SELECT platform, since, taken AND lease_until > now() AS held,
        bool_or(taken AND lease_until > now()) OVER (PARTITION BY conversation_id) AS busy
    FROM open JOIN conversations ON conversations.id = conversation_id
)
SELECT platform, count(*) FILTER (WHERE held IS NOT TRUE) AS waiting,
    count(*) FILTER (WHERE held) AS answering,
    coalesce(extract(epoch FROM now() - min(since) FILTER (WHERE busy IS NOT TRUE)), 0)::float
        AS oldest_seconds
FROM seen GROUP BY platform
"""
