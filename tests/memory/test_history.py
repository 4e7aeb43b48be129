"""What stood in a thread before the bot was called into it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.dialogue import Accepted, ChannelKind, Message, Piece, Turn
from tests.memory.conftest import (
    BEN,
    BOT,
    DIRECT,
    OPEN,
    THREAD,
    Open,
    Record,
    Words,
    done,
    edited,
    message,
    watched,
)

ROWS = "SELECT * FROM messages WHERE conversation_id = :id ORDER BY position"


def overheard(text: str, **rest: object) -> Message:
    return message(text, **({"channel": THREAD, "author": BEN, "mentions_bot": False} | rest))  # type: ignore[arg-type]


async def test_what_stood_before_is_kept_in_front_in_order(record: Record) -> None:
    early = [overheard("one"), overheard("two words"), overheard("three")]
    turn = await record.claimed(message("@bot hello", THREAD), channel=THREAD)
    assert turn.conversation.history_read is False
    assert await record.shelf.keep(turn.conversation, early) == 3
    rows = await record.rows(ROWS, id=turn.conversation.id)
    assert [row["text"] for row in rows] == ["one", "two words", "three", "@bot hello"]
    assert [row["position"] for row in rows] == [-2, -1, 0, 1]
    assert [row["turn_id"] for row in rows] == [None, None, None, turn.id]
    for before, after in pairwise(rows):
        assert before["cumulative_tokens"] + after["tokens"] == after["cumulative_tokens"]
    assert await record.value("SELECT history_read FROM conversations") is True
    assert await record.value("SELECT total_tokens FROM conversations") == rows[-1]["cumulative_tokens"]


async def test_keeping_it_twice_changes_nothing(record: Record) -> None:
    early = [overheard("one"), overheard("two")]
    turn = await record.claimed(message("@bot hello", THREAD), channel=THREAD)
    await record.shelf.keep(turn.conversation, early)
    before = await record.rows(ROWS, id=turn.conversation.id)
    assert await record.shelf.keep(turn.conversation, [overheard("zero"), *early]) == 1
    assert await record.shelf.keep(turn.conversation, []) == 0
    assert await record.shelf.keep(turn.conversation, [early[0], early[0]]) == 0
    after = await record.rows(ROWS, id=turn.conversation.id)
    assert after[1:] == before
    assert (after[0]["text"], after[0]["position"]) == ("zero", -2)


async def test_a_page_that_repeats_a_message_keeps_it_once(record: Record) -> None:
    twice = overheard("one")
    turn = await record.claimed(message("@bot hello", THREAD), channel=THREAD)
    assert await record.shelf.keep(turn.conversation, [twice, overheard("two"), twice]) == 2


async def test_the_question_and_our_own_posts_are_not_repeated(record: Record) -> None:
    asked = message("@bot hello", THREAD)
    turn = await record.claimed(asked, channel=THREAD)
    receipts = record.outbox.receipts(turn, Open())
    await receipts.sending(Piece(0, "yes?"))
    await receipts.sent(Piece(0, "yes?"), "200.5")
    await record.turns.finish(turn, done("yes?"))
    again = await record.claimed(message("more", THREAD), channel=THREAD)
    posted = message("yes?", THREAD, BOT, id="200.5", said=True)
    forgotten = message("from a life before", THREAD, BOT, id="100.9", said=True)
    assert await record.shelf.keep(again.conversation, [forgotten, asked, posted, again.asked]) == 1
    rows = await record.rows(ROWS, id=turn.conversation.id)
    assert [(row["text"], row["said"]) for row in rows] == [
        ("from a life before", True),
        ("@bot hello", False),
        ("yes?", True),
        ("more", False),
    ]


async def test_the_root_of_a_thread_in_a_direct_message_is_kept_in_both(record: Record) -> None:
    root = message("let us talk", DIRECT, id="5.5")
    await record.exchange(root, "gladly")
    thread = replace(DIRECT, root="5.5")
    turn = await record.claimed(message("in the thread", thread), channel=thread)
    for kept in (1, 0):
        assert await record.shelf.keep(turn.conversation, [replace(root, channel=thread)]) == kept
    rows = await record.rows(ROWS, id=turn.conversation.id)
    assert [row["text"] for row in rows] == ["let us talk", "in the thread"]
    assert rows[0]["key"] == f"{root.key}@{turn.conversation.id}"
    assert await record.inbox.accept(root) is Accepted.KNOWN
    assert [
        row["conversation_id"] for row in await record.rows("SELECT * FROM messages WHERE text = 'gladly'")
    ]


async def test_two_conversations_that_keep_the_same_messages_at_once_both_have_them(
    record: Record, another: Record
) -> None:
    shared = [message(f"shared {number}", DIRECT) for number in range(20)]
    threads = [replace(DIRECT, root=f"{number}.0") for number in (1, 2)]
    turns = [await record.claimed(message("here", thread), channel=thread) for thread in threads]
    kept = await asyncio.gather(
        record.shelf.keep(turns[0].conversation, shared),
        another.shelf.keep(turns[1].conversation, shared[::-1]),
    )
    assert list(kept) == [20, 20]
    for turn in turns:
        rows = await record.rows(ROWS, id=turn.conversation.id)
        assert [row["position"] for row in rows] == list(range(-19, 2))
    assert await record.value("SELECT count(*) FROM messages") == 42


async def test_null_bytes_in_a_history_do_no_harm(record: Record) -> None:
    turn = await record.claimed(message("@bot hello", THREAD), channel=THREAD)
    await record.shelf.keep(turn.conversation, [overheard("a\x00b"), overheard("")])
    rows = await record.rows(ROWS, id=turn.conversation.id)
    assert [row["text"] for row in rows] == ["ab", "", "@bot hello"]


async def test_a_reply_chain_is_bound_together(record: Record) -> None:
    root = overheard("root", channel=OPEN, id="11")
    middle = overheard("middle", channel=OPEN, id="12", reply_to="11")
    turn = await record.claimed(message("@bot hello", OPEN, id="13", reply_to="12"), channel=OPEN)
    await record.shelf.keep(turn.conversation, [root, middle])
    rows = await record.rows(ROWS, id=turn.conversation.id)
    assert [row["parent_id"] for row in rows] == [None, rows[0]["id"], rows[1]["id"]]
    # A later reply to any of them belongs to the same conversation.
    later = await record.asked(message("and this?", OPEN, reply_to="11"), channel=OPEN)
    assert later == turn.conversation.id


async def test_the_newest_message_of_each_channel_is_known(record: Record) -> None:
    thread = replace(OPEN, id="600", kind=ChannelKind.THREAD)
    for where, number in ((OPEN, "9"), (OPEN, "10"), (thread, "99"), (thread, "100")):
        await record.exchange(message("hello", where, id=number), "yes", where)
    assert await record.shelf.newest("G1") == {"500": "10", "600": "100"}
    assert await record.shelf.newest("G2") == {}
    # Messages of a platform with other ids are no hindrance.
    await record.exchange(message(channel=THREAD, id="x-1"), "yes", THREAD)
    assert await record.shelf.newest("G1") == {"500": "10", "600": "100"}


async def test_the_newest_are_found_by_one_look_a_conversation(record: Record) -> None:
    fill = """
        INSERT INTO conversations (key, platform, workspace, place, kind)
        SELECT 'filled:' || n, 'discord', 'G1', (n % 5)::text, 'open' FROM generate_series(1, 20) AS n;
        INSERT INTO messages (conversation_id, key, position, cumulative_tokens, platform_id, author_id,
                              author_name, said, text, tokens, encoding, sent_at)
        SELECT id, id || ':' || n, n, n, n, 'U1', 'Ada', n % 2 = 0, 'text', 1, 'words', now()
        FROM conversations, generate_series(1, 500) AS n
    """
    for statement in fill.split(";"):
        await record.rows(statement)
    async with await psycopg.AsyncConnection.connect(record.url, autocommit=True) as connection:
        await connection.execute("ANALYZE conversations, messages")
    with watched(record) as statements:
        assert await record.shelf.newest("G1") == {str(place): "499" for place in range(5)}
    ((statement, parameters),) = statements
    async with record.database.transaction() as opened:
        explained = await opened.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters)
        plan = explained.scalar_one()[0]["Plan"]
    assert rows_read(plan, "messages") <= 2 * 20


def rows_read(plan: Mapping[str, Any], table: str) -> int:
    """Count the rows of a table that a plan looked at, those it then left out included."""
    looked_at = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
    here = int(looked_at * plan["Actual Loops"]) if plan.get("Relation Name") == table else 0
    return here + sum(rows_read(part, table) for part in plan.get("Plans", ()))


async def kept_twice(record: Record) -> tuple[Message, Turn]:
    """Have the root of a thread in a direct message kept in both conversations, and the thread answered."""
    root = message("let us talk", DIRECT, id="5.5")
    await record.exchange(root, "gladly")
    thread = replace(DIRECT, root="5.5")
    turn = await record.claimed(message("in the thread", thread), channel=thread)
    await record.shelf.keep(turn.conversation, [replace(root, channel=thread)])
    return root, turn


async def test_an_edit_reaches_every_copy_of_a_message(record: Record) -> None:
    root, turn = await kept_twice(record)
    assert await record.inbox.accept(edited(root, "let us talk about cats")) is Accepted.REVISED
    for row in await record.rows("SELECT * FROM messages WHERE platform_id = '5.5'"):
        assert (row["text"], row["tokens"], row["revision"]) == ("let us talk about cats", 6 + 4, 1)
    earlier = await record.rows("SELECT text FROM message_revisions")
    assert [row["text"] for row in earlier] == ["let us talk", "let us talk"]
    rows = await record.rows(ROWS, id=turn.conversation.id)
    assert [row["text"] for row in rows] == ["let us talk about cats", "in the thread"]
    assert rows[0]["cumulative_tokens"] + rows[1]["tokens"] == rows[1]["cumulative_tokens"]
    total = await record.value(
        "SELECT total_tokens FROM conversations WHERE id = :id", id=turn.conversation.id
    )
    assert total == rows[1]["cumulative_tokens"]
    again = edited(root, "let us talk about cats")
    assert await record.inbox.accept(again) is Accepted.KNOWN
    assert len(await record.rows("SELECT 1 FROM message_revisions")) == 2


async def test_a_copy_that_is_newer_than_the_edit_stays(record: Record) -> None:
    root, turn = await kept_twice(record)
    later = "UPDATE messages SET edited_at = now() + interval '1 day', text = 'newest' WHERE key LIKE '%@%'"
    await record.rows(later)
    assert await record.inbox.accept(edited(root, "an edit")) is Accepted.REVISED
    rows = await record.rows(ROWS, id=turn.conversation.id)
    assert rows[0]["text"] == "newest"


async def test_edits_of_messages_that_each_is_the_others_copy_do_not_wait_in_a_ring(
    record: Record, another: Record
) -> None:
    roots = [message("one", DIRECT, id="1.1"), message("two", DIRECT, id="2.2")]
    threads = [replace(DIRECT, root=root.id) for root in roots]
    turns = [await record.claimed(message("here", thread), channel=thread) for thread in threads]
    for shelved in (roots, roots[::-1]):
        for turn, thread, one in zip(turns, threads, shelved, strict=True):
            await record.shelf.keep(turn.conversation, [replace(one, channel=thread)])
    edits = [edited(root, f"edit {number}", number) for number in range(1, 11) for root in roots]
    doors = [record.inbox.accept, another.inbox.accept]
    await asyncio.gather(*(doors[number % 2](edit) for number, edit in enumerate(edits)))
    texts = await record.rows("SELECT DISTINCT text FROM messages WHERE platform_id IN ('1.1', '2.2')")
    assert [row["text"] for row in texts] == ["edit 10"]


texts = st.lists(st.text("ab ", max_size=12), max_size=6)


@pytest.mark.usefixtures("record")
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=texts, batches=st.lists(texts, max_size=3))
async def test_counts_always_add_up(record: Record, asked: list[str], batches: list[list[str]]) -> None:
    channel = replace(THREAD, root=message().id)
    turn = await record.claimed(message("first", channel), channel=channel)
    for text in asked:
        await record.inbox.accept(message(text, channel))
    for batch in batches:
        await record.shelf.keep(turn.conversation, [message(text, channel, BEN) for text in batch])
    rows = await record.rows(ROWS, id=turn.conversation.id)
    positions = [row["position"] for row in rows]
    assert positions == list(range(1 - sum(map(len, batches)), len(asked) + 2))
    for before, after in pairwise(rows):
        assert before["cumulative_tokens"] + after["tokens"] == after["cumulative_tokens"]
        assert after["tokens"] == Words().count(f"{after['author_name']}: {after['text']}") + 4
