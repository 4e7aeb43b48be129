"""The record of posts: before and after each call to a platform."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.dialogue import Piece, Slot
from bot.errors import LeaseLost, Superseded
from bot.memory.outbox import TurnReceipts
from tests.memory.conftest import PAGE, THREAD, Open, Record, done, edited, message


class Closed:
    """A fence that is down."""

    async def check(self) -> None:
        raise LeaseLost("it ran out")


@pytest.fixture
async def receipts(record: Record) -> TurnReceipts:
    return record.outbox.receipts(await record.claimed("hello", channel=THREAD), Open())


async def test_a_post_is_recorded_before_and_after(record: Record, receipts: TurnReceipts) -> None:
    slot = await receipts.sending(Piece(0, "Well"))
    assert (slot.ordinal, slot.message_id, slot.unsure) == (0, "", False)
    assert 16 <= len(slot.nonce) <= 25
    assert slot.recorded_at is not None
    (row,) = await record.rows("SELECT * FROM pieces")
    assert (row["state"], row["text"], row["message_id"]) == ("sending", "Well", None)
    await receipts.check()
    await receipts.sent(Piece(0, "Well,"), "200.5")
    (row,) = await record.rows("SELECT * FROM pieces")
    assert (row["state"], row["text"], row["message_id"]) == ("sent", "Well,", "200.5")
    assert row["key"] == "slack:T1:C1:200.5"
    assert await receipts.standing() == [replace(slot, message_id="200.5", text="Well,")]


async def test_the_last_text_of_a_post_on_record_is_left_to_the_end_of_the_turn(
    record: Record, receipts: TurnReceipts
) -> None:
    await receipts.sending(Piece(0, "Well"))
    await receipts.sent(Piece(0, "Well"), "200.5")
    before = await record.value("SELECT xmin::text FROM pieces")
    await receipts.sent(Piece(0, "Well, yes", done=True, last=True), "200.5")
    assert await record.value("SELECT xmin::text FROM pieces") == before
    await receipts.sent(Piece(0, "Well, yes", done=True, last=True), "200.9")
    assert await record.value("SELECT message_id FROM pieces") == "200.9"


async def test_a_page_s_last_text_is_recorded_since_the_record_is_what_it_shows(record: Record) -> None:
    receipts = record.outbox.receipts(await record.claimed("hello", channel=PAGE), Open())
    await receipts.sending(Piece(0, "Well"))
    await receipts.sent(Piece(0, "Well"), "n")
    await receipts.sent(Piece(0, "Well, yes", done=True, last=True), "n")
    assert await record.value("SELECT text FROM pieces") == "Well, yes"


async def test_the_first_piece_makes_the_answer_seen_and_only_once(
    record: Record, receipts: TurnReceipts
) -> None:
    await receipts.sending(Piece(0, "Well"))
    seen = await record.value("SELECT visible_at FROM turns")
    assert seen is not None
    await receipts.sending(Piece(1, "and"))
    assert await record.value("SELECT visible_at FROM turns") == seen


async def test_what_died_before_its_id_was_known_is_unsure(record: Record, receipts: TurnReceipts) -> None:
    first = await receipts.sending(Piece(0, "Well"))
    await receipts.sent(Piece(0, "Well"), "200.5")
    second = await receipts.sending(Piece(1, "and"))
    turn = await record.turns.reload(receipts._turn)
    await record.lease_runs_out(turn.conversation.id)
    taken = await record.turns.claim(turn.conversation.id)
    assert taken is not None
    later = record.outbox.receipts(taken, Open())
    known, unsure = await later.standing()
    assert (known.nonce, known.message_id, known.unsure) == (first.nonce, "200.5", False)
    assert (unsure.nonce, unsure.message_id, unsure.unsure) == (second.nonce, "", True)
    again = await later.sending(Piece(1, "and more"))
    assert (again.nonce, again.unsure, again.recorded_at) == (second.nonce, True, second.recorded_at)


async def test_a_piece_that_was_removed_is_posted_anew_under_another_nonce(
    record: Record, receipts: TurnReceipts
) -> None:
    first = await receipts.sending(Piece(0, "Well"))
    await receipts.sent(Piece(0, "Well"), "200.5")
    await receipts.removed(0)
    assert await receipts.standing() == []
    assert await receipts.owns("200.5")
    again = await receipts.sending(Piece(0, "Anew"))
    assert again.nonce != first.nonce
    assert (again.message_id, again.unsure) == ("", False)
    assert await record.value("SELECT text FROM pieces") == "Anew"


async def test_a_post_of_any_answer_in_the_channel_is_owned(record: Record, receipts: TurnReceipts) -> None:
    await receipts.sending(Piece(0, "Well"))
    await receipts.sent(Piece(0, "Well"), "200.5")
    elsewhere = replace(THREAD, id="C2", root="9.9")
    other = record.outbox.receipts(await record.claimed("hello", channel=elsewhere), Open())
    assert await receipts.owns("200.5")
    assert not await other.owns("200.5")
    assert not await receipts.owns("200.6")


async def test_two_pieces_never_share_a_nonce(receipts: TurnReceipts) -> None:
    slots = [await receipts.sending(Piece(ordinal, "x")) for ordinal in range(20)]
    assert len({slot.nonce for slot in slots}) == 20
    assert [slot.ordinal for slot in await receipts.standing()] == list(range(20))


async def test_nothing_is_posted_for_a_question_that_was_changed(record: Record) -> None:
    asked = message("frist", THREAD)
    turn = await record.claimed(asked, channel=THREAD)
    await record.inbox.accept(edited(asked, "first"))
    with pytest.raises(Superseded):
        await record.outbox.receipts(turn, Open()).sending(Piece(0, "Well"))
    assert await record.value("SELECT count(*) FROM pieces") == 0
    assert await record.value("SELECT visible_at FROM turns") is None


async def test_the_fence_is_asked_before_each_call(record: Record) -> None:
    receipts = record.outbox.receipts(await record.claimed("hello"), Closed())
    with pytest.raises(LeaseLost):
        await receipts.check()


async def test_pieces_stand_final_after_the_end(record: Record, receipts: TurnReceipts) -> None:
    for ordinal in (0, 1):
        await receipts.sending(Piece(ordinal, "x"))
        await receipts.sent(Piece(ordinal, "x"), f"200.{ordinal}")
    await receipts.removed(1)
    await record.turns.finish(receipts._turn, done())
    states = await record.rows("SELECT ordinal, state FROM pieces ORDER BY ordinal")
    assert [row["state"] for row in states] == ["final", "removed"]


async def test_only_pages_are_told_of_growing_posts(record: Record, receipts: TurnReceipts) -> None:
    page = record.outbox.receipts(await record.claimed("hello", channel=PAGE), Open())
    heard: list[str] = []
    from tests.memory.conftest import running, until

    with record.bell.subscribe("conversation:", heard.append):
        async with running(record.bell.run()):
            await until(lambda: len(heard) == 1)
            for each in (receipts, page):
                slot: Slot = await each.sending(Piece(0, "x"))
                await each.sent(Piece(0, "x"), f"m{slot.ordinal}")
            await until(lambda: len(heard) == 2)
    assert heard[1] == f"conversation:{page._turn.conversation.id}"
