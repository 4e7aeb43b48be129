"""Answers that are ended before their end: stopped where they stand, or taken away with their question."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.dialogue import Delta, Message, Outcome, Piece, Platform, Slot, Turn, Wanted
from bot.errors import PlatformDown
from bot.worker import Answerer
from tests.doubles.model import Gate
from tests.fakes import FakeAdapter, FakeReceipts, FakeRecord, FakeWords, a_turn

LONG = "This is the beginning of an answer"
NOTE = "[en:stopped]"


class Speaker:
    """An engine that says its words, gate by gate."""

    def __init__(self, *steps: str | Gate) -> None:
        self.steps = steps
        self.asked = 0
        self.running = 0

    async def answer(self, turn: Turn) -> AsyncIterator[Delta]:
        self.asked += 1
        self.running += 1
        try:
            for place, step in enumerate(self.steps):
                if isinstance(step, Gate):
                    await step.pass_through()
                else:
                    yield Delta(step, fresh=place == 0, model="m")
        finally:
            self.running -= 1


class Silent(FakeAdapter):
    """A platform on which nothing may be shown of taking an answer away."""

    async def send(self, question: Message, pieces: AsyncIterator[Piece], receipts: object) -> None:
        raise AssertionError("something was sent")


class House:
    """An answerer with all it needs."""

    def __init__(self, *steps: str | Gate, adapter: FakeAdapter | None = None) -> None:
        self.engine = Speaker(*steps)
        self.adapter = adapter or FakeAdapter()
        self.record = FakeRecord()
        record = self.record
        adapters = {Platform.SLACK: self.adapter}
        self.answerer = Answerer(self.engine, adapters, record, record, record, record, FakeWords())

    def standing(self, turn: Turn, *texts: str) -> None:
        """Let posts stand that a dead process made."""
        receipts = self.record.posts.setdefault(turn.id, FakeReceipts())
        for ordinal, text in enumerate(texts):
            self.adapter.room.posts[f"old-{ordinal}"] = text
            receipts.slots[ordinal] = Slot(ordinal, f"nonce-{ordinal}", f"old-{ordinal}", text=text)


def wanted(turn: Turn, what: Wanted) -> Turn:
    return replace(turn, wanted=what, revision=turn.revision + 1)


async def test_a_stopped_answer_ends_where_it_stands_with_a_note() -> None:
    gate = Gate()
    house = House(LONG, gate, " that nobody reads")
    turn = a_turn("How are you?")
    answering = asyncio.create_task(house.answerer.answer(turn))
    await gate.reached()
    await house.adapter.room.until(lambda shown: shown == (LONG,))
    house.record.ask_more(wanted(turn, Wanted.STOP))
    await asyncio.wait_for(answering, 5)
    assert house.adapter.room.shown == (f"{LONG}\n\n{NOTE}",)
    assert list(house.adapter.room.posts) == ["post-1"]
    (answer,) = house.record.answers
    assert (answer.outcome, answer.text, answer.model) == (Outcome.STOPPED, LONG, "m")
    assert (house.engine.asked, house.engine.running) == (1, 0)


async def test_an_answer_that_is_stopped_before_its_first_text_posts_nothing() -> None:
    gate = Gate()
    house = House(gate, LONG)
    turn = a_turn("How are you?")
    answering = asyncio.create_task(house.answerer.answer(turn))
    await gate.reached()
    house.record.ask_more(wanted(turn, Wanted.STOP))
    await asyncio.wait_for(answering, 5)
    assert house.adapter.room.seen == []
    assert (house.record.answers[0].outcome, house.record.answers[0].text) == (Outcome.STOPPED, "")


async def test_what_a_dead_process_posted_is_ended_by_the_next_one() -> None:
    house = House(LONG)
    turn = wanted(a_turn("How are you?"), Wanted.STOP)
    house.standing(turn, "Well, I", "am")
    await house.answerer.answer(turn)
    assert house.adapter.room.shown == (f"Well, I\n\nam\n\n{NOTE}",)
    assert house.record.answers[0].text == "Well, I\n\nam"
    assert house.engine.asked == 0


async def test_an_answer_that_was_stopped_already_gets_no_second_note() -> None:
    house = House(LONG)
    turn = wanted(a_turn("How are you?"), Wanted.STOP)
    house.standing(turn, f"Well\n\n{NOTE}")
    await house.answerer.answer(turn)
    assert house.adapter.room.shown == (f"Well\n\n{NOTE}",)
    assert house.record.answers[0].text == "Well"


async def test_a_stop_in_chinese_is_noted_in_chinese() -> None:
    house = House(LONG)
    turn = wanted(a_turn("你好吗？"), Wanted.STOP)
    house.standing(turn, "我很好")
    await house.answerer.answer(turn)
    assert house.adapter.room.shown == ("我很好\n\n[zh:stopped]",)


async def test_an_answer_is_taken_away_in_mid_stream() -> None:
    gate = Gate()
    house = House(LONG, gate)
    turn = a_turn("How are you?")
    answering = asyncio.create_task(house.answerer.answer(turn))
    await gate.reached()
    await house.adapter.room.until(lambda shown: shown == (LONG,))
    house.record.ask_more(wanted(turn, Wanted.WITHDRAW))
    await asyncio.wait_for(answering, 5)
    assert house.adapter.room.shown == ()
    (answer,) = house.record.answers
    assert (answer.outcome, answer.text) == (Outcome.WITHDRAWN, "")
    assert house.record.posts[turn.id].slots == {}


async def test_taking_an_answer_away_shows_nothing_and_asks_no_model() -> None:
    house = House(LONG, adapter=Silent())
    turn = wanted(a_turn(""), Wanted.WITHDRAW)
    house.standing(turn, "Well, I", "am")
    await house.answerer.answer(turn)
    assert house.adapter.room.shown == ()
    assert house.engine.asked == 0


async def test_an_answer_that_cannot_be_taken_away_now_is_left_for_a_later_try() -> None:
    house = House(LONG)
    house.adapter.error = PlatformDown("away")
    turn = wanted(a_turn(""), Wanted.WITHDRAW)
    house.standing(turn, "Well")
    with pytest.raises(PlatformDown):
        await house.answerer.answer(turn)
    assert house.record.answers == []


async def test_a_stop_that_is_taken_back_lets_the_answer_begin_again() -> None:
    gate = Gate()
    house = House(LONG, gate)
    turn = a_turn("How are you?")
    answering = asyncio.create_task(house.answerer.answer(turn))
    await gate.reached()
    house.record.ask_more(wanted(turn, Wanted.ANSWER))
    await gate.reached()
    gate.release()
    await asyncio.wait_for(answering, 5)
    assert house.adapter.room.shown == (LONG,)
    assert house.record.answers[0].outcome is Outcome.DONE


async def test_the_word_that_one_waits_goes_with_a_stop() -> None:
    house = House(LONG)
    turn = wanted(a_turn("How are you?"), Wanted.STOP)
    house.standing(turn, "You wait")
    slots = house.record.posts[turn.id].slots
    slots[0] = replace(slots[0], provisional=True)
    await house.answerer.answer(turn)
    assert house.adapter.room.shown == ()
    assert (house.record.answers[0].outcome, house.record.answers[0].text) == (Outcome.STOPPED, "")
