"""Connections, and the driver's failures as ours."""

from __future__ import annotations

import asyncio
import time
from typing import LiteralString

import psycopg
import pytest
import sqlalchemy as sa

from bot.errors import SettingError, StoreDown
from bot.memory.database import Database, driver_url, plain_url
from bot.memory.direct import Direct
from tests.memory.conftest import Record, message


@pytest.mark.parametrize(
    "url", ["postgresql://u:p@h:1/d", "postgres://u:p@h:1/d", "postgresql+psycopg://u:p@h:1/d"]
)
def test_each_spelling_of_an_address_is_understood(url: str) -> None:
    assert driver_url(url) == "postgresql+psycopg://u:p@h:1/d"
    assert plain_url(url) == "postgresql://u:p@h:1/d"


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://u@h/d", "sqlite:///x"])
def test_another_address_is_refused_by_the_setting_s_name(url: str) -> None:
    with pytest.raises(SettingError, match="BOT_DATABASE_URL"):
        driver_url(url)


def test_no_password_is_told_in_a_refusal() -> None:
    with pytest.raises(SettingError) as refused:
        driver_url("mysql://u:geheim@h/d")
    assert "geheim" not in str(refused.value)


async def test_what_fails_within_a_transaction_undoes_it(record: Record) -> None:
    async def fail() -> None:
        async with record.database.transaction() as connection:
            await connection.execute(sa.text("INSERT INTO calibrations (model, factor) VALUES ('m', 1)"))
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert await record.value("SELECT count(*) FROM calibrations") == 0


async def test_the_connections_are_counted_of_both_kinds(record: Record) -> None:
    async with record.database.transaction(), record.database.statements() as run:
        await run("SELECT 1")
        counted = record.database.connections()
    assert (counted["in_use"], counted["most"]) == (2, 8 + 8 + 4)
    counted = record.database.connections()
    assert (counted["in_use"], counted["idle"] >= 2) == (0, True)


async def test_a_snapshot_reads_one_state(record: Record, another: Record) -> None:
    count: LiteralString = "SELECT count(*) FROM messages"
    async with record.database.snapshot() as run:
        assert await run(count) == [{"count": 0}]
        await another.inbox.accept(message())
        assert await run(count) == [{"count": 0}]
    async with record.database.statements() as run:
        assert await run(count) == [{"count": 1}]
        await another.inbox.accept(message())
        assert await run(count) == [{"count": 2}]


async def test_several_statements_are_undone_together(record: Record) -> None:
    async def fail() -> None:
        async with record.database.statements() as run:
            await run("INSERT INTO calibrations (model, factor) VALUES ('m', 1)")
            await run("SELECT 1 / 0")

    with pytest.raises(psycopg.DataError):
        await fail()
    assert await record.database.run("SELECT count(*) FROM calibrations") == [{"count": 0}]


async def test_several_statements_that_fall_silent_are_ended(record: Record) -> None:
    async def fall_silent() -> None:
        async with record.database.statements() as run:
            assert await run("SHOW idle_in_transaction_session_timeout") == [
                {"idle_in_transaction_session_timeout": "4s"}
            ]
            await run("SET LOCAL idle_in_transaction_session_timeout = '50ms'")
            await asyncio.sleep(0.3)
            await run("SELECT 1")

    with pytest.raises(StoreDown):
        await fall_silent()
    assert await record.database.run("SELECT 1 AS one") == [{"one": 1}]


async def test_a_database_that_is_away_is_told_in_one_line_without_a_secret() -> None:
    database = Database("postgresql://nobody:geheim@127.0.0.1:1/nothing", pool=1)
    with pytest.raises(StoreDown) as down:
        async with database.transaction():
            pass
    await database.close()
    assert "\n" not in str(down.value)
    assert "geheim" not in str(down.value)


