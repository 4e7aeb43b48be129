"""What a day's answers use up, on a real Postgres."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal

from structlog.testing import capture_logs

from bot.memory.database import Database
from bot.memory.spending import Spending
from tests.memory.conftest import THREAD, Record


async def test_tokens_are_counted_for_each_workspace_and_day(record: Record) -> None:
    mine = await record.asked("hello", channel=THREAD)
    beside = await record.asked("hello", channel=replace(THREAD, root="2.2"))
    other = await record.asked("hello", channel=replace(THREAD, workspace="T2"))
    spending = Spending(record.database)
    for conversation, tokens in ((mine, 10), (beside, 100), (beside, 20)):
        spending.add(conversation, tokens)
    assert await spending.today(mine) == 10  # what else was spent in the workspace is not known here yet
    assert await spending.today(beside) == 130
    assert await spending.today(mine) == 130
    assert await spending.today(other) == 0
    await spending.settle()
    assert await spending.today(mine) == await spending.today(beside) == 130
    assert await spending.today(other) == 0
    await record.rows("UPDATE spending SET day = day - 1")
    assert await spending.today(mine) == 0


async def test_what_they_cost_is_counted_beside_them(record: Record) -> None:
    mine = await record.asked("hello", channel=THREAD)
    spending = Spending(record.database)
    for cost in (Decimal("0.25"), None, Decimal("0.00000003")):
        spending.add(mine, 10, cost)
        await spending.settle()
    assert await record.rows("SELECT tokens, cost FROM spending") == [
        {"tokens": 30, "cost": Decimal("0.25000003")}
    ]


async def test_many_processes_that_settle_at_once_lose_nothing_and_wait_in_no_ring(record: Record) -> None:
    asked = [await record.asked("hello", channel=replace(THREAD, workspace=f"T{n}")) for n in range(8)]
    several = [Spending(record.database) for _ in range(4)]
    for turned, spending in enumerate(several):
        for conversation in asked if turned % 2 else reversed(asked):
            spending.add(conversation, 5)
    await asyncio.gather(*(spending.settle() for spending in several))
    assert await record.value("SELECT sum(tokens) FROM spending") == 5 * 8 * 4


async def test_what_was_settled_is_written_once(record: Record) -> None:
    mine = await record.asked("hello", channel=THREAD)
    spending = Spending(record.database)
    spending.add(mine, 7)
    await spending.settle()
    await spending.settle()
    assert await record.value("SELECT tokens FROM spending") == 7


async def test_tokens_are_counted_by_who_lost_the_lease_too(record: Record) -> None:
    turn = await record.claimed("hello")
    await record.lease_runs_out(turn.conversation.id)
    await record.turns.claim(turn.conversation.id)
    await record.memory.spend(turn.conversation.id, 7)
    await record.memory.settle()
    assert await record.value("SELECT tokens FROM spending") == 7


async def test_a_count_that_cannot_be_kept_is_logged_and_kept_for_the_next_time(record: Record) -> None:
    mine = await record.asked("hello", channel=THREAD)
    database = Database("postgresql://nobody@127.0.0.1:1/nothing")
    spending = Spending(database)
    spending.add(mine, 120)
    with capture_logs() as logs:
        await spending.settle()
    assert [(line["event"], line["conversations"]) for line in logs] == [("tokens_not_counted", 1)]
    await database.close()
    spending._database = record.database
    await spending.settle()
    assert await record.value("SELECT tokens FROM spending") == 120
