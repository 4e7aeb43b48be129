"""Which tables a backup holds, found in the database itself, and failures told as ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import DictRow, dict_row

from bot.errors import BackupRefused, StoreDown
from bot.memory.database import plain_url
from bot.memory.outages import is_outage, reason

Connection = psycopg.Connection[DictRow]

# Wake-ups are made anew from the open turns; who is at work and who holds what is true for a moment only.
_NOT_KEPT = ("alembic_version", "processes", "seats")


@dataclass(frozen=True, slots=True)
class Kept:
    """A table, the columns that are written, and which of these numbers the rows by itself ("": none)."""

    name: str
    columns: tuple[str, ...]
    counter: str

    @property
    def listed(self) -> sql.Composable:
        """The columns as a statement names them."""
        return sql.SQL(", ").join(map(sql.Identifier, self.columns))


def kept_tables(connection: Connection) -> list[Kept]:
    """List the tables that hold what is kept, each after those it refers to."""
    rows = connection.execute(_TABLES, {"not_kept": list(_NOT_KEPT)}).fetchall()
    found = {row["name"]: Kept(row["name"], tuple(row["columns"]), row["counter"] or "") for row in rows}
    graph = {row["name"]: set(row["refers_to"]) & set(found) - {row["name"]} for row in rows}
    return [found[name] for name in TopologicalSorter(graph).static_order()]


def revision_of(connection: Connection) -> str | None:
    """Name the tables' revision, None where there are none."""
    row = connection.execute("SELECT to_regclass('alembic_version') IS NOT NULL AS there").fetchone()
    if not (row and row["there"]):
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row["version_num"]) if row else None


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """Open a connection whose statements are transactions of their own."""
    with psycopg.Connection.connect(
        plain_url(url), autocommit=True, row_factory=dict_row, connect_timeout=10
    ) as connection:
        yield connection


@contextmanager
def told_as_ours(what: str) -> Iterator[None]:
    """Raise `StoreDown` where the database is away, `BackupRefused` where it refuses."""
    try:
        yield
    except psycopg.Error as error:
        if is_outage(error):
            raise StoreDown(f"{what}: the database does not answer: {reason(error)}") from error
        raise BackupRefused(f"{what}: {reason(error)}") from error


_TABLES: LiteralString = """
SELECT c.relname AS name, (
    SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute
    WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
) AS columns, (
    SELECT attname::text FROM pg_attribute
    WHERE attrelid = c.oid AND attidentity <> '' ORDER BY attnum LIMIT 1
) AS counter, ARRAY(
    SELECT other.relname::text FROM pg_constraint JOIN pg_class other ON other.oid = confrelid
    WHERE conrelid = c.oid AND contype = 'f'
) AS refers_to
FROM pg_class c
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    AND c.relname <> ALL(%(not_kept)s) AND NOT starts_with(c.relname, 'procrastinate_')
ORDER BY c.relname
"""
