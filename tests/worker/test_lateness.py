"""An answer that comes late says so first, once, to people and not to the model."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.dialogue import Outcome, Wanted
from bot.worker.lateness import apology
from tests.fakes import JUST_NOW, FakeWords, a_message, a_turn
from tests.worker.test_ending import NOTE, House

LATE = "[en:late]"
LONG_AGO = JUST_NOW - timedelta(hours=2)


async def test_an_answer_after_more_than_an_hour_begins_with_an_apology() -> None:
    house = House("Fine.")
    await house.answerer.answer(a_turn("How are you?", sent_at=LONG_AGO))
    assert house.adapter.room.shown == (f"{LATE}\n\nFine.",)


async def test_the_apology_is_no_part_of_what_is_remembered() -> None:
    house = House("Fine.")
    await house.answerer.answer(a_turn("How are you?", sent_at=LONG_AGO))
    assert [answer.text for answer in house.record.answers] == ["Fine."]


async def test_it_is_said_in_the_askers_language() -> None:
    house = House("我很好")
    await house.answerer.answer(a_turn("你好吗", sent_at=LONG_AGO))
    assert house.adapter.room.shown == ("[zh:late]\n\n我很好",)


def test_what_waits_less_than_an_hour_needs_none() -> None:
    turn = a_turn("How are you?", sent_at=JUST_NOW - timedelta(minutes=30))
    assert apology(turn, FakeWords()) == ""


def test_an_answer_that_is_written_anew_is_not_late() -> None:
    assert apology(replace(a_turn("?", sent_at=LONG_AGO), again=True), FakeWords()) == ""


def test_of_joined_messages_the_first_has_waited_longest() -> None:
    turn = a_turn("How are you?", "Hello?")
    joined = replace(turn, question=(a_message("How are you?", sent_at=LONG_AGO), turn.asked))
    assert apology(joined, FakeWords()) == LATE


async def test_a_late_answer_that_is_stopped_keeps_its_apology_once() -> None:
    house = House()
    turn = replace(a_turn("How are you?", sent_at=LONG_AGO), wanted=Wanted.STOP)
    house.standing(turn, f"{LATE}\n\nWe")
    await house.answerer.answer(turn)
    (answer,) = house.record.answers
    assert (answer.outcome, answer.text) == (Outcome.STOPPED, "We")
    assert house.adapter.room.shown == (f"{LATE}\n\nWe\n\n{NOTE}",)
