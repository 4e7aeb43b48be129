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
from bot.errors import StoreDown, StoreError
from bot.memory import migrations
from bot.memory.aside import set_aside
from bot.memory.processes import SILENT_SECONDS, Processes
from bot.memory.troubles import Troubles
from bot.ports import Tell

# Reads go on where the disk is full or the server a standby, so something is written as well.
_WRITE = "CREATE TEMPORARY TABLE frontdesk_look ON COMMIT DROP AS SELECT 1 AS written"


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


class AsideCheck:
    """Tells which messages were set aside lately, since workers died with them."""

    def __init__(self, ground: Ground) -> None:
        """The ground may stand on a database that is away, of which another check tells."""
        self._ground = ground

    async def check(self, tell: Tell) -> AsyncIterator[Finding]:
        """Tell of each when it was and where."""
        subject = tell("doctor-aside")
        try:
            found = await set_aside(self._ground.database)
        except StoreError:
            return
        if not found:
            yield Finding(subject, True, tell("doctor-aside-well"))
        for one in found:
            at = one.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
            told = {"platform": one.platform.capitalize(), "place": one.place, "turn": one.turn}
            text = tell("doctor-aside-found", **told, at=at, attempts=one.attempts - 1)
            yield Finding(subject, False, text, tell("doctor-aside-cure"))


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
        try:
            async with self._ground.database.transaction() as connection:
                await connection.execute(sa.text(_WRITE))
        except StoreDown as error:
            text = tell("doctor-database-unwritable", reason=str(error))
            yield Finding(subject, False, text, tell("doctor-database-unwritable-cure"))
            return
        milliseconds = round((time.monotonic() - begun) * 1000)
        text = tell("doctor-database-well", version=version, milliseconds=milliseconds)
        yield Finding(subject, True, text)
        yield await self._tables(tell)

    async def _tables(self, tell: Tell) -> Finding:
        subject = tell("doctor-tables")
        schema = await asyncio.to_thread(migrations.look, self._ground.url)
        known = {"current": schema.current or "–", "newest": migrations.newest()}
        if schema.newer:
            return Finding(
                subject, False, tell("doctor-tables-newer", **known), tell("doctor-tables-newer-cure")
            )
        if schema.pending:
            return Finding(subject, False, tell("doctor-tables-behind", **known), tell("doctor-tables-cure"))
        return Finding(subject, True, tell("doctor-tables-well"))
