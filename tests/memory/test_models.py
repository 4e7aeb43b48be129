"""The tables as the program sees them, and as the migrations make them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from bot.dialogue import Piece, Platform, Request, Usage, Wish
from bot.memory.database import driver_url
from bot.memory.erasing import _erase_texts
from bot.memory.models import metadata
from tests.memory.conftest import BEN, OPEN, THREAD, Open, Record, done, edited, message, watched


@pytest.fixture
def connection(database_url: str) -> Iterator[sa.Connection]:
    engine = sa.create_engine(driver_url(database_url), poolclass=sa.NullPool)
    with engine.connect() as opened:
        yield opened


def ours(_object: object, name: str | None, *_rest: object) -> bool:
    return not (name or "").startswith(("procrastinate_", "idx_procrastinate_"))


def test_migrations_and_models_agree(connection: sa.Connection) -> None:
    options = {"include_object": ours, "compare_type": True}
    assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []


@pytest.mark.parametrize(("table", "state"), [("turns", "dreaming"), ("pieces", "lost")])
def test_no_row_has_a_state_that_nobody_knows(connection: sa.Connection, table: str, state: str) -> None:
    checks = sa.inspect(connection).get_check_constraints(table)
    assert any("state" in check["sqltext"] and state not in check["sqltext"] for check in checks)


def test_a_freed_lock_is_told_to_waiting_workers(connection: sa.Connection) -> None:
    triggers = "SELECT tgname FROM pg_trigger WHERE tgname LIKE 'frontdesk_lock_freed%'"
    assert len(connection.scalars(sa.text(triggers)).all()) == 2


FILLS = """
    INSERT INTO conversations (key, platform, workspace, place, kind)
    SELECT 'filled:' || n, 'slack', 'T1', 'C' || n, 'thread' FROM generate_series(1, 3000) AS n;
    INSERT INTO turns (conversation_id, state, asker_id) SELECT id, 'done', 'U1' FROM conversations;
    INSERT INTO messages (conversation_id, key, position, cumulative_tokens, platform_id, author_id,
                          author_name, text, tokens, encoding, sent_at)
    SELECT id, 'filled:' || id, 1, 9, 'p' || id, 'U1', 'Ada', 'text', 9, 'words', now() FROM conversations;
    INSERT INTO pieces (turn_id, conversation_id, ordinal, epoch, state, key)
    SELECT id, conversation_id, 0, 1, 'final', 'filled:' || id FROM turns;
    INSERT INTO summary_blocks (conversation_id, first_position, last_position, last_message_id,
                                covered_tokens, text, tokens)
    SELECT id, 1, 1, 1, 9, 'told', 1 FROM conversations;
    INSERT INTO message_revisions (message_id, revision, text) SELECT id, 0, 'text' FROM messages;
    INSERT INTO attachments (message_id, ordinal, name) SELECT id, 0, 'file' FROM messages;
    INSERT INTO eras (platform, workspace, place) SELECT 'slack', 'T1', 'F' || id FROM conversations;
    INSERT INTO workspaces (platform, workspace) SELECT 'slack', 'F' || id FROM conversations;
    INSERT INTO people (platform, person_id) SELECT 'slack', 'F' || id FROM conversations;
    INSERT INTO deletions (key) SELECT 'filled:' || id FROM conversations;
    INSERT INTO marks (platform, workspace, place, seen_until)
    SELECT 'slack', 'F' || id, '', now() FROM conversations;
    INSERT INTO procrastinate_jobs (queue_name, task_name, lock, args)
    SELECT 'slack', 'answer', 'answer:' || id, '{}' FROM conversations;
    ANALYZE
"""


def tables_read_whole(plan: Mapping[str, Any]) -> list[str]:
    found = [plan["Relation Name"]] if plan["Node Type"] == "Seq Scan" else []
    return [*found, *(name for part in plan.get("Plans", ()) for name in tables_read_whole(part))]


async def walk(record: Record) -> None:
    """Do what is done for each message and each answer, in a thread and in a reply chain."""
    asked = message("hello", THREAD)
    turn = await record.claimed(asked, channel=THREAD)
    await record.inbox.accept(message("and you?", THREAD, BEN, mentions_bot=False))
    await record.shelf.keep(turn.conversation, [message("before", THREAD, BEN)])
    await record.inbox.accept(edited(asked, "hello you"))
    turn = await record.turns.reload(turn)
    await record.memory.recall(turn, 100)
    receipts = record.outbox.receipts(turn, Open())
    await receipts.standing()
    await receipts.sending(Piece(0, "Well"))
    await receipts.sent(Piece(0, "Well"), "200.5")
    await receipts.owns("200.6")
    await receipts.removed(0)
    async with record.leases.hold(turn):
        await record.leases._renew()
    await record.turns.finish(turn, done("Well", usage=Usage(1, 1)))
    await record.summaries.is_due(turn.conversation.id, 100)
    await record.summaries.next_stretch(turn.conversation.id, 4)
    chained = await record.claimed(message("hello", OPEN, reply_to="9"), channel=OPEN)
    await record.memory.recall(chained, 100)
    await record.shelf.keep(chained.conversation, [message("before", OPEN, BEN, id="9")])
    await record.transcripts.read(THREAD)
    await record.transcripts.why(turn.id)
    await record.transcripts.turn_of(THREAD, "200.5")
    wish = Request(Wish.AGAIN, asked.author, THREAD, turn=turn.id)
    await record.wishes.again(wish)
    await record.wishes.stop(Request(Wish.STOP, asked.author, THREAD))
    await record.wishes.vote(Request(Wish.VOTE, BEN, THREAD, message_id="200.5", value="up"))
    await record.wishes.listen(Request(Wish.QUIET, BEN, THREAD))
    await record.asked("nobody works on it")
    await record.turns.wake_open(list(Platform))
    await record.shelf.newest("G1")
    await record.deleted(asked, message("unknown", THREAD))
    async with record.database.transaction() as connection:
        await _erase_texts(connection)


async def test_no_step_of_an_answer_reads_a_whole_table(record: Record) -> None:
    async with await psycopg.AsyncConnection.connect(record.url, autocommit=True) as connection:
        await connection.execute("SET session_replication_role = replica")
        for fill in FILLS.split(";"):
            await connection.execute(fill)  # type: ignore[call-overload,unused-ignore]
    with watched(record) as statements:
        await walk(record)
    assert len(statements) > 50
    whole = (await record.rows("EXPLAIN (FORMAT JSON) SELECT * FROM messages WHERE text = 'x'"))[0]
    assert tables_read_whole(whole["QUERY PLAN"][0]["Plan"]) == ["messages"], "the test sees such reading"
    for statement, parameters in dict(statements).items():
        async with record.database.transaction() as opened:
            explained = await opened.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
            assert tables_read_whole(explained.scalar_one()[0]["Plan"]) == [], statement
