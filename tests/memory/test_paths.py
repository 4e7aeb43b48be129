"""What leads to a question, and that reading it costs no more when the history is long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from bot.dialogue import Channel, Message, Piece, Turn
from bot.memory.paths import chain_before, newest_before
from tests.memory.conftest import BEN, OPEN, THREAD, Open, Record, done, message, watched


async def read(record: Record, turn: Turn, room: int = 10_000) -> list[str]:
    async with record.database.snapshot() as connection:
        path = await newest_before(connection, turn, room)
    return [row["text"] for row in path.earlier]


async def chain(record: Record, turn: Turn) -> list[str]:
    async with record.database.snapshot() as connection:
        path = await chain_before(connection, turn)
    return [row["text"] for row in path.earlier]


async def test_later_turns_are_not_read_and_answers_of_earlier_ones_are(record: Record) -> None:
    first = await record.claimed(message("q1", THREAD), channel=THREAD)
    await record.inbox.accept(message("q2", THREAD, BEN))
    await record.inbox.accept(message("aside", THREAD, BEN, mentions_bot=False, mentions_others=True))
    await record.inbox.accept(message("q1 again", THREAD))
    await record.inbox.accept(message("late aside", THREAD, BEN, mentions_bot=False, mentions_others=True))
    first = await record.turns.reload(first)
    assert await read(record, first) == ["aside"]
    second = await record.turns.finish(first, done("a1"))
    assert second is not None
    assert await read(record, second) == ["q1", "q1 again", "a1"]


async def test_the_room_is_reckoned_without_what_may_not_be_read(record: Record) -> None:
    await record.exchange(message("one", THREAD), "two", THREAD)
    turn = await record.claimed(message("asked", THREAD), channel=THREAD)
    await record.inbox.accept(message("word " * 500, THREAD, BEN))
    await record.inbox.accept(message("and more", THREAD))
    turn = await record.turns.reload(turn)
    async with record.database.snapshot() as connection:
        path = await newest_before(connection, turn, 12)
    assert [row["text"] for row in path.earlier] == ["one", "two"]
    assert (path.older, path.first, path.end) == (0, 1, 3)
    assert list(path.skipped) == [3, 4, 5]


@pytest.mark.parametrize("room", [0, 5, 6, 7, 40])
async def test_what_is_older_is_weighed(record: Record, room: int) -> None:
    for number in range(4):
        await record.exchange(message(f"q{number}", THREAD), f"a{number}", THREAD)
    turn = await record.claimed(message("asked", THREAD), channel=THREAD)
    async with record.database.snapshot() as connection:
        path = await newest_before(connection, turn, room)
    assert path.earlier, "the newest is always looked at"
    assert path.older + sum(row["tokens"] for row in path.earlier) == 8 * 6
    assert path.first == 1
    assert path.end == 9


async def test_nothing_stands_before_the_first_question(record: Record) -> None:
    turn = await record.claimed("hello")
    async with record.database.snapshot() as connection:
        path = await newest_before(connection, turn, 100)
    assert (list(path.earlier), path.older, path.first, path.end) == ([], 0, 1, 1)


async def posted(record: Record, question: Message, text: str, post: str) -> Turn:
    """Have a question in a reply chain answered by a post."""
    turn = await record.claimed(question, channel=OPEN)
    receipts = record.outbox.receipts(turn, Open())
    await receipts.sending(Piece(0, text))
    await receipts.sent(Piece(0, text), post)
    await record.turns.finish(turn, done(text))
    return turn


async def test_in_a_reply_chain_only_the_path_is_read(record: Record) -> None:
    root = await posted(record, message("root", OPEN, id="11"), "answer", "21")
    left = await posted(record, message("left", OPEN, id="12", reply_to="21"), "left answer", "22")
    right = await record.claimed(message("right", OPEN, BEN, id="13", reply_to="21"), channel=OPEN)
    assert root.conversation.id == left.conversation.id == right.conversation.id
    assert await chain(record, right) == ["root", "answer"]
    await record.turns.finish(right, done("right answer"))
    deeper = await record.claimed(message("deeper", OPEN, id="14", reply_to="22"), channel=OPEN)
    assert await chain(record, deeper) == ["root", "answer", "left", "left answer"]
    await record.turns.finish(deeper, done())
    beside = await record.claimed(message("beside", OPEN, BEN, id="15", reply_to="11"), channel=OPEN)
    assert await chain(record, beside) == ["root"]


async def test_a_reply_to_an_answer_reads_all_that_it_answered(record: Record) -> None:
    turn = await record.claimed(message("one", OPEN, id="11"), channel=OPEN)
    await record.inbox.accept(message("two", OPEN, id="12", reply_to="11"))
    turn = await record.turns.reload(turn)
    assert await chain(record, turn) == []
    receipts = record.outbox.receipts(turn, Open())
    await receipts.sending(Piece(0, "both"))
    await receipts.sent(Piece(0, "both"), "21")
    await record.turns.finish(turn, done("both"))
    after = await record.claimed(message("three", OPEN, BEN, id="13", reply_to="21"), channel=OPEN)
    assert await chain(record, after) == ["one", "two", "both"]


async def test_a_reply_to_an_apology_leads_to_its_question(record: Record) -> None:
    turn = await record.claimed(message("one", OPEN, id="11"), channel=OPEN)
    receipts = record.outbox.receipts(turn, Open())
    await receipts.sending(Piece(0, "sorry"))
    await receipts.sent(Piece(0, "sorry"), "21")
    await record.turns.finish(turn, done(""))
    after = await record.claimed(message("again?", OPEN, id="12", reply_to="21"), channel=OPEN)
    assert await chain(record, after) == ["one"]


async def test_a_chain_read_from_the_platform_is_walked(record: Record) -> None:
    early = [
        message("root", OPEN, BEN, id="11"),
        message("beside", OPEN, BEN, id="10", reply_to="9"),
        message("middle", OPEN, BEN, id="12", reply_to="11", said=True),
    ]
    turn = await record.claimed(message("asked", OPEN, id="13", reply_to="12"), channel=OPEN)
    await record.shelf.keep(turn.conversation, early)
    assert await chain(record, turn) == ["root", "middle"]


FILL = """
    INSERT INTO messages (conversation_id, key, position, cumulative_tokens, platform_id, author_id,
                          author_name, text, tokens, encoding, sent_at)
    SELECT :id, :id || ':filled:' || n, n - 4000, (n - 4000) * 10, 'p' || n, 'U9', 'Zoe', 'text', 10,
           'words', now()
    FROM generate_series(1, 4000) AS n
