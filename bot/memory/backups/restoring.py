"""Puts a backup into a database: tables as they were then, its rows, and from there to today's tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from bot.errors import BackupRefused
from bot.memory import migrations
from bot.memory.backups.archive import Contents, Label, reading, verified
from bot.memory.backups.tables import Connection, connected, kept_tables, revision_of, told_as_ours

_ASIDE = "frontdesk_before_restore"
_LIVING = 10  # seconds since a process' last word

Tell = Callable[[str], None]


def restore(url: str, path: Path, *, replace: bool = False, tell: Tell = lambda _: None) -> Label:
    """
    Put a backup in the place of an empty database, or with `replace` of whatever is there; give its label.

    What is there is put aside and thrown away last: where anything fails, it is put back. Raises
    `BackupRefused` where the file is damaged or newer than this program, where the database is not empty,
    or the bot at work on it; and `StoreDown`.
    """
    label = verified(path)
    if label.revision not in migrations.revisions():
        raise BackupRefused(
            f"{path} holds tables of revision {label.revision} (Frontdesk {label.version}), and this program "
            f"knows none after {migrations.newest()}: restore it with that version or a newer one"
        )
    with told_as_ours("restore"), connected(url) as connection:
        _put_back(connection)  # a restore that was killed left it
        _refuse_living(connection)
        if not replace:
            _refuse_rows(connection)
        with _put_aside(connection):
            migrations.upgrade(url, label.revision)
            _load(connection, path)
            migrations.upgrade(url, tell=tell)
            _hear_from_now_on(connection)
        connection.execute("ANALYZE")
    return label


def _refuse_living(connection: Connection) -> None:
    known = connection.execute("SELECT to_regclass('processes') IS NOT NULL AS known").fetchone()
    if not (known and known["known"]):
        return
    living = "SELECT host, pid FROM processes WHERE beat_at > now() - make_interval(secs => %s)"
    if row := connection.execute(living, [_LIVING]).fetchone():
        raise BackupRefused(
            f"restore: the bot is at work on this database (process {row['pid']} on {row['host']}): "
            "stop it everywhere, and try again in ten seconds"
        )


def _refuse_rows(connection: Connection) -> None:
    for table in kept_tables(connection) if revision_of(connection) else ():
        held = sql.SQL("SELECT EXISTS (SELECT FROM {}) AS any").format(sql.Identifier(table.name))
        row = connection.execute(held).fetchone()
        if row and row["any"]:
            raise BackupRefused(
                f"restore: the database is not empty ({table.name} has rows). Restore into an empty one, or "
                "say --replace to throw away what is there"
            )


@contextmanager
def _put_aside(connection: Connection) -> Iterator[None]:
    """Keep what is there under another name until the block has ended well."""
    place = _place(connection)
    with connection.transaction():
        connection.execute(sql.SQL("ALTER SCHEMA {} RENAME TO {}").format(place, sql.Identifier(_ASIDE)))
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(place))
        _bring_extensions(connection, _ASIDE, place)
    try:
        yield
    except BaseException:
        if not connection.closed:
            _put_back(connection)
        raise
    connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(_ASIDE)))


def _put_back(connection: Connection) -> None:
    there = connection.execute("SELECT to_regnamespace(%s) IS NOT NULL AS there", [_ASIDE]).fetchone()
    if not (there and there["there"]):
        return
    place = _place(connection)
    with connection.transaction():
        _bring_extensions(connection, str(_name(connection)), sql.Identifier(_ASIDE))
        connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(place))
        connection.execute(sql.SQL("ALTER SCHEMA {} RENAME TO {}").format(sql.Identifier(_ASIDE), place))


def _bring_extensions(connection: Connection, out_of: str, into: sql.Composable) -> None:
    """They are there once for both: with the schema they stand in they would be thrown away."""
    found = "SELECT extname FROM pg_extension WHERE extnamespace = to_regnamespace(%s)"
    for row in connection.execute(found, [out_of]).fetchall():
        name = sql.Identifier(row["extname"])
        connection.execute(sql.SQL("ALTER EXTENSION {} SET SCHEMA {}").format(name, into))


def _load(connection: Connection, path: Path) -> None:
    """Load all rows in one transaction."""
    with connection.transaction(), reading(path) as tables:
        kept = {table.name: table for table in kept_tables(connection)}
        for contents in tables:
            _copy(connection, contents)
            counter = kept[contents.table].counter if contents.table in kept else ""
            if counter:
                _count_on(connection, contents.table, counter)


def _hear_from_now_on(connection: Connection) -> None:
    """
    Note that nothing older than this moment is to be fetched from the platforms.

    What was written since the backup was heard and answered, which only the record that is gone knew.
    """
    with connection.transaction():
        connection.execute("DELETE FROM marks WHERE place <> ''")
        connection.execute("UPDATE marks SET seen_until = now()")
        connection.execute(
            "INSERT INTO marks (platform, workspace, place, seen_until) VALUES ('discord', '', '', now()) "
            "ON CONFLICT (platform, workspace, place) DO NOTHING"
        )


def _copy(connection: Connection, contents: Contents) -> None:
    columns = sql.SQL(", ").join(map(sql.Identifier, contents.columns))
    into = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(contents.table), columns)
    with connection.cursor().copy(into) as copy:
        for row in contents.rows:
            copy.write(row)


def _count_on(connection: Connection, table: str, counter: str) -> None:
    """Number later rows after those that were loaded."""
    newest = sql.SQL("SELECT setval(pg_get_serial_sequence({}, {}), greatest(max({}), 1)) FROM {}").format(
        sql.Literal(table), sql.Literal(counter), sql.Identifier(counter), sql.Identifier(table)
    )
    connection.execute(newest)


def _name(connection: Connection) -> str:
    row = connection.execute("SELECT current_schema()::text AS name").fetchone()
    if row is None or row["name"] is None:
        raise psycopg.ProgrammingError("there is no schema to restore into (search_path)")
    return str(row["name"])


def _place(connection: Connection) -> sql.Identifier:
    return sql.Identifier(_name(connection))
