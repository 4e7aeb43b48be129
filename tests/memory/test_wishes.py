"""What people ask of answers and threads, on a real Postgres."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from bot.dialogue import (
    Accepted,
    Author,
    Channel,
    ChannelKind,
    Granted,
    Outcome,
    Piece,
    Platform,
    Request,
    Turn,
    Wanted,
    Wish,
)
from bot.errors import LeaseLost, Superseded
from bot.memory.leaving import deleted_keys
from bot.memory.targets import OPEN as RUNNING
from tests.memory.conftest import ADA, BEN, DIRECT, OPEN, THREAD, Record, done, message

POST = "900.1"


def request(wish: Wish, channel: Channel = THREAD, person: Author = ADA, **rest: Any) -> Request:
    return Request(wish, person, channel, **rest)


async def state(record: Record, turn: Turn) -> tuple[str, str]:
    (row,) = await record.rows("SELECT state, wanted FROM turns WHERE id = :id", id=turn.id)
    return row["state"], row["wanted"]


async def texts(record: Record, turn: Turn) -> list[str]:
    recalled = await record.memory.recall(turn, 1_000)
    return [line.text for line in recalled.lines]


@pytest.mark.parametrize("named", [{}, {"message_id": POST}])
async def test_a_running_answer_is_stopped_and_its_holder_told(record: Record, named: dict[str, Any]) -> None:
    turn = await record.claimed("hello", channel=THREAD)
    await record.posted(turn)
    async with await psycopg.AsyncConnection.connect(record.url, autocommit=True) as listener:
        await listener.execute("LISTEN frontdesk")
        assert await record.wishes.stop(request(Wish.STOP, **named)) is Granted.DONE
        heard = [notice.payload async for notice in listener.notifies(timeout=2, stop_after=1)]
    assert heard[0] == f"turn:{turn.id}"
    with pytest.raises(Superseded):
        await record.turns.finish(turn, done())
    again = await record.turns.reload(turn)
    assert (again.wanted, again.revision) == (Wanted.STOP, turn.revision + 1)
    assert [one.text for one in again.question] == ["hello"]
    stopped = done("Well", outcome=Outcome.STOPPED)
    assert await record.turns.finish(again, stopped) is None
    assert await state(record, turn) == ("stopped", "stop")
    assert "stopped" not in RUNNING
    assert await record.value("SELECT text FROM messages WHERE said") == "Well"


async def test_a_second_press_of_stop_changes_nothing(record: Record) -> None:
    turn = await record.claimed("hello", channel=THREAD)
    assert await record.wishes.stop(request(Wish.STOP)) is Granted.DONE
    assert await record.wishes.stop(request(Wish.STOP)) is Granted.ALREADY
    assert (await record.turns.reload(turn)).revision == 1


async def test_what_waits_for_its_turn_is_stopped_before_it_begins(record: Record) -> None:
    await record.claimed(message("first", THREAD, BEN))
    await record.asked(message("second", THREAD))
    assert await record.wishes.stop(request(Wish.STOP)) is Granted.DONE
    rows = await record.rows("SELECT asker_id, wanted FROM turns ORDER BY id")
    assert [(row["asker_id"], row["wanted"]) for row in rows] == [("U2", "answer"), ("U1", "stop")]


async def test_only_the_asker_and_moderators_stop_and_repeat(record: Record) -> None:
    turn = await record.claimed("hello", channel=THREAD)
    for wish in (record.wishes.stop, record.wishes.again):
        assert await wish(request(Wish.STOP, person=BEN)) is Granted.NOT_YOURS
    assert await state(record, turn) == ("answering", "answer")
    assert await record.wishes.stop(request(Wish.STOP, person=BEN, moderator=True)) is Granted.DONE


async def test_a_message_after_a_stop_gets_a_turn_of_its_own(record: Record) -> None:
    await record.claimed("hello", channel=THREAD)
    await record.wishes.stop(request(Wish.STOP))
    assert await record.inbox.accept(message("and now?", THREAD)) is Accepted.NEW


async def test_nothing_is_stopped_where_nothing_runs(record: Record) -> None:
    assert await record.wishes.stop(request(Wish.STOP)) is Granted.NOTHING
    await record.exchange(message("hello", THREAD), "hi", THREAD)
    assert await record.wishes.stop(request(Wish.STOP)) is Granted.NOTHING


async def test_a_turn_of_another_place_is_out_of_reach(record: Record) -> None:
    turn = await record.claimed("hello", channel=THREAD)
    elsewhere = request(Wish.STOP, DIRECT, moderator=True, turn=turn.id)
    assert await record.wishes.stop(elsewhere) is Granted.NOTHING
    assert await record.wishes.why(request(Wish.WHY, DIRECT, turn=turn.id)) is None
    assert await state(record, turn) == ("answering", "answer")


async def test_a_repeated_answer_takes_the_place_of_the_old_one(record: Record) -> None:
    first = await record.claimed("one", channel=THREAD)
    await record.posted(first)
    await record.turns.finish(first, done("old words"))
    await record.exchange(message("two", THREAD), "second", THREAD)
    assert await record.wishes.again(request(Wish.AGAIN, message_id=POST)) is Granted.DONE
    await record.adds_up()
    again = await record.turns.claim(first.conversation.id)
    assert again is not None
    assert (first.again, again.again) == (False, True)
    assert (again.id, again.wanted, again.attempts) == (first.id, Wanted.ANSWER, 1)
    assert await texts(record, again) == ["one"]
    assert [slot.message_id for slot in await record.outbox.receipts(again, _Open()).standing()] == [POST]
    await record.turns.finish(again, done("new and longer words"))
    await record.adds_up()
    third = await record.claimed("three", channel=THREAD)
    assert await texts(record, third) == ["one", "new and longer words", "two", "second", "three"]
    async with record.database.transaction() as connection:
        assert await deleted_keys(connection, [first.asked.key]) == set()  # replaced is not deleted
    kept = await record.rows("SELECT text, withdrawn_at FROM messages WHERE said ORDER BY id")
    assert [(row["text"], row["withdrawn_at"] is None) for row in kept] == [
        ("old words", False),
        ("second", True),
        ("new and longer words", True),
    ]


async def test_an_answer_is_repeated_as_often_as_one_likes(record: Record) -> None:
    turn = await record.exchange(message("one", THREAD), "answer 0", THREAD)
    await record.exchange(message("two", THREAD), "second", THREAD)
    for number in range(1, 4):
        assert await record.wishes.again(request(Wish.AGAIN, turn=turn.id)) is Granted.DONE
        assert await record.wishes.again(request(Wish.AGAIN, turn=turn.id)) is Granted.ALREADY
        again = await record.turns.claim(turn.conversation.id)
        assert again is not None
        await record.turns.finish(again, done(f"answer {number}"))
        await record.adds_up()
    third = await record.claimed("three", channel=THREAD)
    assert await texts(record, third) == ["one", "answer 3", "two", "second", "three"]


async def test_a_repeated_answer_does_not_disturb_one_that_is_written(record: Record) -> None:
    first = await record.exchange(message("one", THREAD), "first", THREAD)
    second = await record.claimed("two", channel=THREAD)
    await record.wishes.again(request(Wish.AGAIN, turn=first.id))
    assert (await record.turns.reload(second)).revision == second.revision
    await record.posted(second)
    following = await record.turns.finish(second, done("second"))
    assert following is not None
    assert following.id == first.id
    await record.turns.finish(following, done("first anew"))
    third = await record.claimed("three", channel=THREAD)
    assert await texts(record, third) == ["one", "first anew", "two", "second", "three"]


async def test_who_died_over_a_repeated_answer_is_followed(record: Record) -> None:
    first = await record.exchange(message("one", THREAD), "first", THREAD)
    second = await record.claimed("two", channel=THREAD)
    await record.wishes.again(request(Wish.AGAIN, turn=first.id))
    await record.lease_runs_out(first.conversation.id)
    taken = await record.turns.claim(first.conversation.id)
    assert taken is not None
    assert taken.id == first.id  # the oldest open one
    with pytest.raises(LeaseLost):
        await record.turns.finish(second, done())
    following = await record.turns.finish(taken, done("first anew"))
    assert following is not None
    assert following.id == second.id


async def test_stop_and_again_at_once_leave_one_of_both_wanted(record: Record, another: Record) -> None:
    turn = await record.claimed("hello", channel=THREAD)
    results = await asyncio.gather(
        record.wishes.stop(request(Wish.STOP)), another.wishes.again(request(Wish.AGAIN))
    )
    wanted = (await record.turns.reload(turn)).wanted
    assert (tuple(results), wanted) in [
        ((Granted.DONE, Granted.DONE), Wanted.ANSWER),
        ((Granted.DONE, Granted.ALREADY), Wanted.STOP),
    ]


async def test_a_vote_is_kept_changed_and_taken_back(record: Record) -> None:
    turn = await record.claimed("hello", channel=THREAD)
    await record.posted(turn)
    votes = "SELECT person_id, up, reason FROM votes ORDER BY person_id"

    async def vote(value: str, reason: str = "", person: Author = BEN) -> None:
        asked = request(Wish.VOTE, person=person, value=value, reason=reason, message_id=POST)
        assert await record.wishes.vote(asked) is Granted.DONE

    await vote("up", "so \x00clear")
    await vote("up")
    await vote("down", person=ADA)
    rows = [tuple(row.values()) for row in await record.rows(votes)]
    assert rows == [("U1", False, ""), ("U2", True, "so clear")]
    await vote("down")
    assert (await record.rows(votes))[1] == {"person_id": "U2", "up": False, "reason": ""}
    await vote("")
    assert [row["person_id"] for row in await record.rows(votes)] == ["U1"]
    nowhere = request(Wish.VOTE, value="up", message_id="1.1")
    assert await record.wishes.vote(nowhere) is Granted.NOTHING


async def test_why_tells_of_the_post_the_number_or_the_newest(record: Record) -> None:
    turn = await record.claimed("hello", channel=THREAD)
    assert await record.wishes.why(request(Wish.WHY)) is None
    await record.posted(turn)
    await record.turns.finish(turn, done(model="m"))
    ways: list[dict[str, Any]] = [{}, {"message_id": POST}, {"turn": turn.id}, {"message_id": turn.asked.id}]
    for named in ways:
        why = await record.wishes.why(request(Wish.WHY, person=BEN, **named))
        assert why is not None
        assert (why.turn, why.model) == (turn.id, "m")


async def test_an_open_channel_s_newest_answer_is_the_person_s_own(record: Record) -> None:
    mine = await record.claimed(message("mine", OPEN, ADA))
    await record.claimed(message("yours", OPEN, BEN))
    assert await record.wishes.stop(request(Wish.STOP, OPEN)) is Granted.DONE
    assert await state(record, mine) == ("answering", "stop")


async def test_new_begins_a_conversation_only_where_it_is_direct(record: Record) -> None:
    first = await record.asked("hello")
    assert await record.wishes.new(request(Wish.NEW, DIRECT)) is Granted.DONE
    assert await record.asked("hello again") != first
    assert await record.wishes.new(request(Wish.NEW, THREAD)) is Granted.NOTHING


async def test_a_thread_is_quieted_and_followed_again(record: Record) -> None:
    assert await record.wishes.listen(request(Wish.QUIET)) is Granted.NOTHING
    await record.exchange(message("hello", THREAD), "hi", THREAD)
    assert await record.wishes.listen(request(Wish.QUIET, person=BEN)) is Granted.DONE
    assert await record.wishes.listen(request(Wish.QUIET)) is Granted.ALREADY
    assert await record.inbox.accept(message("and?", THREAD, mentions_bot=False)) is Accepted.KEPT
    assert await record.inbox.accept(message("you there?", THREAD)) is Accepted.NEW
    assert await record.wishes.listen(request(Wish.JOIN)) is Granted.DONE
    assert await record.inbox.accept(message("so?", THREAD, mentions_bot=False)) is not Accepted.KEPT


async def test_a_direct_channel_cannot_be_quieted(record: Record) -> None:
    await record.exchange("hello", "hi")
    assert await record.wishes.listen(request(Wish.QUIET, DIRECT)) is Granted.NOTHING


async def test_a_discord_thread_is_found_without_a_root(record: Record) -> None:
    place = Channel(Platform.DISCORD, "G1", "700", kind=ChannelKind.THREAD)
    turn = await record.claimed(message("hello", place))
    assert await record.wishes.stop(request(Wish.STOP, place)) is Granted.DONE
    assert await state(record, turn) == ("answering", "stop")


class _Open:
    async def check(self) -> None:
        """Let everything pass."""


async def test_a_stopped_answer_is_repeated_over_its_posts(record: Record) -> None:
    turn = await record.claimed("hello", channel=THREAD)
    receipts = record.outbox.receipts(turn, _Open())
    await receipts.sending(Piece(0, "Well, "))
    await receipts.sent(Piece(0, "Well, "), POST)
    await record.wishes.stop(request(Wish.STOP))
    turn = await record.turns.reload(turn)
    await record.turns.finish(turn, done("Well,", outcome=Outcome.STOPPED))
    assert await record.wishes.again(request(Wish.AGAIN)) is Granted.DONE
    again = await record.turns.claim(turn.conversation.id)
    assert again is not None
    assert again.wanted is Wanted.ANSWER
    assert [one.text for one in again.question] == ["hello"]


async def test_a_new_that_is_given_twice_is_done_once(record: Record, another: Record) -> None:
    first = await record.asked("hello")
    wish = request(Wish.NEW, DIRECT, asked_at=datetime(2026, 11, 23, 9, tzinfo=UTC))
    given = await asyncio.gather(*(door.wishes.new(wish) for door in [record, another] * 3))
    assert given == [Granted.DONE] * 6
    second = await record.asked("hello again")
    await another.wishes.new(wish)  # delivered once more, long after
    assert await record.asked("and on") == second != first
    await record.wishes.new(replace(wish, asked_at=datetime(2026, 11, 23, 9, 1, tzinfo=UTC)))
    assert await record.asked("anew") not in {first, second}


async def test_an_again_that_is_given_twice_replaces_one_answer(record: Record, another: Record) -> None:
    turn = await record.exchange(message("hello", THREAD), "hi", THREAD)
    wish = request(Wish.AGAIN, asked_at=later(1))
    assert await record.wishes.again(wish) is Granted.DONE
    again = await record.turns.claim(turn.conversation.id)
    assert again is not None
    await record.turns.finish(again, done("hi there"))
    assert await another.wishes.again(wish) is Granted.ALREADY  # delivered once more, after a restart
    assert await state(record, turn) == ("done", "answer")
    assert await another.wishes.again(replace(wish, asked_at=later(2))) is Granted.DONE
    await record.adds_up()


async def test_a_wish_that_comes_late_is_not_about_what_was_asked_since(record: Record) -> None:
    wish = request(Wish.STOP, asked_at=later(0))
    turn = await record.claimed(message("hello", THREAD, sent_at=later(1)))
    assert await record.wishes.stop(wish) is Granted.NOTHING
    assert await state(record, turn) == ("answering", "answer")
    assert await record.wishes.stop(replace(wish, asked_at=later(2))) is Granted.DONE


def later(minutes: int) -> datetime:
    """A moment behind those of the messages that the other tests send."""
    return datetime(2026, 11, 24, tzinfo=UTC) + timedelta(minutes=minutes)
