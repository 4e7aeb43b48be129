"""Processes say that they live, and count each other."""

from __future__ import annotations

import asyncio

import pytest

from bot.memory.database import Database
from bot.memory.processes import Processes
from tests.memory.conftest import Record


@pytest.fixture
def database(record: Record) -> Database:
    return record.database


async def test_a_process_counts_those_that_live_once_each(database: Database) -> None:
    first = Processes(database, ["gateway", "worker"], "1")
    second = Processes(database, ["worker"], "1")
    await first.beat()
    await second.beat()
    await first.beat()
    assert (first.count("gateway"), first.count("worker"), first.count("gateway", "worker")) == (1, 2, 2)
    assert first.alive() == {"gateway": 1, "worker": 2}
    assert first.count("web") == 1  # nobody has it: what is shared is divided by one


async def test_who_is_silent_is_dead_for_the_others_and_swept_in_the_end(
    database: Database, record: Record
) -> None:
    first, second = Processes(database, ["worker"], "1"), Processes(database, ["worker"], "1")
    await second.beat()
    await record.rows("UPDATE processes SET beat_at = now() - interval '7 seconds'")
    await first.beat()
    assert first.count("worker") == 1
    assert [seen.id for seen in await first.all()] == [second.id, first.id]
    silent = "UPDATE processes SET beat_at = now() - interval '2 minutes' WHERE id = :id"
    await record.rows(silent, id=second.id)
    await first.beat()
    assert [seen.id for seen in await first.all()] == [first.id]


async def test_who_is_about_to_end_is_no_longer_counted_for_what_it_gave_up(database: Database) -> None:
    leaving, staying = Processes(database, ["gateway", "worker"], "1"), Processes(database, ["gateway"], "1")
    await leaving.beat()
    await staying.beat()
    assert staying.count("gateway") == 2
    await leaving.give_up("gateway")
    await leaving.beat()
    await staying.beat()
    assert (staying.count("gateway"), staying.count("worker")) == (1, 1)
    assert {seen.id: seen.roles for seen in await staying.all()}[leaving.id] == ("worker",)


async def test_a_process_that_ends_says_goodbye(database: Database) -> None:
    leaving, staying = Processes(database, ["web"], "1", beat=0.01), Processes(database, ["web"], "1")
    running = asyncio.create_task(leaving.run())
    async with asyncio.timeout(5):
        while leaving.id not in {seen.id for seen in await staying.all()}:  # noqa: ASYNC110 - a row tells
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait([running])
    assert await staying.all() == []
