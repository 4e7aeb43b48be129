"""Which processes are at work on this database: each says so every two seconds, and counts the others."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

import structlog

from bot.errors import StoreDown
from bot.memory.database import Database

log = structlog.get_logger()

BEAT_SECONDS = 2.0
SILENT_SECONDS = 6.0  # who says nothing for so long is dead for the others


@dataclass(frozen=True, slots=True)
class ProcessSeen:
    """A process as the others see it; `silent_for` is in seconds."""

    id: str
    roles: tuple[str, ...]
    version: str
    host: str
    pid: int
    started_at: datetime
    silent_for: float


class Processes:
    """This process among the others."""

    def __init__(
        self, database: Database, roles: Collection[str], version: str, beat: float = BEAT_SECONDS
    ) -> None:
        """`roles` are those this process has; its `id` is new with each start."""
        self.id = secrets.token_hex(8)
        self._database = database
        self._roles = sorted(roles)
        self._version = version
        self._beat = beat
        self._alive: Sequence[Collection[str]] = ()

    def count(self, *roles: str) -> int:
        """Say how many live processes have one of the roles, as of the last beat; never less than one."""
        return max(1, sum(1 for theirs in self._alive if not set(roles).isdisjoint(theirs)))

    def alive(self) -> Mapping[str, int]:
        """Count the live processes by role, as of the last beat."""
        return Counter(role for theirs in self._alive for role in theirs)

    async def run(self) -> None:
        """Beat until cancelled, then say goodbye; while the database is away the counts stay as they are."""
        try:
            while True:
                try:
                    await self.beat()
                except StoreDown as error:
                    log.warning("beat_missed", reason=str(error))
                await asyncio.sleep(self._beat)
        finally:
            with suppress(StoreDown):
                await self._database.run("DELETE FROM processes WHERE id = %(id)s", id=self.id)

    async def beat(self) -> None:
        """Say that we live, and look who else does."""
        rows = await self._database.run(
            _BEAT,
            id=self.id,
            roles=self._roles,
            version=self._version,
            host=socket.gethostname(),
            pid=os.getpid(),
            silent=SILENT_SECONDS,
        )
        self._alive = [row["roles"] for row in rows]

    async def give_up(self, *roles: str) -> None:
        """
        Have the others count without us from now on for these roles: they share what we leave.

        Where the database is away they learn of it with our next beat, or our silence.
        """
        self._roles = [role for role in self._roles if role not in roles]
        with suppress(StoreDown):
            await self.beat()

    async def all(self) -> list[ProcessSeen]:
        """List the processes that were heard of in the last minute, oldest first."""
        return [
            ProcessSeen(
                row["id"],
                tuple(row["roles"]),
                row["version"],
                row["host"],
                row["pid"],
                row["started_at"],
                row["silent_for"],
            )
            for row in await self._database.run(_ALL)
        ]


# Its own row is told by what the statement wrote; the others' by what stood when it began.
_BEAT: LiteralString = """
WITH mine AS (
    INSERT INTO processes (id, roles, version, host, pid)
    VALUES (%(id)s, %(roles)s, %(version)s, %(host)s, %(pid)s)
    ON CONFLICT (id) DO UPDATE SET beat_at = now(), roles = excluded.roles
    RETURNING roles
), gone AS (
    DELETE FROM processes WHERE beat_at < now() - interval '1 minute' AND id <> %(id)s
)
SELECT roles FROM mine
UNION ALL
SELECT roles FROM processes
WHERE id <> %(id)s AND beat_at > now() - make_interval(secs => %(silent)s)
"""

_ALL: LiteralString = """
SELECT *, extract(epoch FROM now() - beat_at)::float AS silent_for FROM processes ORDER BY started_at, id
"""
