"""Every table is in a backup unless it is of the moment only, and comes after those it refers to."""

from __future__ import annotations

import psycopg
import pytest

from bot.errors import BackupRefused, StoreDown
from bot.memory.backups.tables import connected, kept_tables, told_as_ours
from bot.memory.models import metadata


def test_a_new_table_is_kept_without_being_named(database_url: str) -> None:
    with connected(database_url) as connection:
        kept = {table.name: table for table in kept_tables(connection)}
    assert set(metadata.tables) - set(kept) == {"processes", "seats"}
    assert not set(kept) - set(metadata.tables)
    for table in metadata.tables.values():
        if table.name in kept:
            assert set(kept[table.name].columns) == {column.name for column in table.columns}
    assert (kept["messages"].counter, kept["people"].counter) == ("id", "")


def test_what_is_referred_to_comes_first(database_url: str) -> None:
    with connected(database_url) as connection:
        order = [table.name for table in kept_tables(connection)]
    for table in metadata.tables.values():
        for key in table.foreign_keys:
            if key.column.table is not table:
                assert order.index(key.column.table.name) < order.index(table.name)


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (psycopg.errors.DiskFull("x"), StoreDown),
        (psycopg.OperationalError("x"), StoreDown),
        (psycopg.errors.InsufficientPrivilege("x"), BackupRefused),
    ],
)
def test_failures_are_told_as_ours_in_a_line(error: psycopg.Error, ours: type[Exception]) -> None:
    with pytest.raises(ours, match="restore: "), told_as_ours("restore"):
        raise error
