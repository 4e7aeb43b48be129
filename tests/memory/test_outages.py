"""Each way in which Postgres cannot serve: told in a line as ours, nothing kept, and over when it is over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import errors

from bot.errors import StoreDown
from bot.memory.database import Database
from bot.memory.outages import is_outage, reason
from tests.memory.conftest import BEN, THREAD, Record, done, message

# As the server itself says it, with its SQLSTATE, in the middle of a statement of ours.
OUTAGES = {
    "53100": ('could not extend file "base/1/2": No space left on device', "its disk is full: make room"),
    "53200": ("out of memory", "it is out of memory"),
    "53300": ("sorry, too many clients already", "it has no connection left"),
    "25006": ("cannot execute INSERT in a read-only transaction", "it is read-only"),
    "57P01": ("terminating connection due to administrator command", "it is shutting down"),
    "57P03": ("the database system is starting up", "it is starting up"),
    "58030": ("could not read block 0", "its disk cannot be read"),
}
NewDatabase = Callable[[], AbstractContextManager[str]]


@asynccontextmanager
async def in_trouble(record: Record, table: str, state: str, said: str = "trouble") -> AsyncIterator[None]:
    """Have each write to a table fail as it would."""
    await record.rows(
        "CREATE FUNCTION in_trouble() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN "
        f"RAISE EXCEPTION '{said}' USING ERRCODE = '{state}'; END $f$;"
        f"CREATE TRIGGER in_trouble BEFORE INSERT OR UPDATE ON {table} EXECUTE FUNCTION in_trouble()"
    )
    try:
        yield
    finally:
        await record.rows(f"DROP TRIGGER in_trouble ON {table}; DROP FUNCTION in_trouble()")


@pytest.mark.parametrize("state", OUTAGES)
async def test_nothing_is_accepted_in_an_outage_and_all_is_after_it(
    record: Record, another: Record, state: str
) -> None:
    said, told = OUTAGES[state]
    asked = message("a word between us", THREAD)
    async with in_trouble(another, "messages", state, said):
        with pytest.raises(StoreDown, match=told) as down:
            await record.inbox.accept(asked)
    assert "a word between us" not in str(down.value)
    assert "\n" not in str(down.value)
    assert await record.value("SELECT count(*) FROM messages") == 0
    await record.exchange(asked, "well", THREAD)


async def test_an_answer_that_cannot_be_written_stays_open_and_is_written_once(
    record: Record, another: Record
) -> None:
    turn = await record.claimed("hello")
    async with in_trouble(another, "turns", "53100"):
        for _ in range(2):
            with pytest.raises(StoreDown, match="disk is full"):
                await record.turns.finish(turn, done("well"))
        with pytest.raises(StoreDown, match="disk is full"):  # by SQLAlchemy
            await record.turns.release(turn)
    await record.turns.finish(turn, done("well"))
    assert [row["text"] for row in await record.rows("SELECT text FROM messages ORDER BY id")] == [
        "hello",
        "well",
    ]


async def test_without_a_free_connection_it_waits_and_goes_on(new_database: NewDatabase) -> None:
    with new_database() as url, psycopg.connect(url, autocommit=True) as admin:
        admin.execute(
            "CREATE ROLE few LOGIN CONNECTION LIMIT 1; GRANT ALL ON ALL TABLES IN SCHEMA public TO few"
        )
        few = sa.make_url(url).set(username="few").render_as_string(hide_password=False)
        database = Database(few)
        try:
            with psycopg.connect(few):
                with pytest.raises(StoreDown, match="too many connections"):
                    await database.run("SELECT 1")
                with pytest.raises(StoreDown, match="too many connections"):
                    async with database.transaction():
                        pass
            left = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'few'"
            async with asyncio.timeout(10):
                while admin.execute(left).fetchone() != (0,):  # noqa: ASYNC110 — another process ends
                    await asyncio.sleep(0.01)
            assert await database.run("SELECT 1 AS one") == [{"one": 1}]
        finally:
            await database.close()
            admin.execute("DROP OWNED BY few; DROP ROLE few")


async def test_after_a_failover_no_connection_to_the_standby_is_used_again(record: Record) -> None:
    pid = "SELECT pg_backend_pid() AS pid"
    (first,) = await record.database.run(pid)
    before = await record.value(pid)

    async def write_by_the_driver() -> None:
        async with record.database.statements() as run:
            await run("SET TRANSACTION READ ONLY")
            await run("DELETE FROM people")

    async def write_by_sqlalchemy() -> None:
        async with record.database.transaction() as connection:
            await connection.execute(sa.text("SET TRANSACTION READ ONLY"))
            await connection.execute(sa.text("DELETE FROM people"))

    for write in (write_by_the_driver, write_by_sqlalchemy):
        with pytest.raises(StoreDown, match="read-only"):
            await write()
    assert (await record.database.run(pid))[0] != first
    assert await record.value(pid) != before


async def test_a_statement_that_is_wrong_by_itself_is_no_outage(record: Record) -> None:
    for wrong in (errors.UniqueViolation("x"), errors.UndefinedTable("x"), ValueError("x")):
        assert not is_outage(wrong)
    assert is_outage(errors.DiskFull("x"))
    assert reason(errors.UniqueViolation("one\ntwo")) == "one"
    await record.asked("hello", message("again", THREAD, BEN))
    with pytest.raises(errors.UniqueViolation):
        await record.database.run("INSERT INTO people SELECT 'slack', 'U9' FROM generate_series(1, 2)")
