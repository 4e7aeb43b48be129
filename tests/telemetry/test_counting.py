"""What is counted at each seam, and that what goes through is not changed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from prometheus_client import CollectorRegistry

from bot.dialogue import Accepted, Answer, Channel, Delta, Outcome, Piece, Platform, Slot, Turn, Usage
from bot.errors import BackendDown, LeaseLost
from bot.ports import Receipts
from bot.telemetry import CountedAnswerer, CountedDoor, CountedOutbox, CountedTurns, Metrics, TimedBackend
from bot.telemetry.metrics import Names
from tests.fakes import FakeBackend, FakeDoor, FakeReceipts, a_message, a_turn

SLACK = {"platform": "slack"}
MODEL = SLACK | {"model": "fake-1"}


@pytest.fixture
def metrics() -> Metrics:
    return Metrics([Platform.SLACK, Platform.DISCORD], "1.2.3")


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


class Record:
    """Turns in memory: `claimed` is what a claim gives, `following` what a finish does."""

    def __init__(
        self, claimed: Turn | None = None, following: Turn | None = None, lost: bool = False
    ) -> None:
        self.claimed, self.following, self.lost = claimed, following, lost
        self.released: list[float] = []

    async def claim(self, conversation_id: int) -> Turn | None:
        return self.claimed

    async def finish(self, turn: Turn, answer: Answer) -> Turn | None:
        if self.lost:
            raise LeaseLost("another has it")
        return self.following

    async def reload(self, turn: Turn) -> Turn:
        return replace(turn, revision=turn.revision + 1)

    async def release(self, turn: Turn, seconds: float = 0.0) -> None:
        self.released.append(seconds)

    async def hand_over(self, turn: Turn) -> None:
        self.released.append(-1.0)

    async def forgive(self, turn: Turn) -> None:
        self.released.append(-2.0)


def answer(outcome: Outcome = Outcome.DONE, error: str = "") -> Answer:
    usage = Usage(100, 20)
    return Answer(
        outcome,
        "Well",
        "fake-1",
        usage,
        error=error,
        seconds=3.0,
        first_text_seconds=0.5,
        cost=Decimal("0.25"),
    )


async def test_a_message_counts_once_however_often_it_comes(metrics: Metrics) -> None:
    door = CountedDoor(inner := FakeDoor(), metrics)
    assert value(metrics, "frontdesk_accepted_total", platform="discord") == 0
    message = a_message("hello")
    assert await door.accept(message) is Accepted.NEW
    assert await door.accept(message) is Accepted.KNOWN
    assert inner.messages == [message]
    assert value(metrics, "frontdesk_accepted_total", **SLACK) == 1


async def test_the_other_wishes_pass_the_counting_door(metrics: Metrics) -> None:
    door = CountedDoor(inner := FakeDoor(), metrics)
    inner.languages["U1"] = "zh-TW"
    await door.left(Platform.SLACK, "T1")
    assert inner.left_places == [(Platform.SLACK, "T1")]
    assert await door.language(Platform.SLACK, "U1") == "zh-TW"
    assert await door.recent(Platform.SLACK, "T1", "U1") == []


async def test_a_turn_counts_with_its_end_its_time_and_its_cost(metrics: Metrics) -> None:
    taken = replace(a_turn("hello"), waited=2.0)
    turns = CountedTurns(Record(claimed=taken), metrics)
    assert await turns.claim(7) is taken
    assert await turns.finish(taken, answer()) is None
    await turns.finish(taken, answer(Outcome.FAILED, "model-down"))
    assert value(metrics, "frontdesk_answers_total", **MODEL, outcome="done") == 1
    assert value(metrics, "frontdesk_answers_total", **MODEL, outcome="failed") == 1
    assert value(metrics, "frontdesk_failures_total", **SLACK, reason="model-down") == 1
    assert value(metrics, "frontdesk_wait_seconds_sum", **SLACK) == 2.0
    assert value(metrics, "frontdesk_first_text_seconds_sum", **MODEL) == 5.0  # since it was accepted
    assert value(metrics, "frontdesk_answer_seconds_sum", **MODEL) == 6.0
    assert value(metrics, "frontdesk_tokens_total", **MODEL, kind="prompt") == 200
    assert value(metrics, "frontdesk_tokens_total", **MODEL, kind="completion") == 40
    assert value(metrics, "frontdesk_cost_dollars_total", **MODEL) == 0.5


async def test_what_is_taken_over_counts_and_what_could_not_be_written_does_not(metrics: Metrics) -> None:
    turns = CountedTurns(Record(claimed=replace(a_turn("hello"), taken_over=True), lost=True), metrics)
    turn = await turns.claim(7)
    assert turn is not None
    with pytest.raises(LeaseLost):
        await turns.finish(turn, answer())
    assert value(metrics, "frontdesk_leases_taken_over_total", **SLACK) == 1
    assert value(metrics, "frontdesk_answers_total", **MODEL, outcome="done") is None
    assert (await turns.reload(turn)).revision == 1


async def test_an_answer_is_in_hand_until_it_ends_or_breaks(metrics: Metrics) -> None:
    class Breaks:
        async def answer(self, turn: Turn) -> Turn | None:
            assert value(metrics, "frontdesk_answers_in_work", **SLACK) == 1
            raise LeaseLost("another has it")

    with pytest.raises(LeaseLost):
        await CountedAnswerer(Breaks(), metrics).answer(a_turn("hello"))
    assert value(metrics, "frontdesk_answers_in_work", **SLACK) == 0


async def test_posts_count_and_those_left_by_a_death_count_as_tried_again(metrics: Metrics) -> None:
    class Posts:
        def receipts(self, turn: Turn, fence: None) -> Receipts:
            return FakeReceipts([Slot(0, "nonce", unsure=True)])

    receipts = CountedOutbox(Posts(), metrics).receipts(a_turn("hello"), None)
    assert (await receipts.sending(Piece(0, "Well"))).unsure
    await receipts.sent(Piece(0, "Well"), "200.1")
    await receipts.sending(Piece(1, "and"))
    await receipts.check()
    assert await receipts.owns("200.1")
    await receipts.removed(1)
    assert [slot.message_id for slot in await receipts.standing()] == ["200.1"]
    assert value(metrics, "frontdesk_posts_total", **SLACK) == 1
    assert value(metrics, "frontdesk_posts_retried_total", **SLACK) == 1


async def test_a_model_s_calls_count_by_how_they_end(metrics: Metrics) -> None:
    inner = FakeBackend(["Hel", "lo"], ["Hel", BackendDown("no")], ["one", "two"], metered=True)
    backend = TimedBackend(inner, metrics)
    assert (backend.name, backend.metered, backend.context_tokens) == ("fake-1", True, 4_096)
    context: object = object()
    assert [delta.text async for delta in backend.stream(context)] == ["Hel", "lo"]  # type: ignore[arg-type]
    with pytest.raises(BackendDown):
        [delta async for delta in backend.stream(context)]  # type: ignore[arg-type]
    stream = backend.stream(context)  # type: ignore[arg-type]
    assert await anext(stream) == Delta("one")
    await stream.aclose()  # type: ignore[attr-defined]
    for outcome in ("ok", "BackendDown", "left"):
        assert value(metrics, "frontdesk_model_calls_total", model="fake-1", outcome=outcome) == 1
    assert value(metrics, "frontdesk_model_first_token_seconds_count", model="fake-1") == 3


def test_a_label_has_no_more_values_than_are_allowed() -> None:
    names = Names(most=2)
    assert [names.bounded(name) for name in ("a", "b", "c", "a", "d", "")] == [
        "a",
        "b",
        "other",
        "a",
        "other",
        "other",
    ]


async def test_no_label_is_a_person_a_place_or_a_text(metrics: Metrics) -> None:
    door, turns = CountedDoor(FakeDoor(), metrics), CountedTurns(Record(), metrics)
    place = Channel(Platform.DISCORD, "G77", "C88")
    turn = a_turn("a secret of Ann's", channel=place)
    await door.accept(turn.asked)
    await turns.finish(turn, answer())
    assert labels(metrics.registry) <= {"platform", "model", "outcome", "kind", "reason", "le", "version"}
    told = {
        word
        for one in metrics.registry.collect()
        for sample in one.samples
        for word in sample.labels.values()
    }
    assert not [word for word in told if {"G77", "C88", "U1", "Ann", "secret"} & set(word.split())]


def labels(registry: CollectorRegistry) -> set[str]:
    return {name for one in registry.collect() for sample in one.samples for name in sample.labels}
