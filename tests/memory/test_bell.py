"""The bell: news of other processes' commits."""

from __future__ import annotations

import asyncio

import psycopg

from bot.memory.bell import MISSED, Bell
from tests.memory.conftest import Record, running, until


async def tell(record: Record, news: str) -> None:
    await record.rows("SELECT pg_notify('frontdesk', :news)", news=news)


async def test_each_hears_the_news_it_asked_for(record: Record) -> None:
    turns: list[str] = []
    pages: list[str] = []
    bell = record.bell
    with bell.subscribe("turn:", turns.append), bell.subscribe("conversation:", pages.append):
        async with running(bell.run()):
            await until(lambda: turns == pages == [MISSED])
            for news in ("turn:1", "conversation:2", "turn:3"):
                await tell(record, news)
            await until(lambda: len(turns) + len(pages) == 5)
    assert turns == [MISSED, "turn:1", "turn:3"]
    assert pages == [MISSED, "conversation:2"]


async def test_who_left_hears_nothing_more(record: Record) -> None:
    early: list[str] = []
    late: list[str] = []
    async with running(record.bell.run()):
        with record.bell.subscribe("turn:", early.append):
            await until(lambda: early == [MISSED])
        with record.bell.subscribe("turn:", late.append):
            await tell(record, "turn:1")
            await until(lambda: late == ["turn:1"])
    assert early == [MISSED]


async def test_news_of_a_transaction_that_failed_are_not_told(record: Record) -> None:
    heard: list[str] = []
    with record.bell.subscribe("turn:", heard.append):
        async with running(record.bell.run()):
            await until(lambda: heard == [MISSED])
            async with await psycopg.AsyncConnection.connect(record.url) as connection:
                await connection.execute("SELECT pg_notify('frontdesk', 'turn:1')")
                await connection.rollback()
            await tell(record, "turn:2")
            await until(lambda: len(heard) == 2)
    assert heard == [MISSED, "turn:2"]


async def test_a_cut_connection_is_made_again_and_told(record: Record) -> None:
    heard: list[str] = []
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'LISTEN frontdesk'"
    with record.bell.subscribe("turn:", heard.append):
        async with running(record.bell.run()):
            await until(lambda: heard == [MISSED])
            await record.rows(cut)
            await until(lambda: heard == [MISSED, MISSED])
            await tell(record, "turn:1")
            await until(lambda: heard[-1] == "turn:1")


async def test_a_database_that_is_away_is_tried_again() -> None:
    bell = Bell("postgresql://nobody@127.0.0.1:1/nothing")
    async with running(bell.run()):
        for _ in range(10):
            await asyncio.sleep(0)
        assert not bell.listening.is_set()
