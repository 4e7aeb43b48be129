"""The console and the terminal as platforms."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from bot.adapters.local import PIECE_CHARACTERS, LocalAdapter
from bot.dialogue import Author, Channel, ChannelKind, Message, Piece, Platform, Slot
from bot.errors import LeaseLost, Superseded
from bot.ports import Adapter, History
from tests.fakes import FakeDoor, FakeReceipts, pieces_of

QUESTION = Message(
    "m1",
    Channel(Platform.WEB, "local", "t1", kind=ChannelKind.DIRECT),
    Author("p1", "Mira"),
    "Hello",
    datetime.now(UTC),
)


class WatchedReceipts(FakeReceipts):
    """Receipts that tell when the second text stands."""

    def __init__(self) -> None:
        super().__init__()
        self.second = asyncio.Event()

    async def sent(self, piece: Piece, message_id: str) -> None:
        await super().sent(piece, message_id)
        if piece.text == "One two":
            self.second.set()


@pytest.mark.parametrize("platform", [Platform.WEB, Platform.CONSOLE])
def test_it_serves_the_place_it_was_made_for(platform: Platform) -> None:
    adapter: Adapter = LocalAdapter(platform)
    assert adapter.platform is platform
    assert not isinstance(adapter, History), "there is no history but the record's own"


async def test_it_hears_nothing_until_it_is_cancelled() -> None:
    inbox = FakeDoor()
    listening = asyncio.create_task(LocalAdapter(Platform.WEB).listen(inbox))
    done, _ = await asyncio.wait({listening}, timeout=0.05)
    assert not done
    listening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listening
    assert inbox.messages == []


def test_an_answer_is_one_piece_unless_it_is_boundless() -> None:
    adapter = LocalAdapter(Platform.WEB)
    answer = "Text.\n\n```python\nx = 1\n```\n" * 100
    assert adapter.cutter()(answer) in ([answer], [answer.rstrip()])
    endless = adapter.cutter()("word " * 50_000)
    assert len(endless) > 1
    assert all(len(text) <= PIECE_CHARACTERS for text in endless)


async def test_the_last_text_stands_and_its_id_is_the_nonce() -> None:
    receipts = FakeReceipts()
    growing = (Piece(0, text, done=text == "One two") for text in ("O", "One", "One t", "One two"))
    await LocalAdapter(Platform.WEB).send(QUESTION, pieces_of(*growing), receipts)
    assert receipts.texts == {0: "One two"}
    assert receipts.slots[0].message_id == receipts.slots[0].nonce
    assert receipts.log.count(("sending", 0)) == 1
    assert receipts.log[0] == ("sending", 0), "recorded before it stands"


async def test_the_last_text_stands_also_where_nothing_says_that_it_is_done() -> None:
    receipts = FakeReceipts()
    await LocalAdapter(Platform.WEB).send(QUESTION, pieces_of(Piece(0, "a"), Piece(0, "ab")), receipts)
    assert receipts.texts == {0: "ab"}


async def test_a_quick_model_causes_few_writes() -> None:
    receipts, loop = FakeReceipts(), asyncio.get_running_loop()
    end = loop.time() + 0.5

    async def quick() -> AsyncIterator[Piece]:
        while loop.time() < end:
            yield Piece(0, "x")
            yield Piece(0, "xy")
        yield Piece(0, "xyz", done=True)

    await LocalAdapter(Platform.WEB).send(QUESTION, quick(), receipts)
    assert receipts.texts[0] == "xyz"
    assert receipts.log.count(("sent", 0)) <= 8


async def test_what_an_earlier_try_left_is_overwritten_and_the_surplus_removed() -> None:
    left = [Slot(0, "n0", "n0"), Slot(1, "n1", unsure=True), Slot(2, "n2", "n2")]
    receipts = FakeReceipts(standing=left)
    await LocalAdapter(Platform.CONSOLE).send(QUESTION, pieces_of(Piece(0, "new", done=True)), receipts)
    assert receipts.texts == {0: "new"}
    assert sorted(receipts.slots) == [0]
    assert receipts.slots[0].message_id == "n0"


async def test_a_post_of_which_the_dead_process_only_recorded_the_making_is_taken_up() -> None:
    receipts = FakeReceipts(standing=[Slot(0, "n0", unsure=True)])
    await LocalAdapter(Platform.WEB).send(QUESTION, pieces_of(Piece(0, "whole", done=True)), receipts)
    assert receipts.slots[0].message_id == "n0"


@pytest.mark.parametrize("call", ["check", "sent"])
async def test_a_lost_lease_goes_through(call: str) -> None:
    receipts = FakeReceipts()
    receipts.refuse = call
    with pytest.raises(LeaseLost):
        await LocalAdapter(Platform.WEB).send(QUESTION, pieces_of(Piece(0, "a", done=True)), receipts)
    assert receipts.texts == {}


async def test_what_stops_the_pieces_goes_through() -> None:
    async def stopped() -> AsyncIterator[Piece]:
        yield Piece(0, "a")
        raise Superseded("something newer is wanted")

    receipts = FakeReceipts()
    with pytest.raises(Superseded):
        await LocalAdapter(Platform.WEB).send(QUESTION, stopped(), receipts)


async def test_a_silent_model_does_not_hold_back_what_it_said() -> None:
    receipts, go_on = WatchedReceipts(), asyncio.Event()

    async def slow() -> AsyncIterator[Piece]:
        yield Piece(0, "One")
        yield Piece(0, "One two")
        await go_on.wait()
        yield Piece(0, "One two three", done=True)

    sending = asyncio.create_task(LocalAdapter(Platform.WEB).send(QUESTION, slow(), receipts))
    await asyncio.wait_for(receipts.second.wait(), 5)
    assert receipts.texts[0] == "One two"
    go_on.set()
    await sending
    assert receipts.texts[0] == "One two three"
