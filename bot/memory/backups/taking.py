"""Writes all that is kept into one file, while the bot goes on."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from psycopg import sql

from bot.errors import BackupRefused
from bot.memory.backups.archive import Label, writing
from bot.memory.backups.tables import connected, kept_tables, revision_of, told_as_ours


def back_up(url: str, path: Path, version: str) -> int:
    """
    Write a backup of one moment, and say how many rows it holds; nobody waits for it.

    `version` is the program's. Raises `StoreDown` and `BackupRefused`; then there is no file.
    """
    with told_as_ours("backup"), connected(url) as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        revision = revision_of(connection)
        if revision is None:
            raise BackupRefused("backup: there are no tables yet, so there is nothing to keep")
        postgres = connection.info.parameter_status("server_version") or ""
        label = Label(revision, version, postgres, datetime.now(UTC).isoformat(timespec="seconds"))
        with writing(path, label) as file:
            for table in kept_tables(connection):
                chosen = sql.SQL("SELECT {} FROM {}").format(table.listed, sql.Identifier(table.name))
                asked = sql.SQL("COPY ({}) TO STDOUT").format(chosen)
                with file.table(table.name, table.columns), connection.cursor().copy(asked) as rows:
                    for row in rows:
                        file.row(bytes(row))
        connection.execute("ROLLBACK")
        return file.rows
