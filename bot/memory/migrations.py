"""Brings the tables to what the program expects, while others use them, and says whether they are there."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa

from bot.errors import SchemaAhead, SchemaBehind, StoreDown
from bot.memory.database import driver_url
from bot.memory.outages import reason

FOLDER = Path(__file__).resolve().parents[2] / "migrations"
_LOCK = 7_026_112_301  # one number for all processes that migrate the same database
_AWAY = 3  # the exit code of a process that could not reach the database
# Whoever waits for a lock holds up all who come after, so a statement gives up soon and is tried again.
_LOCK_SECONDS = 2
_PAUSES = (0.5, 1.0, 2.0, 5.0)
_PATIENCE = 600.0

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Schema:
    """At which revision the tables are (None: there are none), and which of ours they lack."""

    current: str | None
    pending: tuple[str, ...]

    @property
    def newer(self) -> bool:
        """Whether a newer program than this one made them what they are."""
        return self.current is not None and self.current not in revisions()


def look(url: str) -> Schema:
    """Say where the tables stand; changes nothing. Raises `StoreDown`."""
    with _engine(url) as engine, engine.connect() as connection:
        there = connection.scalar(sa.text("SELECT to_regclass('alembic_version') IS NOT NULL"))
        current = connection.scalar(sa.text("SELECT version_num FROM alembic_version")) if there else None
    known = revisions()
    if current is None:
        return Schema(None, known)
    return Schema(current, known[known.index(current) + 1 :] if current in known else ())


def check(url: str) -> None:
    """
    Raise `SchemaBehind` where the tables lack something; newer ones only have what this program does not use.

    So a process that is at work goes on while the next version is rolled out beside it.
    """
    schema = look(url)
    if schema.pending:
        raise SchemaBehind(
            f"the tables are at revision {schema.current}, the program needs {newest()}: run `bot migrate`"
        )


def revisions() -> tuple[str, ...]:
    """Name the revisions this program knows, oldest first; with them their files' names begin."""
    return tuple(sorted(file.name.partition("_")[0] for file in (FOLDER / "versions").glob("[0-9]*_*.py")))


def newest() -> str:
    """Name the newest revision."""
    return revisions()[-1]


def upgrade(url: str, to: str = "head", tell: Tell = lambda _: None, patience: float = _PATIENCE) -> None:
    """
    Bring the database at `url` to a revision; processes that start together wait for each other.

    Each revision is committed by itself, and no statement waits longer than two seconds for a lock: then its
    revision is begun again after a pause, for `patience` seconds. `tell` is told each step.

    Raises `StoreDown` where the database cannot be reached, and `SchemaBehind` where others do not let go.
    """
    from alembic import command
    from alembic.config import Config

    deadline = time.monotonic() + patience
    with _engine(url) as engine, _alone(engine, deadline), engine.connect() as connection:
        config = Config()
        config.set_main_option("script_location", str(FOLDER))
        config.attributes["connection"] = connection
        config.attributes["done"] = lambda step, **_: tell(f"Tables: revision {step.up_revision_id} is in.")
        tries = 0
        while True:
            try:
                command.upgrade(config, to)
            except sa.exc.OperationalError as error:
                if not isinstance(error.orig, psycopg.errors.LockNotAvailable):
                    raise
                connection.rollback()
                _pause(tries, deadline, tell)
                tries += 1
            else:
                return


def upgrade_apart(url: str, tell: Tell = lambda _: None) -> None:
    """
    Do the same where it is needed, in a process of its own: what it loads is 10 MB that nobody wants after.

    Raises `StoreDown` where the database cannot be reached, `SchemaAhead` where the tables are newer than the
    program, and `SchemaBehind` where a revision fails.
    """
    schema = look(url)
    if schema.newer:
        raise SchemaAhead(
            f"the tables are at revision {schema.current}, and this program knows none after {newest()}: "
            "start the newer version that made them, or restore a backup of before"
        )
    if not schema.pending:
        return
    if schema.current is None:
        tell("Making the tables …")
    program = "from bot.memory.migrations import upgrade_here; upgrade_here()"
    command = [sys.executable, "-c", program]  # the address may hold a password: never among the words
    pipe: Any = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=FOLDER.parent
    ) as process:
        assert process.stdin and process.stdout and process.stderr  # noqa: S101, PT018 — they are pipes
        process.stdin.write(url)
        process.stdin.close()
        for line in process.stdout:
            if schema.current is not None:  # each of them is news only where there was one before
                tell(line.strip())
        said = process.stderr.read().strip()
    if process.returncode == _AWAY:
        raise StoreDown(said)
    if process.returncode:
        raise SchemaBehind(f"the tables cannot be brought up to date: {said}")


def upgrade_here() -> None:
    """Do what `upgrade_apart` asks of its process; its exit code and standard error say why it failed."""

    def tell(line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    try:
        upgrade(sys.stdin.read(), tell=tell)
    except StoreDown as error:
        sys.stderr.write(str(error))
        sys.exit(_AWAY)
    except SchemaBehind as error:
        sys.exit(str(error))
    except sa.exc.DBAPIError as error:
        sys.exit(str(error.orig).strip())


@contextmanager
def _alone(engine: sa.Engine, deadline: float) -> Iterator[None]:
    """
    Let one process migrate at a time.

    It is asked for again and again instead of waited for: a statement that waits keeps a snapshot, and an
    index that is made beside the others' work waits for all snapshots to go.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while not connection.scalar(sa.select(sa.func.pg_try_advisory_lock(_LOCK))):
            if time.monotonic() > deadline:
                raise SchemaBehind("another process has been migrating for too long")
            time.sleep(0.1)
        try:
            yield
        finally:
            if not connection.invalidated:
                connection.execute(sa.select(sa.func.pg_advisory_unlock(_LOCK)))


def _pause(tries: int, deadline: float, tell: Tell) -> None:
    if time.monotonic() > deadline:
        raise SchemaBehind(
            "a long transaction holds what has to be changed: end it (pg_stat_activity tells which), "
            "then run `bot migrate`"
        )
    if not tries:
        tell("Tables: another transaction is in the way; trying again until it is over …")
    time.sleep(_PAUSES[min(tries, len(_PAUSES) - 1)])


@contextmanager
def _engine(url: str) -> Iterator[sa.Engine]:
    engine = sa.create_engine(driver_url(url), poolclass=sa.NullPool)
    sa.event.listen(engine, "connect", _never_queue)
    try:
        yield engine
    except sa.exc.OperationalError as error:
        raise StoreDown(f"the database cannot be reached: {reason(error)}") from error
    finally:
        engine.dispose()


def _never_queue(connection: Any, _record: object) -> None:
    connection.execute(f"SET lock_timeout = '{_LOCK_SECONDS}s'")
    connection.commit()
