"""What the pulse tells: what is open, how long it waits, and whether the database is there at all."""

from __future__ import annotations

import socket

import psycopg

from bot.dialogue import Author, Platform, Request, Wish
from bot.memory.database import Database
from bot.memory.pulse import OPEN_TURNS, Backlog, Pulse, Vitals
from tests.memory.conftest import ADA, BEN, DIRECT, OPEN, THREAD, Record, message
from tests.memory.test_models import tables_read_whole

AWAY = "postgresql://bot:hush@127.0.0.1:1/frontdesk"


async def felt(record: Record) -> Vitals:
    return await Pulse(record.database, kept=0.0).feel()


async def aged(record: Record, turn: int, seconds: int) -> None:
    older = "UPDATE turns SET created_at = now() - make_interval(secs => :seconds) WHERE id = :turn"
    await record.rows(older, seconds=float(seconds), turn=turn)


async def test_nothing_waits_where_nothing_is_open(record: Record) -> None:
    await record.exchange("hello", "yes")
    vitals = await felt(record)
    assert (vitals.up, vitals.current, vitals.oldest_seconds) == (True, True, 0.0)
    assert vitals.backlog == dict.fromkeys(Platform, Backlog())


async def test_it_counts_by_platform_what_has_a_worker_and_what_has_none(record: Record) -> None:
    await record.claimed("hello", channel=DIRECT)
    await record.asked("hello", channel=OPEN)
    await record.asked("and you", channel=THREAD)
    backlog = (await felt(record)).backlog
    assert (backlog[Platform.SLACK].waiting, backlog[Platform.SLACK].answering) == (1, 1)
    assert (backlog[Platform.DISCORD].waiting, backlog[Platform.DISCORD].answering) == (1, 0)


async def test_what_waits_in_order_behind_an_answer_in_work_says_nothing_about_the_workers(
    record: Record,
) -> None:
    await record.claimed(message("long", THREAD), channel=THREAD)
    await record.asked(message("next", THREAD, BEN), channel=THREAD)
    await record.rows("UPDATE turns SET created_at = now() - interval '1 hour'")
    vitals = await felt(record)
    assert (vitals.backlog[Platform.SLACK].waiting, vitals.oldest_seconds) == (1, 0.0)
    # Its holder falls silent: both wait now.
    await record.rows("UPDATE conversations SET lease_until = now() - interval '1 second'")
    vitals = await felt(record)
    assert vitals.backlog[Platform.SLACK] == Backlog(2, 0, vitals.oldest_seconds)
    assert 3_600 <= vitals.oldest_seconds < 3_700


async def test_an_answer_asked_for_again_waits_since_then(record: Record) -> None:
    turn = await record.exchange(message("hello", DIRECT), "yes")
    await aged(record, turn.id, 86_400)
    await record.wishes.again(Request(Wish.AGAIN, Author(ADA.id, ADA.name), DIRECT, turn=turn.id))
    vitals = await felt(record)
    assert vitals.backlog[Platform.SLACK].waiting == 1
    assert vitals.oldest_seconds < 60
    taken = await record.turns.claim(turn.conversation.id)
    assert taken is not None
    assert taken.waited is not None
    assert (taken.waited < 60, taken.taken_over) == (True, False)


async def test_a_turn_that_was_taken_over_says_so(record: Record, another: Record) -> None:
    turn = await record.claimed("hello")
    assert not turn.taken_over
    await record.rows("UPDATE conversations SET lease_until = now() - interval '1 minute'")
    taken = await another.turns.claim(turn.conversation.id)
    assert taken is not None
    assert (taken.id, taken.taken_over) == (turn.id, True)
    await another.turns.release(taken)
    await record.rows("UPDATE conversations SET lease_until = NULL")
    given_back = await record.turns.claim(turn.conversation.id)
    assert given_back is not None
    assert not given_back.taken_over


async def test_the_look_costs_what_is_open_and_not_what_was_ever_answered(record: Record) -> None:
    fill = """
        INSERT INTO conversations (key, platform, workspace, place, kind)
        SELECT 'filled:' || n, 'slack', 'T1', 'C' || n, 'thread' FROM generate_series(1, 3000) AS n;
        INSERT INTO turns (conversation_id, state, asker_id) SELECT id, 'done', 'U1' FROM conversations;
        ANALYZE turns; ANALYZE conversations
    """
    await record.asked("hello")
    with psycopg.connect(record.url, autocommit=True) as connection:
        connection.execute(fill)  # type: ignore[call-overload,unused-ignore]
    explained = await record.database.run("EXPLAIN (FORMAT JSON) " + OPEN_TURNS)
    plan = explained[0]["QUERY PLAN"][0]["Plan"]
    assert tables_read_whole(plan) == []
    assert "turns_open_index" in str(plan)


async def test_many_who_ask_at_once_cost_one_look(record: Record) -> None:
    pulse = Pulse(record.database, kept=60.0)
    first = await pulse.feel()
    await record.asked("hello")
    assert await pulse.feel() is first


async def test_a_database_that_is_away_is_told_and_not_raised() -> None:
    database = Database(AWAY)
    assert await Pulse(database).feel() == Vitals(up=False, current=False)
    await database.close()


async def test_a_database_that_says_nothing_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        database = Database(f"postgresql://bot@127.0.0.1:{silent.getsockname()[1]}/frontdesk")
        assert not (await Pulse(database, patience=0.1).feel()).up
        await database.close()


async def test_old_tables_are_told_and_newer_ones_are_well(record: Record) -> None:
    revision = await record.value("SELECT version_num FROM alembic_version")
    try:
        await record.rows("UPDATE alembic_version SET version_num = '0001'")
        assert await felt(record) == Vitals(up=True, current=False)
        await record.rows("UPDATE alembic_version SET version_num = '9999'")
        assert (await felt(record)).current
    finally:
        await record.rows("UPDATE alembic_version SET version_num = :revision", revision=revision)