"""


def scanned(plan: Mapping[str, Any]) -> list[tuple[str, float]]:
    """List a plan's scans of messages: how each finds rows, and how many it reads."""
    found = []
    if plan.get("Relation Name") == "messages":
        rows = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
        found.append((plan["Node Type"], rows * plan["Actual Loops"]))
    return [*found, *(scan for part in plan.get("Plans", ()) for scan in scanned(part))]


@pytest.mark.parametrize("channel", [THREAD, OPEN], ids=["list", "chain"])
async def test_a_long_history_costs_no_more(record: Record, channel: Channel) -> None:
    turn = await record.claimed(message("one", channel, id="11"), channel=channel)
    beside = await record.asked(message("else", replace(THREAD, root="9.9")))
    for conversation in (turn.conversation.id, beside):
        await record.rows(FILL, id=conversation)
    await record.turns.finish(turn, done("two"))
    turn = await record.claimed(message("three", channel, id="12", reply_to="11"), channel=channel)
    await record.rows("ANALYZE messages")
    with watched(record) as statements:
        found = await (chain(record, turn) if channel is OPEN else read(record, turn, 200))
    assert 1 <= len(found) < 30
    async with record.database.transaction() as connection:
        # A table of two rows is read whole wherever its statistics have come to say so: only an index counts.
        await connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        for statement, parameters in statements:
            explained = f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"
            plan = (await connection.exec_driver_sql(explained, parameters)).scalar_one()
            for node, rows in scanned(plan[0]["Plan"]):
                assert node != "Seq Scan", statement
                assert rows < 100, statement
