"""Brings the tables to what the program expects, and says whether they are there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from bot.errors import SchemaBehind, StoreDown
from bot.memory.database import driver_url

FOLDER = Path(__file__).resolve().parents[2] / "migrations"
_LOCK = 7_026_112_301  # one number for all processes that migrate the same database
_AWAY = 3  # the exit code of a process that could not reach the database


def upgrade(url: str) -> None:
    """
    Bring the database at `url` to the newest revision; processes that start together wait for each other.

    Raises `StoreDown` where it cannot be reached.
    """
    from alembic import command
    from alembic.config import Config

    with _connected(url) as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        config = Config()
        config.set_main_option("script_location", str(FOLDER))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def upgrade_apart(url: str) -> None:
    """
    Do the same where it is needed, in a process of its own: what it loads is 10 MB that nobody wants after.

    Raises `StoreDown` where the database cannot be reached, and `SchemaBehind` where a revision fails.
    """
    try:
        check(url)
    except SchemaBehind:
        program = "from bot.memory.migrations import upgrade_here; upgrade_here()"
        command = [sys.executable, "-c", program]  # the address may hold a password: never among the words
        done = subprocess.run(
            command, check=False, input=url, text=True, stderr=subprocess.PIPE, cwd=FOLDER.parent
        )
        if done.returncode == _AWAY:
            raise StoreDown(done.stderr.strip()) from None
        if done.returncode:
            raise SchemaBehind(f"the tables cannot be brought up to date: {done.stderr.strip()}") from None


def upgrade_here() -> None:
    """Do what `upgrade_apart` asks of its process; its exit code and standard error say why it failed."""
    try:
        upgrade(sys.stdin.read())
    except StoreDown as error:
        sys.stderr.write(str(error))
        sys.exit(_AWAY)
    except sa.exc.DBAPIError as error:
        sys.exit(str(error.orig).strip())


def check(url: str) -> None:
    """Raise `SchemaBehind` unless the database is at the newest revision."""
    with _connected(url) as connection:
        there = connection.scalar(sa.text("SELECT to_regclass('alembic_version') IS NOT NULL"))
        current = connection.scalar(sa.text("SELECT version_num FROM alembic_version")) if there else None
    if current != newest():
        raise SchemaBehind(
            f"the tables are at revision {current}, the program needs {newest()}: run `bot migrate`"
        )


def newest() -> str:
    """Name the newest revision, by which its file's name begins."""
    return max(file.name.partition("_")[0] for file in (FOLDER / "versions").glob("[0-9]*_*.py"))


@contextmanager
def _connected(url: str) -> Iterator[sa.Connection]:
    engine = sa.create_engine(driver_url(url), poolclass=sa.NullPool)
    try:
        with engine.begin() as connection:
            yield connection
    except sa.exc.OperationalError as error:
        raise StoreDown(f"the database cannot be reached: {error.orig}") from error
    finally:
        engine.dispose()
