"""What `bot doctor` sees of the database and of the processes on it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC

import sqlalchemy as sa
from psycopg.errors import UndefinedTable

from bot import __version__
from bot.app.ground import Ground
from bot.app.roles import Role
from bot.dialogue import Finding
from bot.errors import SchemaBehind, StoreDown, StoreError
from bot.memory import migrations
from bot.memory.processes import SILENT_SECONDS, Processes
from bot.memory.troubles import Troubles
from bot.ports import Tell


class TroublesCheck:
    """Tells where answers could not be posted."""

    def __init__(self, ground: Ground) -> None:
        """The ground may stand on a database that is away, of which another check tells."""
        self._ground = ground

    async def check(self, tell: Tell) -> AsyncIterator[Finding]:
        """Tell of each place with the platform's own reason."""
        subject = tell("doctor-troubles")
        try:
            found = await Troubles(self._ground.database).all()
        except StoreError:
            return
        if not found:
            yield Finding(subject, True, tell("doctor-troubles-well"))
        for one in found:
            told = {"platform": one.platform.capitalize(), "place": one.place, "reason": one.reason}
            last = one.last_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
            text = tell("doctor-troubles-refused", **told, times=one.times, last=last)
            yield Finding(subject, False, text, tell("doctor-troubles-cure"))


class ProcessesCheck:
    """Tells which processes are at work."""

    def __init__(self, ground: Ground) -> None:
        """The ground may stand on a database that is away, of which another check tells."""
        self._ground = ground

    async def check(self, tell: Tell) -> AsyncIterator[Finding]:
        """Tell of each process what it does and since when it is silent, and whether anybody answers."""
        subject = tell("doctor-processes")
        try:
            found = await Processes(self._ground.database, (), __version__).all()
        except (StoreError, UndefinedTable):  # of tables that are too old another check tells as well
            return
        for one in found:
            well = one.silent_for <= SILENT_SECONDS
            told = {"roles": ", ".join(one.roles), "host": one.host, "pid": one.pid, "version": one.version}
            text = tell("doctor-process", silent=round(one.silent_for), **told)
            yield Finding(subject, well, text, "" if well else tell("doctor-process-silent"))
        alive = {role for one in found if one.silent_for <= SILENT_SECONDS for role in one.roles}
        if not found:
            yield Finding(subject, True, tell("doctor-processes-none"))
        elif Role.WORKER not in alive:
            text = tell("doctor-processes-no-worker")
            yield Finding(subject, False, text, tell("doctor-processes-no-worker-cure"))


class DatabaseCheck:
    """Looks whether the database answers, and whether its tables are what the program expects."""

    def __init__(self, ground: Ground) -> None:
        """The ground may stand on a database that is away."""
        self._ground = ground

    async def check(self, tell: Tell) -> AsyncIterator[Finding]:
        """Look at the connection, then at the revision of the tables."""
        subject = tell("doctor-database")
        begun = time.monotonic()
        try:
            async with self._ground.database.transaction() as connection:
                version = await connection.scalar(sa.text("SHOW server_version"))
        except StoreDown as error:
            cure = tell("doctor-database-cure")
            yield Finding(subject, False, str(error), cure)
            return
        milliseconds = round((time.monotonic() - begun) * 1000)
        text = tell("doctor-database-well", version=version, milliseconds=milliseconds)
        yield Finding(subject, True, text)
        yield await self._tables(tell)

    async def _tables(self, tell: Tell) -> Finding:
        subject = tell("doctor-tables")
        try:
            await asyncio.to_thread(migrations.check, self._ground.url)
        except SchemaBehind as error:
            return Finding(subject, False, str(error), tell("doctor-tables-cure"))
        return Finding(subject, True, tell("doctor-tables-well"))
