"""The tables as the program sees them, and as the migrations make them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from bot.memory.database import driver_url
from bot.memory.models import metadata


@pytest.fixture
def connection(database_url: str) -> Iterator[sa.Connection]:
    engine = sa.create_engine(driver_url(database_url), poolclass=sa.NullPool)
    with engine.connect() as opened:
        yield opened


def ours(_object: object, name: str | None, *_rest: object) -> bool:
    return not (name or "").startswith(("procrastinate_", "idx_procrastinate_"))


def test_migrations_and_models_agree(connection: sa.Connection) -> None:
    options = {"include_object": ours, "compare_type": True}
    assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []


@pytest.mark.parametrize(("table", "state"), [("turns", "dreaming"), ("pieces", "lost")])
def test_no_row_has_a_state_that_nobody_knows(connection: sa.Connection, table: str, state: str) -> None:
    checks = sa.inspect(connection).get_check_constraints(table)
    assert any("state" in check["sqltext"] and state not in check["sqltext"] for check in checks)


def test_a_freed_lock_is_told_to_waiting_workers(connection: sa.Connection) -> None:
    triggers = "SELECT tgname FROM pg_trigger WHERE tgname LIKE 'frontdesk_lock_freed%'"
    assert len(connection.scalars(sa.text(triggers)).all()) == 2
