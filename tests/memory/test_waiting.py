"""Turns that wait unseen: found once, told under the lease, and given back as if nothing had been."""

from __future__ import annotations

import asyncio

import pytest

from bot.dialogue import Accepted, Piece, Platform, Request, Turn, Wanted, Wish
from bot.errors import HeldElsewhere, LeaseLost
from bot.memory.waiting import Waiting
from tests.memory.conftest import ADA, BEN, DIRECT, QUICK, THREAD, Open, Record, done, edited, message

SCHEDULE = "UPDATE procrastinate_jobs SET scheduled_at = now() + interval '1 minute'"
DUE = (
    "SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo' AND coalesce(scheduled_at <= now(), true)"
)


def waiting(record: Record, after: float = 0.0) -> Waiting:
    return Waiting(record.database, [Platform.SLACK], QUICK, after)


async def untold(record: Record, after: float = 0.0) -> list[int]:
    return [number for number, _ in await waiting(record, after).untold()]


async def told(record: Record, number: int) -> Turn:
    """Tell that somebody waits, up to where the turn is given back."""
    taken = await waiting(record).take(number)
    assert taken is not None
    receipts = record.outbox.receipts(taken[0], Open(), provisional=True)
    await receipts.sending(Piece(0, "You wait"))
    await receipts.sent(Piece(0, "You wait"), "900.1")
    await waiting(record).give_back(*taken, told=True)
    return taken[0]


async def test_who_waits_is_found_after_some_seconds_and_once(record: Record) -> None:
    await record.asked("hello")
    assert await untold(record, 5.0) == []
    await record.rows("UPDATE turns SET created_at = created_at - interval '6 seconds'")
    (found,) = await waiting(record, 5.0).untold()
    assert found[1] == DIRECT
    await told(record, found[0])
    assert await untold(record) == []
    assert await waiting(record).take(found[0]) is None


async def test_other_platforms_turns_are_other_processes_affair(record: Record) -> None:
    await record.asked("hello")
    assert await Waiting(record.database, [Platform.DISCORD], QUICK, 0.0).untold() == []


async def test_who_waits_behind_an_answer_on_its_way_sees_it_grow(record: Record) -> None:
    turn = await record.claimed(message("one", THREAD, ADA), channel=THREAD)
    await record.asked(message("two", THREAD, BEN))
    assert await untold(record) == []
    (later,) = await record.rows("SELECT id FROM turns WHERE state = 'waiting'")
    assert await waiting(record).take(later["id"]) is None
    await record.turns.release(turn)
    assert await untold(record) == [turn.id]  # and the later one once something of this stands


async def test_telling_counts_as_no_try_and_as_nothing_seen(record: Record) -> None:
    conversation = await record.asked("hello")
    (number,) = await untold(record)
    await told(record, number)
    row = (await record.rows("SELECT state, attempts, visible_at, started_at FROM turns"))[0]
    assert dict(row) == {"state": "waiting", "attempts": 0, "visible_at": None, "started_at": None}
    assert await record.inbox.accept(message("and this", DIRECT)) is Accepted.JOINED
    turn = await record.turns.claim(conversation)
    assert turn is not None
    assert (len(turn.question), turn.attempts) == (2, 1)


async def test_the_answer_takes_the_place_of_the_word(record: Record) -> None:
    conversation = await record.asked("hello")
    (number,) = await untold(record)
    await told(record, number)
    turn = await record.turns.claim(conversation)
    assert turn is not None
    receipts = record.outbox.receipts(turn, Open())
    (standing,) = await receipts.standing()
    assert (standing.message_id, standing.provisional) == ("900.1", True)
    slot = await receipts.sending(Piece(0, "The answer"))
    assert slot.message_id == "900.1"
    await receipts.sent(Piece(0, "The answer"), "900.1")
    assert [slot.provisional for slot in await receipts.standing()] == [False]
    await record.turns.finish(turn, done("The answer"))
    assert await record.value("SELECT text FROM pieces WHERE state = 'final'") == "The answer"


async def test_while_it_is_told_nobody_answers_and_after_that_at_once(record: Record) -> None:
    conversation = await record.asked("hello")
    (number,) = await untold(record)
    taken = await waiting(record).take(number)
    assert taken is not None
    with pytest.raises(HeldElsewhere):
        await record.turns.claim(conversation)
    await record.rows(SCHEDULE)  # as who came meanwhile does
    await waiting(record).give_back(*taken, told=True)
    assert await record.value(DUE) == 1
    assert await record.turns.claim(conversation) is not None


async def test_a_pause_goes_on_after_it_was_told(record: Record) -> None:
    turn = await record.claimed("hello")
    await record.turns.release(turn, 60.0)
    await record.rows(SCHEDULE)
    await told(record, turn.id)
    assert await record.value(DUE) == 0
    with pytest.raises(HeldElsewhere) as held:
        await record.turns.claim(turn.conversation.id)
    assert 50 < held.value.seconds <= 60


async def test_a_pause_shorter_than_a_call_goes_on_too(record: Record) -> None:
    turn = await record.claimed("hello")
    await record.turns.release(turn, QUICK.call / 2)
    await record.rows(SCHEDULE)
    taken = await waiting(record).take(turn.id)
    assert taken is not None
    assert 0 <= taken[1] <= QUICK.call / 2
    await waiting(record).give_back(taken[0], 0.05, told=True)
    assert await record.value(DUE) == 0


