"""What is kept for a time only goes once its time is over, and everything else stays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import sqlalchemy as sa

from bot.dialogue import File, Manifest, Outcome, Request, Span, Wish
from bot.memory.pruning import _LOCK, Pruning
from tests.memory.conftest import ADA, BEN, DIRECT, THREAD, Record, done, edited, message, watched
from tests.memory.test_models import FILLS, tables_read_whole

READ = Manifest(whole=(Span(1, 1, 5),), budget=100, tokens=5)


def pruning(record: Record, conversations: int = 0, details: int = 90) -> Pruning:
    return Pruning(record.database, conversations, details, every=0.0)


async def days_pass(record: Record, days: int) -> None:
    for table, column in {
        "turns": "finished_at",
        "message_revisions": "replaced_at",
        "attachments": "read_at",
        "conversations": "last_at",
        "spending": "day",
        "troubles": "last_at",
        "procrastinate_events": "at",
    }.items():
        moved = f"{column} - make_interval(days => :days)"
        await record.rows(f"UPDATE {table} SET {column} = {moved}", days=days)


async def answered(record: Record, text: str = "well") -> int:
    """Have a question that was edited and has a picture answered, and give the turn's number."""
    asked = message("look", THREAD, files=(File("cat.png"),))
    turn = await record.claimed(asked, channel=THREAD)
    await record.inbox.accept(edited(asked, "look at this"))
    turn = await record.turns.reload(turn)
    await record.posted(turn, text)
    await record.rows(
        "INSERT INTO attachments (message_id, ordinal, name, media_type, picture) "
        "SELECT id, 0, 'cat.png', 'image/png', '\\x00' FROM messages WHERE turn_id = :turn AND NOT said",
        turn=turn.id,
    )
    await record.turns.finish(turn, done(text, model="m", manifest=READ))
    return turn.id


async def details(record: Record) -> Mapping[str, Any]:
    rows = await record.rows(
        "SELECT (SELECT count(*) FROM turns WHERE manifest IS NOT NULL) AS manifests, "
        "(SELECT count(*) FROM pieces WHERE text <> '') AS posts, "
        "(SELECT count(*) FROM message_revisions) AS revisions, "
        "(SELECT count(*) FROM attachments WHERE picture IS NOT NULL) AS pictures"
    )
    return rows[0]


ALL = {"manifests": 1, "posts": 1, "revisions": 1, "pictures": 1}
NONE = {"manifests": 0, "posts": 0, "revisions": 0, "pictures": 0}


async def test_details_go_after_their_days_and_the_answer_stays(record: Record) -> None:
    number = await answered(record)
    await days_pass(record, 89)
    await pruning(record).sweep()
    assert await details(record) == ALL
    before = await record.transcripts.why(number)
    assert before is not None
    assert not before.pruned
    await days_pass(record, 2)
    await pruning(record, details=0).sweep()
    assert await details(record) == ALL
    await pruning(record).sweep()
    assert await details(record) == NONE
    after = await record.transcripts.why(number)
    assert after is not None
    assert (after.pruned, after.model, after.manifest) == (True, "m", Manifest())
    assert [reason.text for reason in after.reasons] == ["look at this"]
    assert [entry.text for entry in await record.transcripts.read(THREAD)] == ["look at this", "well"]


async def test_a_pruned_answer_can_be_had_again_and_a_pruned_picture_is_still_named(record: Record) -> None:
    number = await answered(record)
    await days_pass(record, 91)
    await pruning(record).sweep()
    await record.wishes.again(Request(Wish.AGAIN, ADA, THREAD, turn=number))
    turn = await record.turns.claim(await record.value("SELECT conversation_id FROM turns"))
    assert turn is not None
    recalled = await record.memory.recall(turn, 1_000, sees=True)
    assert "[picture: cat.png]" in recalled.lines[-1].text
    assert recalled.lines[-1].pictures == ()
    await record.turns.finish(turn, done("better", manifest=READ))
    why = await record.transcripts.why(number)
    assert why is not None
    assert not why.pruned


