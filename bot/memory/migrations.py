"""Brings the tables to what the program expects, and says whether they are there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from bot.errors import SchemaBehind, StoreDown
from bot.memory.database import driver_url

FOLDER = Path(__file__).resolve().parents[2] / "migrations"
_LOCK = 7_026_112_301  # one number for all processes that migrate the same database


def upgrade(url: str) -> None:
    """
    Bring the database at `url` to the newest revision; processes that start together wait for each other.

    Raises `StoreDown` where it cannot be reached.
    """
    with _connected(url) as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def check(url: str) -> None:
    """Raise `SchemaBehind` unless the database is at the newest revision."""
    with _connected(url) as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if current != head:
        raise SchemaBehind(
            f"the tables are at revision {current}, the program needs {head}: run `bot migrate`"
        )


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


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    return config
