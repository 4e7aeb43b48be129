"""Connections for what every answer asks of Postgres: one statement, one round trip, one commit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any, LiteralString, Protocol

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow, dict_row

LONGEST_SILENCE = "4s"  # within a transaction, which waits for nothing but Postgres
_CONNECT_SECONDS = 10
_BEGIN_STEADY = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
_PREPARED_AFTER = 2

Connection = psycopg.AsyncConnection[DictRow]
Cursor = psycopg.AsyncCursor[
    DictRow
]  # kept with its connection: a new one costs as much as a short statement


class Run(Protocol):
    """Runs a statement with its parameters, which are named in it as `%(name)s`, and gives its rows."""

    def __call__(self, statement: LiteralString, **given: object) -> Awaitable[list[DictRow]]:
        """Run it."""
        ...


class Direct:
    """
    A few connections of the driver itself, without SQLAlchemy between.

    Its statements are single ones with their own text, so nothing is built, nothing begun and nothing
    rolled back around them; measured, one costs a quarter of the CPU. Raises what the driver raises.
    """

    def __init__(self, url: str, most: int) -> None:
        """`url` is as libpq wants it; nothing is opened before it is needed."""
        self._url = url
        self._most = most
        self._in_use = 0
        self._room = asyncio.Semaphore(most)
        self._idle: list[Cursor] = []
        self._era = 0  # a connection that was opened before the last `close` is not kept

    async def run(self, statement: LiteralString, given: dict[str, Any]) -> list[DictRow]:
        """Run a statement, committed when this returns, and give its rows."""
        async with self._cursor() as cursor:
            await cursor.execute(statement, given)
            return await _rows(cursor)

    @asynccontextmanager
    async def transaction(self, *, steady: bool = False) -> AsyncIterator[Run]:
        """
        Open a transaction of several statements, committed when the block ends well.

        With `steady` all read the same state and write nothing.
        """
        async with self._cursor() as cursor:

            async def run(statement: LiteralString, **given: object) -> list[DictRow]:
                await cursor.execute(statement, given)
                return await _rows(cursor)

            await cursor.execute(_BEGIN_STEADY if steady else "BEGIN")
            try:
                yield run
            except BaseException:
                if cursor.connection.info.transaction_status is not TransactionStatus.ACTIVE:
                    await cursor.execute("ROLLBACK")
                raise
            await cursor.execute("COMMIT")

    def usage(self) -> tuple[int, int, int]:
        """Say how many connections are in use, idle, and allowed."""
        return self._in_use, len(self._idle), self._most

    async def close(self) -> None:
        """Close the connections, those in use as soon as they are not; later ones are opened anew."""
        self._era += 1
        while self._idle:
            await self._idle.pop().connection.close()

    @asynccontextmanager
    async def _cursor(self) -> AsyncIterator[Cursor]:
        async with self._room:
            self._in_use += 1
            try:
                era = self._era
                cursor = self._idle.pop() if self._idle else (await self._open()).cursor()
                try:
                    yield cursor
                except (psycopg.OperationalError, psycopg.errors.ReadOnlySqlTransaction):
                    # The server went away, or is a standby now: so are the others', which nobody should have
                    # to find out.
                    await cursor.connection.close()
                    await self.close()
                    raise
                except BaseException:
                    await self._keep_if_sound(cursor, era)
                    raise
                await self._keep_if_sound(cursor, era)
            finally:
                self._in_use -= 1

    async def _keep_if_sound(self, cursor: Cursor, era: int) -> None:
        """A statement that was refused spoils nothing; one that was cancelled may still be running."""
        if era == self._era and cursor.connection.info.transaction_status is TransactionStatus.IDLE:
            self._idle.append(cursor)
        else:
            await cursor.connection.close()

    async def _open(self) -> Connection:
        connection = await psycopg.AsyncConnection.connect(
            self._url,
            autocommit=True,
            row_factory=dict_row,
            prepare_threshold=_PREPARED_AFTER,
            connect_timeout=_CONNECT_SECONDS,
        )
        # The locks of a process that is frozen or cut off hold up others.
        await connection.execute(f"SET idle_in_transaction_session_timeout = '{LONGEST_SILENCE}'")
        return connection


async def _rows(cursor: Cursor) -> list[DictRow]:
    # Not by `description`, which describes each column to find out whether there are any.
    return await cursor.fetchall() if cursor.rownumber is not None else []
