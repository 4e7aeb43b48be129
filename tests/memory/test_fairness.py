"""A busy workspace does not starve another, and nothing waits for ever."""

from __future__ import annotations

import asyncio

from bot.dialogue import Channel, ChannelKind, Platform
from bot.memory.fairness import MOST_BEHIND, open_turns, raise_oldest
from tests.memory.conftest import BEN, Record, message

NEXT = "SELECT lock FROM procrastinate_jobs WHERE status = 'todo' ORDER BY priority DESC, id LIMIT 1"


def place(workspace: str, number: int) -> Channel:
    return Channel(Platform.SLACK, workspace, f"D{number}", kind=ChannelKind.DIRECT)


async def asked(record: Record, workspace: str, count: int) -> None:
    """Have a workspace ask that much, each in a conversation of its own, in order."""
    for number in range(count):
        await record.inbox.accept(message(f"{workspace} {number}", place(workspace, number)))


async def answered(record: Record, most: int) -> list[str]:
    """Take up and end turns as the queue hands them out; say whose each was."""
    order = []
    for _ in range(most):
        job = await record.rows("SELECT * FROM procrastinate_fetch_job_v2(ARRAY['slack'], NULL)")
        turn = await record.turns.claim(int(job[0]["lock"].removeprefix("answer:")))
        assert turn is not None
        order.append(turn.conversation.channel.workspace)
    return order


async def test_three_questions_behind_three_hundred_of_another_workspace_are_among_the_first(
    record: Record,
) -> None:
    await asked(record, "A", 300)
    first = await answered(record, 4)
    await asked(record, "B", 3)
    assert first == ["A"] * 4
    assert [number for number, whose in enumerate(await answered(record, 6)) if whose == "B"] == [0, 1, 2]


async def test_workspaces_take_turns(record: Record) -> None:
    await asked(record, "A", 4)
    await asked(record, "B", 4)
    assert await answered(record, 8) == ["A", "B"] * 4


async def test_only_so_many_of_the_open_turns_are_counted(record: Record) -> None:
    await asked(record, "A", MOST_BEHIND + 5)
    async with record.database.transaction() as connection:
        assert await open_turns(connection, "slack:A") == MOST_BEHIND
        assert await open_turns(connection, "slack:B") == 0
    assert await record.value("SELECT min(priority) FROM procrastinate_jobs") == -MOST_BEHIND


async def test_the_oldest_of_each_workspace_comes_first_once_it_waited_long(record: Record) -> None:
    await asked(record, "A", 3)
    await asked(record, "B", 3)
    await record.rows("UPDATE procrastinate_jobs SET priority = priority - 50")
    await raise_oldest(record.database, 0.0)
    raised = (
        "SELECT place, workspace FROM conversations "
        "JOIN procrastinate_jobs ON lock = 'answer:' || conversations.id"
    )
    found = await record.rows(raised + " WHERE priority > 0 ORDER BY workspace")
    assert [(row["workspace"], row["place"]) for row in found] == [("A", "D0"), ("B", "D0")]
    await raise_oldest(record.database, 0.0)
    assert len(await record.rows(raised + " WHERE priority > 0")) == 2  # those have not been taken up yet
    assert sorted(await answered(record, 2)) == ["A", "B"]
    await raise_oldest(record.database, 0.0)
    assert len(await record.rows(raised + " WHERE priority > 0 AND status = 'todo'")) == 2


async def test_what_waits_behind_an_answer_of_its_conversation_is_not_in_the_way(record: Record) -> None:
    await asked(record, "A", 2)
    await answered(record, 1)
    await record.inbox.accept(message("behind it", place("A", 0), author=BEN))
    await record.rows("UPDATE procrastinate_jobs SET priority = -50 WHERE status = 'todo'")
    await record.rows(
        "UPDATE procrastinate_jobs SET priority = 1 WHERE status = 'todo' AND lock LIKE :own",
        own=await record.value("SELECT lock FROM procrastinate_jobs WHERE status = 'doing'"),
    )
    await raise_oldest(record.database, 0.0)
    raised = "SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo' AND priority > 0"
    assert await record.value(raised) == 2


async def test_what_waits_not_long_yet_is_not_raised(record: Record) -> None:
    await asked(record, "A", 3)
    await raise_oldest(record.database)
    assert await record.value("SELECT max(priority) FROM procrastinate_jobs") == 0


async def test_a_thousand_old_turns_do_not_slow_the_count(record: Record) -> None:
    fill = """
        INSERT INTO turns (conversation_id, asker_id, tenant, state)
        SELECT :id, 'U', 'slack:T1', 'done' FROM generate_series(1, 5000)
    """
    number = await record.asked("hello")
    await record.rows(fill, id=number)
    await record.rows("ANALYZE turns")
    count = "SELECT FROM turns WHERE tenant = 'slack:T1' AND state IN ('waiting', 'answering') LIMIT 100"
    plan = str((await record.rows(f"EXPLAIN (FORMAT JSON) {count}"))[0]["QUERY PLAN"])
    assert "turns_tenant_index" in plan or "turns_open_index" in plan
    assert "Seq Scan" not in plan


async def test_messages_of_many_processes_at_once_have_their_places(record: Record, another: Record) -> None:
    await asyncio.gather(asked(record, "A", 5), asked(another, "B", 5))
    rows = await record.rows("SELECT tenant, count(*) AS n FROM turns GROUP BY tenant ORDER BY tenant")
    assert [(row["tenant"], row["n"]) for row in rows] == [("slack:A", 5), ("slack:B", 5)]
