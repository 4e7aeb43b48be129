"""What a wake-up does: turns in order, what is given back, what is ended, what is folded."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from bot.dialogue import Channel, Line, Outcome, Platform, Role, Stretch, Turn, Wanted
from bot.errors import (
    HeldElsewhere,
    LeaseLost,
    PermissionMissing,
    PlatformDown,
    PlatformError,
    PostRefused,
    RateLimited,
    StoreDown,
    TokenRefused,
)
from bot.worker import Worker
from bot.worker.queue import Later
from tests.fakes import FakeRecord, a_turn


class ScriptedAnswerer:
    """Ends each turn in the record, or raises what was told for it."""

    def __init__(self, record: FakeRecord) -> None:
        self.answered: list[int] = []
        self.errors: dict[int, Exception] = {}
        self.begun = asyncio.Event()
        self.hang = False
        self._record = record

    async def answer(self, turn: Turn) -> Turn | None:
        self.begun.set()
        if self.hang:
            await asyncio.Event().wait()
        if turn.id in self.errors:
            raise self.errors.pop(turn.id)
        self.answered.append(turn.id)
        return self._record.waiting.pop(0) if self._record.waiting else None


class FakeSummaries:
    """Stretches that wait to be told shortly."""

    def __init__(self, *stretches: Stretch) -> None:
        self.stretches = list(stretches)
        self.due = False
        self.ordered: list[tuple[int, Platform]] = []
        self.added: list[tuple[Stretch, str]] = []
        self.error: Exception | None = None

    async def is_due(self, conversation_id: int, budget: int) -> bool:
        if self.error is not None:
            raise self.error
        return self.due

    async def order(self, conversation_id: int, platform: Platform) -> None:
        self.ordered.append((conversation_id, platform))

    async def next_stretch(self, conversation_id: int, budget: int) -> Stretch | None:
        return self.stretches.pop(0) if self.stretches else None

    async def add(self, stretch: Stretch, text: str) -> int:
        self.added.append((stretch, text))
        return len(self.added)


class FakeTeller:
    """Tells lines by counting them."""

    room = 1_000

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.text: str | None = None
        self.error: Exception | None = None

    async def summarise(self, stretch: Stretch, tokens: int) -> str:
        self.asked.append(tokens)
        if self.error is not None:
            raise self.error
        return f"{len(stretch.lines)} lines" if self.text is None else self.text


class FakeCare:
    """Notes what posts came to."""

    def __init__(self) -> None:
        self.refusals: list[tuple[int, str]] = []
        self.stood: list[int] = []

    async def refused(self, turn: Turn, error: PlatformError) -> None:
        self.refusals.append((turn.id, type(error).__name__))

    async def well(self, turn: Turn) -> None:
        self.stood.append(turn.id)


class House:
    """A worker with all it needs."""

    def __init__(self, *turns: Turn, stretches: Sequence[Stretch] = ()) -> None:
        self.record = FakeRecord(*turns)
        self.answerer = ScriptedAnswerer(self.record)
        self.summaries = FakeSummaries(*stretches)
        self.teller = FakeTeller()
        self.care = FakeCare()
        self.worker = Worker(self.answerer, self.record, self.summaries, self.teller, self.care)


def stretch(tokens: int) -> Stretch:
    return Stretch(7, 0, 1, 2, 2, tokens, (Line(Role.PERSON, "a"), Line(Role.BOT, "b")))


async def test_all_open_turns_are_answered_in_order() -> None:
    house = House(*(a_turn("?", number=number) for number in (1, 2, 3)))
    await house.worker.answer(7)
    assert house.answerer.answered == [1, 2, 3]
    assert house.record.log == ["claim"]


async def test_a_wake_up_that_finds_nothing_open_does_nothing() -> None:
    house = House()
    await house.worker.answer(7)
    assert house.answerer.answered == []


async def test_a_conversation_held_elsewhere_is_woken_again_when_it_may_be_free() -> None:
    house = House(a_turn("?"))
    house.record.errors["claim"] = HeldElsewhere(3.5)
    with pytest.raises(Later) as later:
        await house.worker.answer(7)
    assert later.value.seconds == 2.5


async def test_a_conversation_that_is_free_in_a_moment_is_waited_for() -> None:
    house = House(a_turn("?"))
    house.record.errors["claim"] = HeldElsewhere(0.01)
    await house.worker.answer(7)
    assert house.answerer.answered == [1]


async def test_a_turn_that_was_taken_over_is_left_to_the_other_worker() -> None:
    house = House(a_turn("?"))
    house.answerer.errors[1] = LeaseLost("gone")
    await house.worker.answer(7)
    assert house.record.log == ["claim", "forgive"]


@pytest.mark.parametrize("error", [PlatformDown("away"), TokenRefused("revoked")])
async def test_a_turn_that_cannot_be_delivered_now_is_given_back_for_later(error: Exception) -> None:
    house = House(a_turn("?", sent_at=datetime.now(UTC)))
    house.answerer.errors[1] = error
    with capture_logs() as logs, pytest.raises(Later) as later:
        await house.worker.answer(7)
    assert later.value.seconds > 0
    assert house.record.log == ["claim", "release"]
    assert [turn.id for turn in house.record.waiting] == [1]
    assert [(line["event"], line["log_level"]) for line in logs] == [("platform_away", "warning")]


async def test_a_platform_that_stays_away_is_tried_ever_more_rarely_until_it_is_back() -> None:
    house = House()
    pauses = []
    for away in (True, True, True, True, True, False, True):
        house.record.waiting = [a_turn("?")]
        house.answerer.errors = {1: PlatformDown("away")} if away else {}
        try:
            await house.worker.answer(7)
        except Later as later:
            pauses.append(later.seconds)
    assert pauses == [5, 10, 20, 40, 60, 5]


async def test_one_workspace_that_is_away_makes_nobody_else_wait_and_nobody_else_hurries_it() -> None:
    house, pauses = House(), []
    for workspace in ("T1", "T2", "T1", "T3", "T1"):
        place = Channel(Platform.SLACK, workspace, "C1")
        house.record.waiting = [a_turn("?", channel=place, sent_at=datetime.now(UTC))]
        house.answerer.errors = {1: TokenRefused("revoked")} if workspace == "T1" else {}
        try:
            await house.worker.answer(7)
        except Later as later:
            pauses.append(later.seconds)
    assert pauses == [5, 10, 20]
    assert house.answerer.answered == [1, 1]


async def test_nobody_waits_for_a_token_for_more_than_a_day() -> None:
    house = House(a_turn("?", sent_at=datetime.now(UTC) - timedelta(days=2)), a_turn("?", number=2))
    house.answerer.errors[1] = TokenRefused("revoked")
    await house.worker.answer(7)
    (answer,) = house.record.answers
    assert (answer.outcome, answer.error) == (Outcome.FAILED, "TokenRefused")
    assert house.care.refusals == [(1, "TokenRefused")]
    assert house.answerer.answered == [2]


@pytest.mark.parametrize("error", [PostRefused("no"), PermissionMissing("no right")])
async def test_a_turn_that_can_never_be_posted_is_ended_and_the_next_one_answered(error: Exception) -> None:
    house = House(a_turn("?"), a_turn("?", number=2))
    house.answerer.errors[1] = error
    with capture_logs() as logs:
        await house.worker.answer(7)
    (answer,) = house.record.answers
    assert (answer.outcome, answer.text, answer.error) == (Outcome.FAILED, "", type(error).__name__)
    assert house.answerer.answered == [2]
    assert (house.care.refusals, house.care.stood) == ([(1, type(error).__name__)], [2])
    assert [(line["event"], line["log_level"]) for line in logs] == [("answer_not_posted", "error")]


@pytest.mark.parametrize(("error", "call"), [(PostRefused("no"), "finish"), (PlatformDown("no"), "release")])
async def test_a_lease_lost_while_a_failure_is_recorded_is_the_other_workers_affair(
    error: Exception, call: str
) -> None:
    house = House(a_turn("?"))
    house.answerer.errors[1] = error
    house.record.errors[call] = LeaseLost("gone")
    await house.worker.answer(7)
    assert house.record.answers == []


async def test_a_try_that_ended_because_the_record_was_away_does_not_count() -> None:
    house = House(a_turn("?"))
    house.answerer.errors[1] = StoreDown("away")
    with pytest.raises(StoreDown):
        await house.worker.answer(7)
    house.record.errors["forgive"] = StoreDown("still away")
    with pytest.raises(StoreDown):
        await house.worker.answer(7)
    await house.worker.answer(7)
    await house.worker.answer(7)
    assert house.record.log.count("forgive") == 2


async def test_two_conversations_that_go_on_at_once_do_justice_once() -> None:
    house = House(a_turn("?"))
    house.answerer.errors[1] = StoreDown("away")
    with pytest.raises(StoreDown):
        await house.worker.answer(7)
    slow = asyncio.Event()

    async def forgive(turn: Turn) -> None:
        house.record.log.append("forgive")
        await slow.wait()

    house.record.forgive = forgive  # type: ignore[method-assign]
    both = [asyncio.create_task(house.worker.answer(7)) for _ in range(2)]
    await asyncio.sleep(0)
    slow.set()
    await asyncio.gather(*both)
    assert house.record.log.count("forgive") == 1


async def test_a_cancelled_turn_is_given_back() -> None:
    house = House(a_turn("?"))
    house.answerer.hang = True
    working = asyncio.create_task(house.worker.answer(7))
    await asyncio.wait_for(house.answerer.begun.wait(), 5)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert house.record.log == ["claim", "hand over"]


async def test_a_cancelled_turn_that_cannot_be_given_back_is_still_cancelled() -> None:
    house = House(a_turn("?"))
    house.answerer.hang = True
    house.record.errors["hand over"] = StoreDown("away")
    working = asyncio.create_task(house.worker.answer(7))
    await asyncio.wait_for(house.answerer.begun.wait(), 5)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working


@pytest.mark.parametrize("error", [StoreDown("away"), ZeroDivisionError("ours")])
async def test_what_the_worker_cannot_cure_reaches_the_queue(error: Exception) -> None:
    house = House(a_turn("?"))
    house.answerer.errors[1] = error
    with pytest.raises(type(error)):
        await house.worker.answer(7)


async def test_folding_is_ordered_where_it_is_due() -> None:
    house = House(a_turn("?"))
    await house.worker.answer(7)
    assert house.summaries.ordered == []
    house.record.waiting.append(a_turn("?", number=2))
    house.summaries.due = True
    await house.worker.answer(7)
    assert house.summaries.ordered == [(7, Platform.SLACK)]


async def test_folding_never_stands_between_two_answers() -> None:
    house = House(a_turn("?"), a_turn("?", number=2))
    house.summaries.error = StoreDown("away")
    with pytest.raises(StoreDown):
        await house.worker.answer(7)
    assert house.answerer.answered == [1, 2]


async def test_a_conversation_is_folded_until_nothing_is_left_to_fold() -> None:
    house = House(stretches=[stretch(80), stretch(1_600), stretch(100_000)])
    await house.worker.fold(7)
    assert [text for _, text in house.summaries.added] == ["2 lines"] * 3
    assert house.teller.asked == [64, 200, 400]


async def test_a_stretch_without_words_is_folded_all_the_same() -> None:
    house = House(stretches=[stretch(80)])
    house.teller.text = ""
    await house.worker.fold(7)
    assert [text for _, text in house.summaries.added] == ["…"]


async def test_an_answer_that_cannot_be_taken_away_is_withdrawn_all_the_same() -> None:
    turn = a_turn("?")
    house = House(turn)
    house.answerer.errors[1] = PostRefused("no")
    house.record.wanted = replace(turn, wanted=Wanted.WITHDRAW, revision=1)
    await house.worker.answer(7)
    (answer,) = house.record.answers
    assert (answer.outcome, answer.error) == (Outcome.WITHDRAWN, "PostRefused")


async def test_a_stretch_without_a_line_is_told_as_nothing_without_a_model() -> None:
    house = House(stretches=[replace(stretch(80), lines=())])
    await house.worker.fold(7)
    assert [text for _, text in house.summaries.added] == [""]
    assert house.teller.asked == []


@pytest.mark.parametrize(("asked", "least"), [(20.0, 20.0), (None, 5.0), (0.0, 1.0), (999.0, 60.0)])
async def test_a_turn_whose_model_has_no_room_waits_in_the_record(asked: float | None, least: float) -> None:
    house = House(a_turn("?"))
    house.answerer.errors[1] = RateLimited("full", asked)
    with pytest.raises(Later) as later:
        await house.worker.answer(7)
    assert least <= later.value.seconds <= least * 1.25
    assert house.record.log == ["claim", "release"]
    assert [turn.id for turn in house.record.waiting] == [1]


async def test_a_summary_for_which_there_is_no_room_is_told_later() -> None:
    house = House(stretches=[stretch(100)])
    house.teller.error = RateLimited("full", 9.0)
    with pytest.raises(Later) as later:
        await house.worker.fold(7)
    assert 9 <= later.value.seconds <= 12
    assert house.summaries.added == []


async def test_of_turns_that_workers_died_with_one_is_tried_at_a_time() -> None:
    house = House(
        a_turn("?", attempts=4), a_turn("?", number=2, attempts=4), a_turn("?", number=3, attempts=3)
    )
    house.answerer.hang = True
    first = asyncio.create_task(house.worker.answer(7))
    await asyncio.wait_for(house.answerer.begun.wait(), 5)
    with pytest.raises(Later):
        await house.worker.answer(8)
    assert [turn.id for turn in house.record.waiting] == [2, 3]
    house.record.waiting.pop(0)
    house.answerer.hang = False
    await house.worker.answer(9)
    assert house.answerer.answered == [3]
    first.cancel()
    await asyncio.wait({first})
    house.record.waiting = [a_turn("?", number=2, attempts=4)]
    await house.worker.answer(8)
    assert house.answerer.answered == [3, 2]
