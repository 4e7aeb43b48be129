"""What people deleted is really erased after its time: texts, earlier texts, files, answers, posts."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.dialogue import File, Outcome, Request, Wish
from bot.memory.troubles import Troubles
from tests.memory.conftest import ADA, BEN, DIRECT, THREAD, Record, done, edited, message, watched

TABLES = ("messages", "message_revisions", "pieces", "attachments", "summary_blocks", "votes", "turns")


async def everything(record: Record) -> str:
    return str([await record.rows(f"SELECT * FROM {table}") for table in TABLES])


async def days_pass(record: Record, days: int) -> None:
    await record.rows("UPDATE messages SET erase_at = erase_at - make_interval(days => :days)", days=days)
    await record.rows(
        "UPDATE deletions SET deleted_at = deleted_at - make_interval(days => :days)", days=days
    )


async def test_all_that_was_made_of_a_deleted_question_is_erased_after_thirty_days(record: Record) -> None:
    asked = message("secret", THREAD, files=(File("secret.pdf"),))
    turn = await record.claimed(asked)
    await record.inbox.accept(edited(asked, "secret edited"))
    turn = await record.turns.reload(turn)
    await record.posted(turn, "secret post")
    await record.turns.finish(turn, done("secret answer", model="m"))
    await record.rows(
        "INSERT INTO attachments (message_id, ordinal, name, text) "
        "SELECT id, 0, 'secret', 'secret' FROM messages"
    )
    vote = Request(Wish.VOTE, BEN, THREAD, value="up", reason="secret reason", turn=turn.id)
    await record.wishes.vote(vote)
    await record.deleted(asked)
    taken = await record.turns.claim(turn.conversation.id)
    assert taken is not None
    await record.turns.finish(taken, done("", outcome=Outcome.WITHDRAWN))
    await days_pass(record, 29)
    await record.erasing.sweep()
    assert "secret" in await everything(record)
    await days_pass(record, 2)
    await record.erasing.sweep()
    left = await everything(record)
    assert "secret" not in left
    assert await record.value("SELECT count(*) FROM messages WHERE erase_at IS NOT NULL") == 0
    assert [row["up"] for row in await record.rows("SELECT up FROM votes")] == [True]


async def test_a_replaced_answer_stays_in_the_record(record: Record) -> None:
    turn = await record.exchange(message("hello", THREAD), "old words", THREAD)
    await record.wishes.again(Request(Wish.AGAIN, ADA, THREAD, turn=turn.id))
    await days_pass(record, 400)
    await record.erasing.sweep()
    assert "old words" in await everything(record)


async def test_with_its_question_a_replaced_answer_is_erased_too(record: Record) -> None:
    asked = message("hello", THREAD)
    turn = await record.exchange(asked, "old words", THREAD)
    await record.wishes.again(Request(Wish.AGAIN, ADA, THREAD, turn=turn.id))
    again = await record.turns.claim(turn.conversation.id)
    assert again is not None
    await record.turns.finish(again, done("new words"))
    await record.deleted(asked)
    await days_pass(record, 31)
    await record.erasing.sweep()
    assert "words" not in (await everything(record)).replace("'encoding': 'words'", "")


async def test_what_stands_is_never_erased(record: Record) -> None:
    await record.exchange(message("hello", THREAD), "standing words", THREAD)
    aside = message("secret", THREAD, BEN, mentions_bot=False, mentions_others=True)
    await record.inbox.accept(aside)
    await record.deleted(aside)
    await days_pass(record, 31)
    await record.erasing.sweep()
    left = await everything(record)
    assert "standing words" in left
    assert "secret" not in left


async def test_what_was_deleted_before_it_came_is_forgotten_after_a_day(record: Record) -> None:
    await record.deleted(message("unknown", THREAD))
    await record.erasing.sweep()
    assert await record.value("SELECT count(*) FROM deletions") == 1
    await days_pass(record, 2)
    await record.erasing.sweep()
    assert await record.value("SELECT count(*) FROM deletions") == 0


async def test_sweeping_often_looks_now_and_then(record: Record) -> None:
    record.erasing._every = 60.0
    record.erasing._swept = -60.0
    await record.erasing.sweep()
    with watched(record) as statements:
        await record.erasing.sweep()
    assert statements == []


async def test_a_trouble_is_noted_once_a_place_and_cleared_by_a_post_that_stands(record: Record) -> None:
    troubles, others = Troubles(record.database), Troubles(record.database)
    await troubles.note(THREAD, "PostRefused", "not_in_channel")
    await troubles.note(THREAD, "PermissionMissing", "missing_scope")
    await troubles.note(DIRECT, "PostRefused", "no")
    found = await troubles.all()
    assert [(one.place, one.kind, one.reason, one.times) for one in found] == [
        ("D1", "PostRefused", "no", 1),
        ("C1", "PermissionMissing", "missing_scope", 2),
    ]
    assert found[0].last_at <= datetime.now(UTC)
    with watched(record) as statements:
        await others.well(THREAD)
    assert statements == []  # not known there yet
    await others.refresh()
    await others.well(THREAD)
    assert [one.place for one in await troubles.all()] == ["D1"]
    with watched(record) as statements:
        await others.well(THREAD)
    assert statements == []
