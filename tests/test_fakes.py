"""The contract that the fake record of answers and the real one both keep, as a worker relies on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

import pytest

from bot.attention import Attender
from bot.dialogue import Answer, Author, Delta, Outcome, Platform, Turn
from bot.errors import LeaseLost
from bot.memory.bell import Bell
from bot.memory.database import Database
from bot.memory.history import HistoryShelf
from bot.memory.inbox import Inbox
from bot.memory.leases import Leases
from bot.memory.outbox import Outbox
from bot.memory.turns import LeaseTerms, Turns
from bot.worker import Answerer
from bot.worker import answering as asked_for
from tests.fakes import FakeAdapter, FakeRecord, FakeWords, WordCounter, a_message, a_turn

DONE = Answer(Outcome.DONE, "Fine.")


class Claims(asked_for.Turns, Protocol):
    """All that a worker asks of turns."""

    async def claim(self, conversation_id: int) -> Turn | None: ...

    async def release(self, turn: Turn, seconds: float = 0.0) -> None: ...


class Record:
    """A record with two open turns of conversation `id`."""

    def __init__(
        self,
        number: int,
        turns: Claims,
        leases: asked_for.Leases,
        outbox: asked_for.Outbox,
        shelf: asked_for.Shelf,
    ) -> None:
        self.id, self.turns, self.leases, self.outbox, self.shelf = number, turns, leases, outbox, shelf

    async def claimed(self) -> Turn:
        turn = await self.turns.claim(self.id)
        assert turn is not None
        return turn


@asynccontextmanager
async def _fake() -> AsyncIterator[Record]:
    fake = FakeRecord(a_turn("First?"), a_turn("Second?", number=2))
    yield Record(7, fake, fake, fake, fake)


@asynccontextmanager
async def _real(url: str) -> AsyncIterator[Record]:
    database, counter = Database(url, 4), WordCounter()
    terms = LeaseTerms(seconds=8, call=0)
    turns = Turns(database, counter, Author("bot", "Bot"), terms)
    leases = Leases(database, Bell(url), terms)
    inbox = Inbox(database, counter, Attender())
    await inbox.accept(a_message("First?", 1))
    await inbox.accept(a_message("Second?", 2, author=Author("U2", "Bob")))
    async with database.transaction() as connection:
        number = int((await connection.exec_driver_sql("SELECT id FROM conversations")).scalar_one())
    yield Record(number, turns, leases, Outbox(database), HistoryShelf(database, counter))
    await database.close()


@pytest.fixture(params=["fake", "real"])
async def record(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[Record]:
    async with _fake() if request.param == "fake" else _real(database_url) as record:
        yield record


class Speaker:
    """An engine that says a word."""

    async def answer(self, turn: Turn) -> AsyncIterator[Delta]:
        yield Delta("Fine.")


async def test_turns_are_claimed_oldest_first_and_finish_hands_over_the_next(record: Record) -> None:
    first = await record.claimed()
    assert first.asked.text == "First?"
    second = await record.turns.finish(first, DONE)
    assert second is not None
    assert second.asked.text == "Second?"
    assert await record.turns.finish(second, DONE) is None
    assert await record.turns.claim(record.id) is None


async def test_a_released_turn_is_claimed_again(record: Record) -> None:
    first = await record.claimed()
    await record.turns.release(first)
    again = await record.claimed()
    assert (again.id, again.attempts) == (first.id, first.attempts)


async def test_a_finished_turn_that_is_released_late_stays_finished(record: Record) -> None:
    first = await record.claimed()
    second = await record.turns.finish(first, DONE)
    assert second is not None
    with pytest.raises(LeaseLost):  # as where a cancellation came with the commit
        await record.turns.release(first)
    await record.turns.release(second)
    again = await record.claimed()
    assert again.id == second.id


async def test_a_reloaded_turn_is_the_same_turn(record: Record) -> None:
    first = await record.claimed()
    again = await record.turns.reload(first)
    assert (again.id, again.epoch) == (first.id, first.epoch)


async def test_a_held_lease_stands_until_it_is_broken(record: Record) -> None:
    turn = await record.claimed()
    async with record.leases.hold(turn) as lease:
        await lease.check()
        heard: list[Exception] = []
        lease.on_break(heard.append)
        receipts = record.outbox.receipts(turn, lease)
        await receipts.check()
        lease.end(LeaseLost("gone"))  # type: ignore[attr-defined]
        assert [type(error) for error in heard] == [LeaseLost]
        with pytest.raises(LeaseLost):
            await receipts.check()


async def test_an_answerer_takes_a_conversation_from_its_first_turn_to_its_last(record: Record) -> None:
    adapter = FakeAdapter()
    answerer = Answerer(
        Speaker(),
        {Platform.SLACK: adapter},
        record.turns,
        record.leases,
        record.outbox,
        record.shelf,
        FakeWords(),
    )
    second = await answerer.answer(await record.claimed())
    assert second is not None
    assert await answerer.answer(second) is None
    assert adapter.room.shown == ("Fine.", "Fine.")
    assert await record.turns.claim(record.id) is None