async def test_what_stands_in_posts_alone_and_what_is_open_stays(record: Record) -> None:
    turn = await record.claimed("hello")
    await record.posted(turn, "I am sorry")
    await record.turns.finish(turn, done("", outcome=Outcome.FAILED, manifest=READ))
    again = await record.claimed("hello?")
    await record.turns.finish(again, done("hi", manifest=READ))
    await record.wishes.again(Request(Wish.AGAIN, ADA, DIRECT, turn=again.id))
    await days_pass(record, 91)
    await pruning(record).sweep()
    assert await record.rows("SELECT text FROM pieces") == [{"text": "I am sorry"}]
    assert await record.rows("SELECT id FROM turns WHERE manifest IS NOT NULL") == [{"id": again.id}]


async def test_silent_conversations_are_deleted_where_that_is_asked_for(record: Record) -> None:
    await answered(record)
    await days_pass(record, 40)
    await record.exchange(message("new", DIRECT, BEN), "answer")
    await pruning(record).sweep()
    assert await record.value("SELECT count(*) FROM conversations") == 2
    await pruning(record, conversations=30).sweep()
    assert await record.rows("SELECT text FROM messages ORDER BY id") == [{"text": "new"}, {"text": "answer"}]
    for table in ("turns", "conversations"):
        assert await record.value(f"SELECT count(*) FROM {table}") == 1
    for table in ("pieces", "message_revisions", "attachments"):
        assert await record.value(f"SELECT count(*) FROM {table}") == 0


async def test_a_conversation_with_an_open_question_or_a_holder_stays(record: Record) -> None:
    await record.asked("open")
    held = await record.claimed(message("held", THREAD), channel=THREAD)
    await record.turns.finish(held, done("well"))
    await record.rows("UPDATE conversations SET lease_until = now() + interval '1 minute' WHERE place = 'C1'")
    await days_pass(record, 400)
    await pruning(record, conversations=30).sweep()
    assert await record.value("SELECT count(*) FROM conversations") == 2


async def test_ended_wake_ups_old_bills_and_old_troubles_go(record: Record) -> None:
    await record.asked("hello")
    await record.rows(
        "UPDATE procrastinate_jobs SET status = 'doing'; UPDATE procrastinate_jobs SET status = 'failed';"
        "INSERT INTO procrastinate_jobs (queue_name, task_name, args) VALUES ('slack', 'answer', '{}');"
        "INSERT INTO spending (platform, workspace, day) VALUES ('slack', 'T1', current_date - 795);"
        "INSERT INTO troubles (platform, workspace, place, kind, reason) "
        "VALUES ('slack', 'T1', 'C1', 'k', 'r')"
    )
    jobs = "SELECT status::text FROM procrastinate_jobs ORDER BY id"
    await days_pass(record, 6)
    await pruning(record).sweep()
    assert [row["status"] for row in await record.rows(jobs)] == ["failed", "todo"]
    assert await record.value("SELECT count(*) FROM spending") == 0
    assert await record.value("SELECT count(*) FROM troubles") == 1
    await days_pass(record, 90)
    await pruning(record).sweep()
    assert [row["status"] for row in await record.rows(jobs)] == ["todo"]
    assert await record.value("SELECT count(*) FROM troubles") == 0


async def test_only_one_process_prunes_at_a_time(record: Record, another: Record) -> None:
    await answered(record)
    await days_pass(record, 91)
    async with another.database.transaction() as connection:
        await connection.execute(sa.text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
        await pruning(record).sweep()
        assert await details(record) == ALL
    await pruning(record).sweep()
    assert await details(record) == NONE


async def test_it_looks_now_and_then_and_at_once_where_more_is_due(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.memory.pruning._BATCH", 1)
    for number in range(3):
        turn = await record.claimed(f"hello {number}")
        await record.turns.finish(turn, done("well", manifest=READ))
    await days_pass(record, 91)
    patient = Pruning(record.database, every=60.0)
    for left in (2, 1, 0, 0):
        await patient.sweep()
        assert (await details(record))["manifests"] == left
    with watched(record) as statements:
        await patient.sweep()
    assert statements == []


async def test_pruning_reads_no_large_table_whole(record: Record) -> None:
    await record.rows(f"SET session_replication_role = replica; {FILLS}")
    with watched(record) as statements:
        await pruning(record, conversations=30).sweep()
    small = {"procrastinate_jobs", "procrastinate_events", "spending", "troubles"}
    planned = 0
    for statement, parameters in statements:
        async with record.database.transaction() as opened:
            explained = await opened.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
            assert set(tables_read_whole(explained.scalar_one()[0]["Plan"])) <= small, statement
            planned += 1
    assert planned > 10