async def test_a_connection_cut_by_the_server_is_told_and_made_anew(record: Record, another: Record) -> None:
    async def be_cut() -> None:
        async with record.database.transaction() as connection:
            own = await connection.scalar(sa.text("SELECT pg_backend_pid()"))
            await another.rows("SELECT pg_terminate_backend(:pid)", pid=own)
            await connection.execute(sa.text("SELECT 1"))

    with pytest.raises(StoreDown):
        await be_cut()
    assert await record.value("SELECT 1") == 1


async def test_a_failing_statement_tells_nothing_that_was_written(record: Record) -> None:
    secret = sa.text("INSERT INTO messages (text) VALUES (:text)")
    with pytest.raises(sa.exc.DBAPIError) as failed:
        async with record.database.transaction() as connection:
            await connection.execute(secret, {"text": "a word between us"})
    assert "[parameters:" not in str(failed.value)


async def test_a_transaction_that_falls_silent_is_ended_and_its_locks_with_it(database_url: str) -> None:
    database = Database(database_url)

    async def fall_silent() -> None:
        async with database.transaction() as connection:
            silence = await connection.scalar(sa.text("SHOW idle_in_transaction_session_timeout"))
            assert silence == "4s"
            await connection.execute(sa.text("SET idle_in_transaction_session_timeout = '50ms'"))
            await connection.run_sync(lambda _: time.sleep(0.3))
            await connection.execute(sa.text("SELECT 1"))

    with pytest.raises(StoreDown):
        await fall_silent()
    async with database.transaction() as connection:
        assert await connection.scalar(sa.text("SELECT 1")) == 1
    await database.close()


async def test_a_single_statement_is_committed_when_it_returns(record: Record, another: Record) -> None:
    made = await record.database.run(
        "INSERT INTO calibrations (model, factor) VALUES (%(model)s, 2) RETURNING factor", model="m"
    )
    assert made == [{"factor": 2}]
    assert await another.value("SELECT count(*) FROM calibrations") == 1
    assert await record.database.run("DELETE FROM calibrations") == []


async def test_single_statements_go_on_after_the_server_cut_their_connections(record: Record) -> None:
    both = [record.database.run("SELECT pg_backend_pid() AS pid, pg_sleep(0.05)") for _ in range(2)]
    for row in [rows[0] for rows in await asyncio.gather(*both)]:
        await record.rows("SELECT pg_terminate_backend(:pid)", pid=row["pid"])
    with pytest.raises(StoreDown):
        await record.database.run("SELECT 1")
    # The other connection was cut as well, and nobody has to find that out.
    assert await record.database.run("SELECT 1 AS one") == [{"one": 1}]


async def test_a_single_statement_that_is_no_longer_wanted_leaves_nothing_behind(record: Record) -> None:
    slow = asyncio.create_task(record.database.run("SELECT pg_sleep(5)"))
    running = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(5)' AND state = 'active'"
    async with asyncio.timeout(5):
        while not await record.value(running):  # noqa: ASYNC110 — another connection is looked at
            await asyncio.sleep(0.01)
    slow.cancel()
    await asyncio.wait({slow})
    assert slow.cancelled()
    assert await record.database.run("SELECT 1 AS one") == [{"one": 1}]


async def test_a_refused_statement_spoils_no_connection(record: Record) -> None:
    with pytest.raises(psycopg.DataError):
        await record.database.run("SELECT 1 / 0")
    assert await record.database.run("SELECT 1 AS one") == [{"one": 1}]


async def test_a_database_that_is_away_is_told_of_a_single_statement_too() -> None:
    database = Database("postgresql://nobody:geheim@127.0.0.1:1/nothing", pool=1)
    with pytest.raises(StoreDown) as down:
        await database.run("SELECT 1")
    await database.close()
    assert "\n" not in str(down.value)
    assert "geheim" not in str(down.value)


async def test_a_connection_in_use_when_all_are_closed_is_closed_after_it(database_url: str) -> None:
    direct = Direct(plain_url(database_url), 2)
    async with direct.transaction() as run:
        await direct.close()
        await run("SELECT 1")
    assert direct.usage() == (0, 0, 2)
    await direct.run("SELECT 1", {})
    assert direct.usage() == (0, 1, 2)
    await direct.close()
