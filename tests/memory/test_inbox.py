"""The one door in, on a real Postgres."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import psycopg
import pytest

from bot.attention import Attender
from bot.dialogue import Accepted, Author, ChannelKind, File, Piece, Platform
from bot.errors import StoreDown
from bot.memory.database import Database
from bot.memory.inbox import Inbox
from tests.memory.conftest import (
    ADA,
    BEN,
    DIRECT,
    OPEN,
    PAGE,
    THREAD,
    Open,
    Record,
    Words,
    done,
    edited,
    message,
)

COUNTS = """
    SELECT (SELECT count(*) FROM conversations) AS conversations, (SELECT count(*) FROM messages) AS messages,
           (SELECT count(*) FROM turns) AS turns, (SELECT count(*) FROM procrastinate_jobs) AS jobs
"""


async def counts(record: Record) -> tuple[int, ...]:
    return tuple((await record.rows(COUNTS))[0].values())


async def test_what_is_accepted_stands_with_its_turn_and_its_wake_up(record: Record) -> None:
    asked = message("hello there", THREAD)
    assert await record.inbox.accept(asked) is Accepted.NEW
    assert await counts(record) == (1, 1, 1, 1)
    (kept,) = await record.rows("SELECT * FROM messages")
    assert (kept["text"], kept["author_name"], kept["position"]) == ("hello there", "Ada", 1)
    assert kept["tokens"] == kept["cumulative_tokens"] == 3 + 4
    assert kept["encoding"] == "words"
    (job,) = await record.rows("SELECT * FROM procrastinate_jobs")
    assert (job["task_name"], job["queue_name"], job["status"]) == ("answer", "slack", "todo")
    assert job["lock"] == f"answer:{kept['conversation_id']}"
    assert job["args"] == {"conversation_id": kept["conversation_id"]}


async def test_a_second_delivery_changes_nothing(record: Record) -> None:
    asked = message(channel=THREAD)
    await record.inbox.accept(asked)
    assert await record.inbox.accept(asked) is Accepted.KNOWN
    assert await counts(record) == (1, 1, 1, 1)
    assert await record.value("SELECT revision FROM turns") == 0


async def test_twenty_deliveries_at_once_make_one_message(record: Record, another: Record) -> None:
    asked = message(channel=THREAD)
    doors = [record.inbox, another.inbox] * 10
    accepted = await asyncio.gather(*(door.accept(asked) for door in doors))
    assert sorted(accepted) == sorted([Accepted.NEW, *[Accepted.KNOWN] * 19])
    assert await counts(record) == (1, 1, 1, 1)


async def test_a_second_delivery_after_new_changes_nothing(record: Record) -> None:
    asked = message(channel=DIRECT)
    await record.inbox.accept(asked)
    await record.begun_anew(DIRECT)
    assert await record.inbox.accept(asked) is Accepted.KNOWN
    assert await counts(record) == (1, 1, 1, 1)


async def test_deliveries_around_a_new_at_once_make_one_message(record: Record, another: Record) -> None:
    asked = message(channel=DIRECT)
    first, *_ = await asyncio.gather(
        record.inbox.accept(asked),
        record.begun_anew(DIRECT),
        *(door.inbox.accept(asked) for door in [record, another] * 5),
    )
    assert first in {Accepted.NEW, Accepted.KNOWN}
    rows = await counts(record)
    assert rows[1:] == (1, 1, 1)


async def test_a_database_that_is_away_is_told_and_nothing_is_kept(record: Record) -> None:
    away = Database("postgresql://nobody@127.0.0.1:1/nothing", pool=1)
    with pytest.raises(StoreDown):
        await Inbox(away, Words(), Attender()).accept(message())
    await away.close()


async def test_a_connection_that_is_cut_is_told_and_nothing_is_kept(record: Record) -> None:
    await record.rows("SELECT 1")
    async with await psycopg.AsyncConnection.connect(record.url, autocommit=True) as admin:
        async with record.database.transaction() as holder:
            # Somebody else holds the conversation, so that accept waits in the middle of its transaction.
            await holder.exec_driver_sql("LOCK TABLE messages IN ACCESS EXCLUSIVE MODE")
            accepting = asyncio.create_task(record.inbox.accept(message()))
            async with asyncio.timeout(5):
                cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                while not await (await admin.execute(cut)).fetchall():
                    pass
            with pytest.raises(StoreDown):
                await accepting
    assert await counts(record) == (0, 0, 0, 0)
    assert await record.inbox.accept(message()) is Accepted.NEW


@pytest.mark.parametrize("channel", [THREAD, OPEN, replace(THREAD, kind=ChannelKind.OPEN)])
async def test_what_is_not_for_the_bot_leaves_no_row(record: Record, channel: object) -> None:
    overheard = message(channel=channel, mentions_bot=False)  # type: ignore[arg-type]
    assert await record.inbox.accept(overheard) is Accepted.IGNORED
    assert await counts(record) == (0, 0, 0, 0)


async def test_a_follow_up_in_a_known_thread_needs_no_mention(record: Record) -> None:
    await record.exchange(message(channel=THREAD), "yes?", THREAD)
    asked = message("and what is the next step?", THREAD, mentions_bot=False)
    assert await record.inbox.accept(asked) is Accepted.NEW


async def test_what_addresses_somebody_else_is_kept_without_a_turn(record: Record) -> None:
    await record.exchange(message(channel=THREAD), "yes?", THREAD)
    aside = message("what do you think?", THREAD, BEN, mentions_bot=False, mentions_others=True)
    assert await record.inbox.accept(aside) is Accepted.KEPT
    assert await record.inbox.accept(aside) is Accepted.KNOWN
    assert await record.value("SELECT turn_id FROM messages WHERE text LIKE 'what%'") is None
    assert await record.value("SELECT count(*) FROM turns") == 1


async def test_an_author_s_next_message_joins_the_answer_that_nobody_saw(record: Record) -> None:
    turn = await record.claimed("first", channel=THREAD)
    async with await psycopg.AsyncConnection.connect(record.url, autocommit=True) as listener:
        await listener.execute("LISTEN frontdesk")
        assert await record.inbox.accept(message("second", THREAD)) is Accepted.JOINED
        heard = [notice.payload async for notice in listener.notifies(timeout=2, stop_after=2)]
    assert f"turn:{turn.id}" in heard
    again = await record.turns.reload(turn)
    assert again.revision == turn.revision + 1
    assert [one.text for one in again.question] == ["first", "second"]
    assert again.asked.text == "second"


async def test_other_authors_get_turns_of_their_own_in_order(record: Record) -> None:
    turn = await record.claimed("first", channel=THREAD)
    assert await record.inbox.accept(message("mine", THREAD, BEN)) is Accepted.NEW
    assert await record.inbox.accept(message("more", THREAD, ADA)) is Accepted.JOINED
    turn = await record.turns.reload(turn)
    following = await record.turns.finish(turn, done())
    assert following is not None
    assert [one.text for one in following.question] == ["mine"]
    assert await record.turns.finish(following, done()) is None


async def test_nothing_joins_an_answer_that_was_seen(record: Record) -> None:
    turn = await record.claimed("first", channel=THREAD)
    await record.outbox.receipts(turn, Open()).sending(Piece(0, "Well"))
    assert await record.inbox.accept(message("second", THREAD)) is Accepted.NEW
    assert (await record.turns.reload(turn)).revision == turn.revision


@pytest.mark.parametrize("head_start", [-1, 0, 1])
async def test_a_message_that_races_with_the_first_post_is_in_one_answer(
    record: Record, another: Record, head_start: int
) -> None:
    turn = await record.claimed("first", channel=THREAD)
    receipts = another.outbox.receipts(turn, Open())
    second = message("second", THREAD)
    posting, accepting = receipts.sending(Piece(0, "Well")), record.inbox.accept(second)
    if head_start:
        early, late = (posting, accepting) if head_start > 0 else (accepting, posting)
        results = [(await asyncio.gather(early, return_exceptions=True))[0]]
        results.append((await asyncio.gather(late, return_exceptions=True))[0])
        results = results if head_start > 0 else results[::-1]
    else:
        results = list(await asyncio.gather(posting, accepting, return_exceptions=True))
    owner = await record.value("SELECT turn_id FROM messages WHERE key = :key", key=second.key)
    seen = await record.value("SELECT visible_at FROM turns WHERE id = :id", id=turn.id)
    if results[1] is Accepted.JOINED:
        assert owner == turn.id
        assert seen is None
        assert type(results[0]).__name__ == "Superseded"
    else:
        assert results[1] is Accepted.NEW
        assert owner not in {None, turn.id}
        assert seen is not None
        assert type(results[0]).__name__ == "Slot"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\x00",
        "null\x00byte",
        "half a pair \ud83d",
        "x" * 40_000,
        "مرحبا بالعالم",
        "🎉🎉🎉",
        "line\r\nline",
    ],
)
async def test_whatever_people_write_is_taken(record: Record, text: str) -> None:
    asked = message(text, author=replace(ADA, name="A\x00da"), files=(File("no\x00te.txt"),))
    assert await record.inbox.accept(asked) is Accepted.NEW
    assert await record.inbox.accept(asked) is Accepted.KNOWN
    kept = await record.value("SELECT text FROM messages")
    assert kept == text.replace("\x00", "").replace("\ud83d", "?")


async def test_an_edit_makes_a_revision_and_keeps_the_earlier_text(record: Record) -> None:
    asked = message("frist", THREAD)
    turn = await record.claimed(asked, channel=THREAD)
    assert await record.inbox.accept(edited(asked, "first of all")) is Accepted.REVISED
    assert await record.inbox.accept(edited(asked, "first of all")) is Accepted.KNOWN
    assert await record.inbox.accept(edited(asked, "older", seconds=30)) is Accepted.KNOWN
    (kept,) = await record.rows("SELECT * FROM messages")
    assert (kept["text"], kept["revision"], kept["tokens"]) == ("first of all", 1, 8)
    (earlier,) = await record.rows("SELECT * FROM message_revisions")
    assert (earlier["text"], earlier["revision"]) == ("frist", 0)
    again = await record.turns.reload(turn)
    assert again.revision == turn.revision + 1
    assert again.asked.text == "first of all"
    assert await record.value("SELECT count(*) FROM procrastinate_jobs") == 1


async def test_an_edit_keeps_the_counts_right(record: Record) -> None:
    early = message("one", THREAD)
    await record.exchange(early, "two", THREAD)
    await record.exchange("three", "four", THREAD)
    await record.inbox.accept(edited(early, "one and some more words"))
    rows = await record.rows("SELECT position, tokens, cumulative_tokens FROM messages ORDER BY position")
    total = 0
    for row in rows:
        total += row["tokens"]
        assert row["cumulative_tokens"] == total
    assert await record.value("SELECT total_tokens FROM conversations") == total


async def test_an_edit_of_an_answered_question_is_only_kept(record: Record) -> None:
    asked = message("frist", THREAD)
    await record.exchange(asked, "yes", THREAD)
    assert await record.inbox.accept(edited(asked, "first")) is Accepted.REVISED
    assert await record.value("SELECT count(*) FROM turns WHERE state = 'waiting'") == 0


async def test_an_edit_that_adds_the_mention_is_a_new_message(record: Record) -> None:
    asked = message("hello", THREAD, mentions_bot=False)
    assert await record.inbox.accept(asked) is Accepted.IGNORED
    mended = replace(edited(asked, "@bot hello"), mentions_bot=True)
    assert await record.inbox.accept(mended) is Accepted.NEW


async def test_an_edit_that_adds_the_mention_to_what_was_overheard_is_answered(record: Record) -> None:
    await record.exchange(message(channel=THREAD), "yes?", THREAD)
    aside = message("and you?", THREAD, BEN, mentions_bot=False, mentions_others=True)
    assert await record.inbox.accept(aside) is Accepted.KEPT
    mended = replace(edited(aside, "@bot and you?"), mentions_bot=True)
    assert await record.inbox.accept(mended) is Accepted.NEW
    assert await record.value("SELECT count(*) FROM turns WHERE state = 'waiting'") == 1
    assert await record.value("SELECT count(*) FROM messages WHERE NOT said") == 2


async def test_a_mention_that_was_first_read_as_history_is_answered_when_it_comes(record: Record) -> None:
    late = message("@bot and this?", THREAD, BEN)
    turn = await record.claimed("@bot hello", channel=THREAD)
    await record.shelf.keep(turn.conversation, [late])
    assert await record.inbox.accept(late) is Accepted.NEW
    assert await record.inbox.accept(late) is Accepted.KNOWN
    following = await record.turns.finish(turn, done())
    assert following is not None
    assert following.asked.text == "@bot and this?"


async def test_what_was_said_before_the_bot_came_is_not_answered_when_it_comes_again(record: Record) -> None:
    early = message("just us", THREAD, BEN, mentions_bot=False)
    turn = await record.claimed("@bot hello", channel=THREAD)
    await record.shelf.keep(turn.conversation, [early])
    assert await record.inbox.accept(early) is Accepted.KNOWN
    assert await record.inbox.accept(edited(early, "just the two of us")) is Accepted.REVISED
    assert await record.value("SELECT count(*) FROM turns") == 1


async def test_fifty_at_once_stand_without_gaps_and_add_up(record: Record, another: Record) -> None:
    doors = [record.inbox, another.inbox] * 25
    people = [Author(f"U{number}", f"Person {number}") for number in range(50)]
    texts = ["word " * (number % 7) for number in range(50)]
    accepted = await asyncio.gather(
        *(
            door.accept(message(text, THREAD, who))
            for door, who, text in zip(doors, people, texts, strict=True)
        )
    )
    assert set(accepted) == {Accepted.NEW}
    rows = await record.rows("SELECT * FROM messages ORDER BY position")
    assert [row["position"] for row in rows] == list(range(1, 51))
    assert [row["turn_id"] for row in rows] == sorted(row["turn_id"] for row in rows)
    total = 0
    for row in rows:
        total += row["tokens"]
        assert row["cumulative_tokens"] == total
    ends = await record.rows("SELECT last_position, total_tokens FROM conversations")
    assert ends == [{"last_position": 50, "total_tokens": total}]
    assert await record.value("SELECT count(*) FROM procrastinate_jobs") == 1


async def test_a_job_that_was_taken_is_followed_by_another(record: Record) -> None:
    await record.inbox.accept(message("first", THREAD))
    await record.rows("UPDATE procrastinate_jobs SET status = 'doing'")
    await record.inbox.accept(message("second", THREAD))
    assert await record.value("SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo'") == 1


@pytest.mark.parametrize(
    ("channel", "reply_to", "read"),
    [
        (THREAD, "", False),
        (replace(THREAD, root="7.7"), "", True),  # the mention itself begins the thread
        (DIRECT, "", True),
        (OPEN, "", True),
        (OPEN, "41", False),
        (replace(OPEN, kind=ChannelKind.THREAD), "", False),
        (PAGE, "", True),
    ],
)
async def test_history_is_wanted_only_where_something_may_stand_before(
    record: Record, channel: object, reply_to: str, read: bool
) -> None:
    await record.inbox.accept(message(channel=channel, id="7.7", reply_to=reply_to))  # type: ignore[arg-type]
    assert await record.value("SELECT history_read FROM conversations") is read


async def test_each_platform_has_a_queue_of_its_own(record: Record) -> None:
    for channel in (THREAD, OPEN, PAGE):
        await record.inbox.accept(message(channel=channel))
    queues = await record.rows("SELECT queue_name FROM procrastinate_jobs ORDER BY 1")
    assert [row["queue_name"] for row in queues] == sorted([Platform.SLACK, Platform.DISCORD, Platform.WEB])
