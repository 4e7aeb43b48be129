"""The connections to Postgres; the driver's failures become ours here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import LiteralString

import psycopg
import sqlalchemy as sa
from psycopg.rows import DictRow
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.errors import SettingError, StoreDown
from bot.memory.direct import LONGEST_SILENCE, Direct, Run
from bot.memory.outages import is_outage, reason


def driver_url(url: str) -> str:
    """
    Say a database address as SQLAlchemy's psycopg driver wants it.

    Raises `SettingError` where it is no Postgres address.
    """
    try:
        parsed = sa.make_url(url)
    except ArgumentError:
        raise SettingError(
            "BOT_DATABASE_URL: this is not an address like postgresql://user@host/name"
        ) from None
    if parsed.get_backend_name() not in {"postgresql", "postgres"}:
        raise SettingError(f"BOT_DATABASE_URL: only Postgres is supported, not {parsed.get_backend_name()}")
    return parsed.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def plain_url(url: str) -> str:
    """Say a database address as libpq, and so psycopg and procrastinate, want it."""
    return sa.make_url(driver_url(url)).set(drivername="postgresql").render_as_string(hide_password=False)


class Database:
    """A pool of connections to one Postgres database."""

    def __init__(self, url: str, pool: int = 16) -> None:
        """`pool` is how many connections are kept; half as many more may be opened for a moment."""
        # Without the parameters an error's text, which is logged, holds no message.
        self._engine = create_async_engine(
            driver_url(url), pool_size=pool, max_overflow=pool // 2, hide_parameters=True
        )
        sa.event.listen(self._engine.sync_engine, "connect", _let_go_of_locks)
        sa.event.listen(self._engine.sync_engine, "handle_error", _leave_a_standby)
        self._direct = Direct(plain_url(url), pool)
        self._most = pool + pool // 2

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """
        Open a transaction that is committed when the block ends well.

        Raises `StoreDown` where the connection fails, and then nothing, or nothing known, was committed.
        """
        async with self._begin(self._engine) as connection:
            yield connection

    async def run(self, statement: LiteralString, **given: object) -> list[DictRow]:
        """
        Run one statement that is a transaction of its own, and give its rows; parameters as `%(name)s`.

        For what every answer asks. Raises `StoreDown` where the connection fails, as `transaction` does.
        """
        with _told_as_ours():
            return await self._direct.run(statement, given)

    @asynccontextmanager
    async def statements(self) -> AsyncIterator[Run]:
        """Open a transaction for statements as `run` takes them, committed when the block ends well."""
        with _told_as_ours():
            async with self._direct.transaction() as run:
                yield run

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Run]:
        """Open a transaction whose statements all read the same state; for reading only."""
        with _told_as_ours():
            async with self._direct.transaction(steady=True) as run:
                yield run

    def connections(self) -> Mapping[str, int]:
        """Count the connections: `in_use`, `idle`, and how many there may be at `most`."""
        in_use, idle, most = self._direct.usage()
        pool = self._engine.pool
        if isinstance(pool, sa.QueuePool):
            in_use, idle, most = in_use + pool.checkedout(), idle + pool.checkedin(), most + self._most
        return {"in_use": in_use, "idle": idle, "most": most}

    async def close(self) -> None:
        """Close all connections."""
        await self._direct.close()
        await self._engine.dispose()

    @asynccontextmanager
    async def _begin(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        try:
            async with engine.begin() as connection:
                yield connection
        except sa.exc.TimeoutError as error:
            raise StoreDown(f"the database does not answer: {reason(error)}") from error
        except DBAPIError as error:
            if is_outage(error.orig) or error.connection_invalidated:
                raise StoreDown(f"the database does not answer: {reason(error)}") from error
            raise


def told_by(connection: AsyncConnection) -> Run:
    """Run statements as `Database.run` takes them within a transaction of the other kind."""

    async def run(statement: LiteralString, **given: object) -> list[DictRow]:
        result = await connection.exec_driver_sql(statement, given)
        return [dict(row) for row in result.mappings()] if result.returns_rows else []

    return run


@contextmanager
def _told_as_ours() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        if not is_outage(error):
            raise
        raise StoreDown(f"the database does not answer: {reason(error)}") from error


def _let_go_of_locks(connection: DBAPIConnection, record: object) -> None:
    """Have Postgres end a transaction whose process is frozen or cut off, for its locks hold up others."""
    cursor = connection.cursor()
    cursor.execute(f"SET idle_in_transaction_session_timeout = '{LONGEST_SILENCE}'")
    cursor.close()
    connection.commit()


def _leave_a_standby(context: sa.engine.ExceptionContext) -> None:
    """After a failover the address leads to another server: connections to the one that was are of no use."""
    if isinstance(context.original_exception, psycopg.errors.ReadOnlySqlTransaction):
        context.is_disconnect = True
