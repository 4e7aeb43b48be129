"""Delivery by plain posts keeps its order of record and call, whatever dies or changes in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from bot.adapters import posting
from bot.adapters.posting import PostGone, post_and_edit
from bot.dialogue import Piece, Slot
from bot.errors import LeaseLost, PlatformDown, StoreDown, StreamCut, Superseded
from tests.fakes import FakeReceipts, pieces_of

LONG = 3_600.0


class Wall:
    """A platform in memory: posts by id, with nonces, and every call in order."""

    def __init__(self) -> None:
        self.posts: dict[str, str] = {}
        self.nonces: dict[str, str] = {}
        self.calls: list[str] = []
        self.times: list[float] = []
        self.lost: dict[int, str] = {}
        self.broken = False
        self.slow: asyncio.Event | None = None
        self._changed = asyncio.Event()

    async def until(self, predicate: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not predicate():
                self._changed.clear()
                await self._changed.wait()

    async def post(self, piece: Piece, nonce: str) -> str:
        if self.slow is not None:
            self._note("begun")
            await self.slow.wait()
        message_id = f"m{len(self.nonces)}"
        self.nonces[nonce] = message_id
        self.posts[message_id] = piece.text
        self._note("post")
        return message_id

    async def edit(self, message_id: str, piece: Piece) -> None:
        if message_id not in self.posts:
            raise PostGone(message_id)
        self.posts[message_id] = piece.text
        self._note("edit")

    async def delete(self, message_id: str, *, fenced: bool = True) -> None:
        self._note("delete")
        if self.broken:
            raise PlatformDown("no answer")
        self.posts.pop(message_id, None)

    async def find(self, slot: Slot) -> str | None:
        self._note("find")
        return self.lost.get(slot.ordinal)

    def _note(self, call: str) -> None:
        self.calls.append(call)
        self.times.append(asyncio.get_running_loop().time())
        self._changed.set()


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def receipts() -> FakeReceipts:
    return FakeReceipts()


def _unsure(ordinal: int) -> Slot:
    return Slot(ordinal, f"n{ordinal}", unsure=True, recorded_at=datetime.now(UTC))


async def test_an_answer_that_is_whole_at_first_sight_costs_one_post(
    wall: Wall, receipts: FakeReceipts
) -> None:
    await post_and_edit(pieces_of(Piece(0, "All of it.", done=True)), receipts, wall, LONG)

    assert wall.calls == ["post"]
    assert receipts.log == [("sending", 0), ("sent", 0)]
    assert list(wall.posts.values()) == ["All of it."]


async def test_growing_text_is_one_post_and_edits(wall: Wall, receipts: FakeReceipts) -> None:
    pieces = pieces_of(Piece(0, "A"), Piece(0, "A b"), Piece(0, "A b c", done=True))
    await post_and_edit(pieces, receipts, wall, 0.0)

    assert wall.calls == ["post", "edit", "edit"]
    assert list(wall.posts.values()) == ["A b c"]


async def test_edits_keep_the_pace(wall: Wall, receipts: FakeReceipts) -> None:
    async def growing() -> AsyncIterator[Piece]:
        for size in range(1, 9):
            yield Piece(0, "word " * size)
        yield Piece(0, "the end", done=True)

    await post_and_edit(growing(), receipts, wall, 0.25)

    calm = wall.times[:-1]
    assert all(later - sooner >= 0.25 for sooner, later in pairwise(calm))
    assert 2 < len(wall.calls) < 9
    assert list(wall.posts.values()) == ["the end"]


async def test_the_last_text_does_not_wait_for_the_pace(wall: Wall, receipts: FakeReceipts) -> None:
    pieces = pieces_of(Piece(0, "begun"), Piece(0, "finished", done=True))
    async with asyncio.timeout(5):
        await post_and_edit(pieces, receipts, wall, LONG)

    assert list(wall.posts.values()) == ["finished"]


async def test_text_that_never_was_marked_done_stands_whole_at_the_end(
    wall: Wall, receipts: FakeReceipts
) -> None:
    async with asyncio.timeout(5):
        await post_and_edit(pieces_of(Piece(0, "a"), Piece(0, "ab")), receipts, wall, LONG)

    assert list(wall.posts.values()) == ["ab"]


async def test_waiting_text_is_shown_when_the_pace_allows_while_the_model_is_silent(
    wall: Wall, receipts: FakeReceipts
) -> None:
    shown = asyncio.Event()

    async def stuck() -> AsyncIterator[Piece]:
        yield Piece(0, "one")
        yield Piece(0, "one two")
        await shown.wait()

    delivery = asyncio.create_task(post_and_edit(stuck(), receipts, wall, 0.2))
    await wall.until(lambda: list(wall.posts.values()) == ["one two"])
    shown.set()
    await delivery


async def test_unchanged_text_is_not_sent_again(wall: Wall, receipts: FakeReceipts) -> None:
    await post_and_edit(pieces_of(Piece(0, "same"), Piece(0, "same")), receipts, wall, 0.0)

    assert wall.calls == ["post"]


async def test_a_text_that_is_done_is_sent_once_more_for_what_stands_under_it(
    wall: Wall, receipts: FakeReceipts
) -> None:
    await post_and_edit(pieces_of(Piece(0, "same"), Piece(0, "same", done=True)), receipts, wall, 0.0)

    assert wall.calls == ["post", "edit"]


async def test_each_piece_is_recorded_before_its_post_and_its_id_after(
    wall: Wall, receipts: FakeReceipts
) -> None:
    pieces = pieces_of(Piece(0, "first", done=True), Piece(1, "sec"), Piece(1, "second", done=True))
    await post_and_edit(pieces, receipts, wall, 0.0)

    assert receipts.log[:4] == [("sending", 0), ("sent", 0), ("sending", 1), ("sent", 1)]
    assert list(wall.posts.values()) == ["first", "second"]
    assert receipts.texts == {0: "first", 1: "second"}


async def test_what_an_earlier_try_left_standing_is_overwritten(wall: Wall) -> None:
    wall.posts = {"old0": "half an ans", "old1": "and a second po"}
    receipts = FakeReceipts([Slot(0, "n0", "old0"), Slot(1, "n1", "old1")])
    await post_and_edit(pieces_of(Piece(0, "Whole.", done=True)), receipts, wall, LONG)

    assert wall.posts == {"old0": "Whole."}
    assert ("removed", 1) in receipts.log
    assert wall.calls == ["edit", "delete"]


async def test_a_post_left_in_sending_is_looked_up_and_overwritten(wall: Wall) -> None:
    wall.posts = {"lost": "half"}
    wall.lost = {0: "lost"}
    await post_and_edit(pieces_of(Piece(0, "Whole.", done=True)), FakeReceipts([_unsure(0)]), wall, LONG)

    assert wall.calls == ["find", "edit"]
    assert wall.posts == {"lost": "Whole."}


async def test_a_post_that_is_not_found_is_made_with_its_own_nonce(wall: Wall) -> None:
    await post_and_edit(pieces_of(Piece(0, "Whole.", done=True)), FakeReceipts([_unsure(0)]), wall, LONG)

    assert wall.calls == ["find", "post"]
    assert list(wall.nonces) == ["n0"]


async def test_a_surplus_post_left_in_sending_is_looked_up_and_deleted(wall: Wall) -> None:
    wall.posts = {"lost": "surplus"}
    wall.lost = {1: "lost"}
    receipts = FakeReceipts([_unsure(1)])
    await post_and_edit(pieces_of(Piece(0, "Short.", done=True)), receipts, wall, LONG)

    assert list(wall.posts.values()) == ["Short."]
    assert 1 not in receipts.slots


async def test_another_try_overwrites_the_same_posts_and_takes_the_surplus_away(
    wall: Wall, receipts: FakeReceipts
) -> None:
    pieces = pieces_of(
        Piece(0, "A long first try.", done=True),
        Piece(1, "It had a second post.", done=True),
        Piece(0, "Sho"),
        Piece(0, "Short.", done=True),
    )
    await post_and_edit(pieces, receipts, wall, 0.0)

    assert list(wall.posts.values()) == ["Short."]
    assert list(receipts.slots) == [0]


async def test_an_answer_without_any_text_leaves_nothing_standing(wall: Wall) -> None:
    wall.posts = {"old": "half"}
    await post_and_edit(pieces_of(), FakeReceipts([Slot(0, "n0", "old")]), wall, LONG)

    assert wall.posts == {}


async def test_a_post_that_somebody_deleted_is_made_anew_with_another_nonce(wall: Wall) -> None:
    receipts = FakeReceipts([Slot(0, "n0", "gone")])
    await post_and_edit(pieces_of(Piece(0, "Again.", done=True)), receipts, wall, LONG)

    assert list(wall.posts.values()) == ["Again."]
    assert list(wall.nonces) == ["rgone"]
    assert receipts.slots[0].message_id in wall.posts


async def test_nothing_is_posted_once_the_lease_ran_out(wall: Wall, receipts: FakeReceipts) -> None:
    receipts.refuse = "check"
    with pytest.raises(LeaseLost):
        await post_and_edit(pieces_of(Piece(0, "late", done=True)), receipts, wall, LONG)

    assert wall.calls == []


async def test_a_fresh_post_whose_record_is_refused_is_deleted(wall: Wall, receipts: FakeReceipts) -> None:
    receipts.refuse = "sent"
    with pytest.raises(LeaseLost):
        await post_and_edit(pieces_of(Piece(0, "late", done=True)), receipts, wall, LONG)

    assert wall.posts == {}


async def test_a_post_that_the_new_holder_has_on_record_is_left_to_it(wall: Wall) -> None:
    receipts = FakeReceipts(owned=["m0"])
    receipts.refuse = "sent"
    with pytest.raises(LeaseLost):
        await post_and_edit(pieces_of(Piece(0, "theirs", done=True)), receipts, wall, LONG)

    assert wall.posts == {"m0": "theirs"}


async def test_a_lost_lease_is_told_even_when_the_post_cannot_be_deleted(
    wall: Wall, receipts: FakeReceipts
) -> None:
    receipts.refuse = "sent"
    wall.broken = True
    with pytest.raises(LeaseLost):
        await post_and_edit(pieces_of(Piece(0, "late", done=True)), receipts, wall, LONG)


async def test_an_edit_whose_record_is_refused_deletes_nothing(wall: Wall) -> None:
    wall.posts = {"old": "half"}
    receipts = FakeReceipts([Slot(0, "n0", "old")])
    receipts.refuse = "sent"
    with pytest.raises(LeaseLost):
        await post_and_edit(pieces_of(Piece(0, "whole", done=True)), receipts, wall, LONG)

    assert wall.posts == {"old": "whole"}


async def test_something_newer_stops_the_edits(wall: Wall, receipts: FakeReceipts) -> None:
    async def changing() -> AsyncIterator[Piece]:
        yield Piece(0, "one")
        receipts.superseded = True
        yield Piece(0, "one two", done=True)

    with pytest.raises(Superseded):
        await post_and_edit(changing(), receipts, wall, 0.0)
    assert list(wall.posts.values()) == ["one"]


async def test_what_the_iterator_raises_goes_through(wall: Wall, receipts: FakeReceipts) -> None:
    async def breaking() -> AsyncIterator[Piece]:
        yield Piece(0, "one")
        raise StreamCut("gone")

    with pytest.raises(StreamCut):
        await post_and_edit(breaking(), receipts, wall, 0.0)


async def test_a_cancelled_delivery_leaves_no_reader_behind(wall: Wall, receipts: FakeReceipts) -> None:
    asked_again, closed = asyncio.Event(), asyncio.Event()

    async def endless() -> AsyncIterator[Piece]:
        try:
            yield Piece(0, "one")
            asked_again.set()
            await asyncio.Event().wait()
        finally:
            closed.set()

    delivery = asyncio.create_task(post_and_edit(endless(), receipts, wall, 0.0))
    async with asyncio.timeout(5):
        await asked_again.wait()
        delivery.cancel()
        await asyncio.wait({delivery})
        await closed.wait()
    assert delivery.cancelled()


async def test_a_call_that_is_on_the_wire_when_we_are_told_to_stop_is_made_and_recorded(
    wall: Wall, receipts: FakeReceipts
) -> None:
    wall.slow = asyncio.Event()
    delivery = asyncio.create_task(
        post_and_edit(pieces_of(Piece(0, "one", done=True), Piece(1, "two")), receipts, wall, LONG)
    )
    await wall.until(lambda: wall.calls == ["begun"])
    delivery.cancel()
    await asyncio.sleep(0)
    assert not delivery.done()
    wall.slow.set()
    await asyncio.wait({delivery}, timeout=5)
    assert delivery.cancelled()
    assert wall.calls == ["begun", "post"]
    assert receipts.log == [("sending", 0), ("sent", 0)]


async def test_a_platform_that_does_not_answer_holds_up_no_stop(
    wall: Wall, receipts: FakeReceipts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.adapters.posting.CALL_SECONDS", 0.01)
    wall.slow = asyncio.Event()
    delivery = asyncio.create_task(post_and_edit(pieces_of(Piece(0, "one")), receipts, wall, LONG))
    await wall.until(lambda: wall.calls == ["begun"])
    delivery.cancel()
    await asyncio.wait({delivery}, timeout=5)
    assert delivery.cancelled()
    assert receipts.log == [("sending", 0)]


class Forgetful(FakeReceipts):
    """A record that is away when a post is to be recorded, and then has given the lease to somebody."""

    def __init__(self, away: int, *, taken: bool) -> None:
        super().__init__()
        self.away = away
        self.taken = taken

    async def sent(self, piece: Piece, message_id: str) -> None:
        if self.away:
            self.away -= 1
            raise StoreDown("away")
        if self.taken:
            raise LeaseLost("another has it")
        await super().sent(piece, message_id)


async def test_a_post_is_recorded_as_soon_as_the_record_is_back(
    wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "RECORD_PAUSES", (0.0, 0.0))
    receipts = Forgetful(2, taken=False)
    await post_and_edit(pieces_of(Piece(0, "Well", done=True)), receipts, wall, LONG)
    assert receipts.texts == {0: "Well"}
    with pytest.raises(StoreDown):
        await post_and_edit(pieces_of(Piece(0, "Well", done=True)), Forgetful(3, taken=False), wall, LONG)


async def test_a_post_of_somebody_who_thaws_while_the_record_is_away_is_taken_back(
    wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "RECORD_PAUSES", (0.0, 0.0))
    with pytest.raises(LeaseLost):
        await post_and_edit(pieces_of(Piece(0, "Well", done=True)), Forgetful(1, taken=True), wall, LONG)
    assert wall.posts == {}
