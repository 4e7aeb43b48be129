"""Turns on a real Postgres: one holder, one ending, nothing by who lost the lease."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.dialogue import Answer, Manifest, Outcome, Piece, Platform, Span, Turn, Usage
from bot.errors import HeldElsewhere, LeaseLost, Superseded
from bot.memory.turns import LeaseTerms
from tests.memory.conftest import ADA, BEN, PAGE, THREAD, Open, Record, done, edited, message

TURN = "SELECT * FROM turns WHERE id = :id"


async def test_one_of_two_workers_gets_the_turn_and_the_other_is_told_how_long(
    record: Record, another: Record
) -> None:
    conversation = await record.asked("hello")
    claims = (record.turns.claim(conversation), another.turns.claim(conversation))
    results = await asyncio.gather(*claims, return_exceptions=True)
    (held,) = [result for result in results if isinstance(result, HeldElsewhere)]
    (turn,) = [result for result in results if isinstance(result, Turn)]
    assert 0 < held.seconds <= record.terms.seconds + record.terms.call + 0.1
    assert turn.asked.text == "hello"
    assert (turn.epoch, turn.attempts, turn.revision) == (1, 1, 0)


async def test_nothing_is_claimed_where_nothing_is_open(record: Record) -> None:
    await record.exchange("hello", "yes")
    conversation = int(await record.value("SELECT id FROM conversations"))
    assert await record.turns.claim(conversation) is None
    assert await record.turns.claim(10**9) is None
    # Looking for work holds nobody up.
    assert await record.turns.claim(conversation) is None


async def test_a_lease_is_taken_over_only_after_it_and_the_longest_call(record: Record) -> None:
    record.turns._terms = LeaseTerms(seconds=0.3, call=0.3)
    turn = await record.claimed("hello")
    waited = 0.0
    while True:
        try:
            taken = await record.turns.claim(turn.conversation.id)
        except HeldElsewhere as error:
            waited += error.seconds
            await asyncio.sleep(error.seconds)
        else:
            break
    assert 0.5 < waited < 0.7
    assert taken is not None
    assert (taken.id, taken.epoch, taken.attempts) == (turn.id, turn.epoch + 1, 2)


ByTheOld = Callable[[Record, Turn], Awaitable[Any]]


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda record, turn: record.turns.finish(turn, done()), id="finish"),
        pytest.param(lambda record, turn: record.turns.reload(turn), id="reload"),
        pytest.param(lambda record, turn: record.turns.release(turn), id="release"),
        pytest.param(
            lambda record, turn: record.outbox.receipts(turn, Open()).sending(Piece(1, "x")), id="sending"
        ),
        pytest.param(
            lambda record, turn: record.outbox.receipts(turn, Open()).sent(Piece(0, "x"), "9"), id="sent"
        ),
        pytest.param(lambda record, turn: record.outbox.receipts(turn, Open()).removed(0), id="removed"),
    ],
)
async def test_who_lost_the_lease_writes_nothing(record: Record, write: ByTheOld) -> None:
    old = await record.claimed("hello")
    await record.outbox.receipts(old, Open()).sending(Piece(0, "Well"))
    await record.lease_runs_out(old.conversation.id)
    assert await record.turns.claim(old.conversation.id) is not None
    everything = "SELECT * FROM conversations, turns, pieces, messages"
    before = await record.rows(everything)
    with pytest.raises(LeaseLost):
        await write(record, old)
    assert await record.rows(everything) == before


async def test_an_ending_is_kept_whole(record: Record) -> None:
    turn = await record.claimed("hello")
    await record.outbox.receipts(turn, Open()).sending(Piece(0, "Well"))
    manifest = Manifest(whole=(Span(1, 2, 30),), budget=100, tokens=30)
    usage = Usage(50, 8)
    answer = done("two words", model="m", usage=usage, manifest=manifest, first_text_seconds=0.5, seconds=1.5)
    assert await record.turns.finish(turn, answer) is None
    (row,) = await record.rows(TURN, id=turn.id)
    assert (row["state"], row["model"], row["prompt_tokens"], row["completion_tokens"]) == (
        "done",
        "m",
        50,
        8,
    )
    assert (row["seconds"], row["first_text_seconds"]) == (1.5, 0.5)
    assert row["manifest"]["whole"] == [{"first": 1, "last": 2, "tokens": 30}]
    (said,) = await record.rows("SELECT * FROM messages WHERE said")
    assert (said["text"], said["position"], said["author_name"]) == ("two words", 2, "Frontdesk")
    assert (said["tokens"], said["cumulative_tokens"]) == (3 + 4, 6 + 7)
    assert (said["turn_id"], said["parent_id"] is not None) == (turn.id, True)
    assert await record.value("SELECT state FROM pieces") == "final"
    (ended,) = await record.rows("SELECT lease_until, total_tokens, last_position FROM conversations")
    assert ended == {"lease_until": None, "total_tokens": 13, "last_position": 2}


async def test_an_ending_without_text_says_nothing_but_tells_what_it_cost(record: Record) -> None:
    turn = await record.claimed("hello")
    failed = Answer(Outcome.FAILED, "", usage=Usage(40, 2), error="model-cut")
    await record.turns.finish(turn, failed)
    (row,) = await record.rows(TURN, id=turn.id)
    assert (row["state"], row["error"], row["prompt_tokens"]) == ("failed", "model-cut", 40)
    assert await record.value("SELECT count(*) FROM messages WHERE said") == 0


async def test_an_answer_with_null_bytes_is_kept_without_them(record: Record) -> None:
    turn = await record.claimed("hello")
    receipts = record.outbox.receipts(turn, Open())
    await receipts.sending(Piece(0, "a\x00b"))
    await receipts.sent(Piece(0, "a\x00b\ud83d"), "9")
    await record.turns.finish(turn, done("a\x00b"))
    assert await record.value("SELECT text FROM messages WHERE said") == "ab"
    assert await record.value("SELECT text FROM pieces") == "ab?"


async def test_the_next_turn_is_taken_up_in_the_same_commit(record: Record) -> None:
    first = await record.claimed("first", channel=THREAD)
    await record.inbox.accept(message("second", THREAD, BEN))
    following = await record.turns.finish(first, done())
    assert following is not None
    assert (following.asked.text, following.epoch, following.attempts) == ("second", first.epoch, 1)
    with pytest.raises(HeldElsewhere):
        await record.turns.claim(first.conversation.id)


async def test_an_ending_is_refused_where_the_question_was_changed(record: Record) -> None:
    asked = message("frist")
    turn = await record.claimed(asked)
    await record.inbox.accept(edited(asked, "first"))
    with pytest.raises(Superseded):
        await record.turns.finish(turn, done())
    assert await record.value("SELECT state FROM turns") == "answering"
    assert await record.value("SELECT count(*) FROM messages WHERE said") == 0
    again = await record.turns.reload(turn)
    assert again.asked.text == "first"
    assert await record.turns.finish(again, done()) is None


async def test_a_turn_that_is_over_is_neither_ended_again_nor_given_back(record: Record) -> None:
    # A process that was told to stop cannot know whether its last commit went through.
    turn = await record.exchange("hello", "yes")
    with pytest.raises(LeaseLost):
        await record.turns.release(turn)
    with pytest.raises(LeaseLost):
        await record.turns.finish(turn, done("yes again"))
    assert await record.value("SELECT state FROM turns") == "done"
    assert await record.turns.claim(turn.conversation.id) is None


async def test_tries_are_counted_but_not_those_given_back(record: Record) -> None:
    turn = await record.claimed("hello")
    again = turn
    for attempts in (2, 3):
        await record.lease_runs_out(turn.conversation.id)
        claimed = await record.turns.claim(turn.conversation.id)
        assert claimed is not None
        assert claimed.attempts == attempts
        again = claimed
    await record.turns.release(again)
    taken = await record.turns.claim(turn.conversation.id)
    assert taken is not None
    assert (taken.id, taken.attempts, taken.epoch) == (turn.id, 3, again.epoch + 2)


async def test_a_try_of_a_process_that_was_only_slow_does_not_count_for_some_minutes(record: Record) -> None:
    slow = await record.claimed("hello")
    await record.lease_runs_out(slow.conversation.id)
    taken = await record.turns.claim(slow.conversation.id)
    assert taken is not None
    await record.turns.forgive(slow)
    assert await record.value("SELECT attempts FROM turns") == 1
    assert await record.turns.finish(taken, done("all of it")) is None
    await record.turns.forgive(slow)
    assert await record.value("SELECT attempts FROM turns") == 1
    late = await record.claimed("again")
    await record.rows("UPDATE turns SET created_at = now() - interval '11 minutes'")
    await record.turns.forgive(late)
    assert await record.value("SELECT max(attempts) FROM turns WHERE id = :id", id=late.id) == 1


async def test_a_turn_given_back_for_a_while_is_taken_by_nobody_meanwhile(record: Record) -> None:
    turn = await record.claimed("hello")
    await record.turns.release(turn, 30.0)
    with pytest.raises(HeldElsewhere) as held:
        await record.turns.claim(turn.conversation.id)
    assert 29 < held.value.seconds <= 30


async def test_a_turn_broken_off_in_its_midst_waits_for_the_call_that_may_still_be_carried_out(
    record: Record,
) -> None:
    record.turns._terms = LeaseTerms(seconds=5.0, call=20.0)
    turn = await record.claimed("hello")
    await record.turns.hand_over(turn)
    with pytest.raises(HeldElsewhere) as held:
        await record.turns.claim(turn.conversation.id)
    assert 19 < held.value.seconds <= 20


async def test_a_turn_is_not_taken_for_begun_twice(record: Record) -> None:
    turn = await record.claimed("hello")
    (before,) = await record.rows(TURN, id=turn.id)
    await record.turns.release(turn)
    await record.turns.claim(turn.conversation.id)
    (after,) = await record.rows(TURN, id=turn.id)
    assert before["started_at"] == after["started_at"]


async def test_only_lost_conversations_are_woken_and_only_once(record: Record) -> None:
    lost = await record.asked("lost", channel=THREAD)
    waiting = await record.asked("has its wake-up", channel=replace(THREAD, root="2.2"))
    held = await record.claimed("is answered", channel=replace(THREAD, root="3.3"))
    answered = await record.exchange(
        message(channel=replace(THREAD, root="4.4")), "x", replace(THREAD, root="4.4")
    )
    foreign = await record.asked("of another process", channel=PAGE)
    await record.rows("DELETE FROM procrastinate_jobs WHERE lock != :lock", lock=f"answer:{waiting}")
    assert await record.turns.wake_open([Platform.SLACK]) == 1
    assert await record.turns.wake_open([Platform.SLACK]) == 0
    locks = {row["lock"] for row in await record.rows("SELECT lock FROM procrastinate_jobs")}
    assert locks == {f"answer:{lost}", f"answer:{waiting}"}
    assert await record.value("SELECT count(*) FROM procrastinate_jobs") == 2
    assert held.conversation.id != answered.conversation.id != foreign
    await record.lease_runs_out(held.conversation.id)
    assert await record.turns.wake_open([Platform.SLACK, Platform.WEB]) == 2


async def test_a_turn_is_fresh_only_when_it_is_taken_up_for_the_first_time(record: Record) -> None:
    first = await record.claimed("hello")
    assert first.fresh
    assert not (await record.turns.reload(first)).fresh
    await record.turns.release(first)
    await record.lease_runs_out(first.conversation.id)
    again = await record.turns.claim(first.conversation.id)
    assert again is not None
    assert (again.attempts, again.fresh) == (1, False)
    await record.asked(message("and?", author=BEN))
    following = await record.turns.finish(again, done())
    assert following is not None
    assert following.fresh


async def test_an_ending_counts_no_tokens_since_each_generation_did(record: Record) -> None:
    turn = await record.claimed("hello")
    await record.turns.finish(turn, done(usage=Usage(100, 20)))
    assert await record.memory.spent_today(turn.conversation.id) == 0


async def test_many_endings_and_questions_at_once_wait_for_each_other_in_no_ring(
    record: Record, another: Record
) -> None:
    channels = [replace(THREAD, root=f"{number}.0") for number in range(6)]
    turns = [await record.claimed("hello", channel=channel) for channel in channels]
    results = await asyncio.gather(
        *(record.turns.finish(turn, done(usage=Usage(1, 1))) for turn in turns),
        *(another.inbox.accept(message("more", channel, BEN)) for channel in channels),
        *(record.inbox.accept(message("more", channel, ADA)) for channel in reversed(channels)),
        another.turns.wake_open([Platform.SLACK]),
        return_exceptions=True,
    )
    failed = [result for result in results if isinstance(result, BaseException)]
    assert not [failure for failure in failed if not isinstance(failure, Superseded)]