async def test_what_was_told_beside_something_newer_is_told_again(record: Record) -> None:
    await record.asked("hello")
    (number,) = await untold(record)
    taken = await waiting(record).take(number)
    assert taken is not None
    await waiting(record).give_back(*taken, told=False)
    assert await untold(record) == [number]


async def test_a_dead_teller_is_taken_over_like_any_other(record: Record, another: Record) -> None:
    conversation = await record.asked("hello")
    (number,) = await untold(record)
    taken = await waiting(record).take(number)
    assert taken is not None
    receipts = record.outbox.receipts(taken[0], Open(), provisional=True)
    await receipts.sending(Piece(0, "You wait"))
    await record.lease_runs_out(conversation)
    turn = await another.turns.claim(conversation)
    assert turn is not None
    with pytest.raises(LeaseLost):
        await receipts.sent(Piece(0, "You wait"), "900.1")
    await waiting(record).give_back(*taken, told=True)  # which is nobody's any more
    assert await record.value("SELECT state FROM turns") == "answering"
    (slot,) = await another.outbox.receipts(turn, Open()).standing()
    assert slot.unsure


async def test_of_two_processes_one_tells(record: Record, another: Record) -> None:
    await record.asked("hello")
    (number,) = await untold(record)
    taken = await asyncio.gather(*(waiting(one).take(number) for one in (record, another)))
    assert sum(one is not None for one in taken) == 1


async def test_a_stop_ends_a_pause_at_once(record: Record) -> None:
    turn = await record.claimed(asked := message("hello"))
    await record.turns.release(turn, 60.0)
    await record.rows(SCHEDULE)
    await record.wishes.stop(Request(Wish.STOP, ADA, DIRECT))
    assert await record.value(DUE) == 1
    stopping = await record.turns.claim(turn.conversation.id)
    assert stopping is not None
    assert stopping.wanted is Wanted.STOP
    assert stopping.asked.id == asked.id
    assert await untold(record) == []


async def test_a_deletion_ends_a_pause_at_once(record: Record) -> None:
    turn = await record.claimed(asked := message("hello"))
    await record.turns.release(turn, 60.0)
    await record.rows(SCHEDULE)
    await record.deleted(asked)
    assert await record.value(DUE) == 1
    gone = await record.turns.claim(turn.conversation.id)
    assert gone is not None
    assert gone.wanted is Wanted.WITHDRAW


async def test_a_wish_takes_no_lease_from_who_holds_it(record: Record) -> None:
    turn = await record.claimed("hello")
    await record.wishes.stop(Request(Wish.STOP, ADA, DIRECT))
    with pytest.raises(HeldElsewhere):
        await record.turns.claim(turn.conversation.id)


async def test_an_edit_while_one_waits_is_what_is_answered(record: Record) -> None:
    conversation = await record.asked(first := message("hello"))
    (number,) = await untold(record)
    await told(record, number)
    assert await record.inbox.accept(edited(first, "hello there")) is Accepted.REVISED
    turn = await record.turns.claim(conversation)
    assert turn is not None
    assert turn.asked.text == "hello there"


async def test_how_long_a_turn_is_tried_is_told_by_the_database(record: Record) -> None:
    turn = await record.claimed("hello")
    assert turn.tried_for == 0.0
    await record.turns.release(turn)
    await record.rows("UPDATE turns SET started_at = started_at - interval '90 seconds'")
    again = await record.turns.claim(turn.conversation.id)
    assert again is not None
    assert 90 <= again.tried_for < 120


async def test_the_look_uses_the_index_of_the_untold(record: Record) -> None:
    number = await record.asked("hello")
    fill = """
        INSERT INTO turns (conversation_id, asker_id, state)
        SELECT :id, 'U', 'done' FROM generate_series(1, 5000)
    """
    await record.rows(fill, id=number)
    await record.rows("ANALYZE turns")
    look = (
        "SELECT id FROM turns WHERE state = 'waiting' AND queued_told_at IS NULL AND visible_at IS NULL "
        "AND created_at < now() - interval '5 s' ORDER BY created_at LIMIT 500"
    )
    plan = str((await record.rows(f"EXPLAIN (FORMAT JSON) {look}"))[0]["QUERY PLAN"])
    assert "turns_untold_index" in plan


async def test_a_post_that_may_still_be_carried_out_is_waited_out(record: Record) -> None:
    number = await record.asked("hello")
    await record.rows("UPDATE turns SET created_at = now() - interval '6 seconds'")
    turn = await record.value("SELECT id FROM turns")
    taken = await waiting(record).take(turn)
    assert taken is not None
    await waiting(record).give_back(taken[0], 0.0, told=True, ended=False)
    with pytest.raises(HeldElsewhere) as held:
        await record.turns.claim(number)
    assert 0 < held.value.seconds <= record.terms.call


async def test_who_comes_second_is_told_only_once_something_of_the_first_stands(record: Record) -> None:
    number = await record.asked("first", channel=THREAD)
    await record.asked(message("second", THREAD, BEN), channel=THREAD)
    first = await record.turns.claim(number)
    assert first is not None
    receipts = record.outbox.receipts(first, Open())
    await receipts.sending(Piece(0, "Well"))  # and the platform did not take it
    await record.turns.release(first)
    await record.rows("UPDATE turns SET created_at = now() - interval '6 seconds'")
    assert await waiting(record).untold() == []
    again = await record.turns.claim(number)
    assert again is not None
    await record.posted(again)
    await record.turns.release(again)
    ((turn, _),) = await waiting(record).untold()
    assert turn == first.id + 1
