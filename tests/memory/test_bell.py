"""The bell: news of other processes' commits."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psutil
import psycopg
import pytest
import sqlalchemy as sa
from psycopg.conninfo import conninfo_to_dict

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


@asynccontextmanager
async def over_tcp(url: str) -> AsyncIterator[sa.URL]:
    """Lead connections on loopback to a Postgres that only has a Unix socket."""
    known = conninfo_to_dict(url)
    path = f"{known['host']}/.s.PGSQL.{known['port']}"

    ended = asyncio.Semaphore(0)

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
        writer.close()
        await writer.wait_closed()

    async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, here = await asyncio.open_unix_connection(path)
        await asyncio.gather(pump(reader, here), pump(there, writer))
        ended.release()

    server = await asyncio.start_server(lead, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield sa.make_url(url).set(host="127.0.0.1", port=port, query={})
    server.close()
    await asyncio.wait_for(ended.acquire(), 5)


def keepalives_to(port: int | None) -> list[int]:
    """Tell after how many silent seconds each of our connections to a port asks whether the other lives."""
    found = []
    for one in psutil.Process().net_connections("tcp"):
        if one.raddr and one.raddr[1] == port:
            with socket.socket(fileno=os.dup(one.fd)) as connection:
                alive = connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
                idle = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
                found.append(idle if alive else 0)
    return found


@pytest.mark.skipif(not hasattr(socket, "TCP_KEEPIDLE"), reason="this system names its keepalives otherwise")
@pytest.mark.parametrize(("given", "seconds"), [({}, 10), ({"keepalives_idle": "77"}, 77)])
async def test_a_silently_dead_connection_would_be_noticed_unless_told_otherwise(
    record: Record, given: dict[str, str], seconds: int
) -> None:
    async with over_tcp(record.url) as url:
        bell = Bell(url.set(query=given).render_as_string(hide_password=False))
        async with running(bell.run()):
            await asyncio.wait_for(bell.listening.wait(), 5)
            assert keepalives_to(url.port) == [seconds]
