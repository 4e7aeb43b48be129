"""Spans as a collector gets them: one trace from the door to the end, whichever processes work on it."""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.dialogue import Answer, Outcome, Piece, Turn
from bot.errors import BackendDown, LeaseLost
from bot.ports import Receipts
from bot.telemetry.traced import (
    TracedAnswerer,
    TracedBackend,
    TracedDoor,
    TracedMemory,
    TracedOutbox,
    TracedTurns,
)
from bot.telemetry.tracing import Tracing
from tests.doubles.collector import CollectorDouble
from tests.fakes import FakeBackend, FakeDoor, FakeMemory, FakeReceipts, a_message, a_turn
from tests.telemetry.test_counting import Record

SECRETS = (b"weather", b"Ann", b"U1", b"C1", b"900.1")


@pytest.fixture
async def collector() -> AsyncIterator[CollectorDouble]:
    async with CollectorDouble() as double:
        yield double


class Answering:
    """Does what an answer does, at seams that are traced."""

    def __init__(self, tracing: Tracing, backend: FakeBackend) -> None:
        self.memory = TracedMemory(FakeMemory(), tracing)
        self.backend = TracedBackend(backend, tracing)
        self.turns = TracedTurns(Record(), tracing)
        self.outbox = TracedOutbox(Posts(), tracing)

    async def answer(self, turn: Turn) -> Turn | None:
        await self.memory.recall(turn, 100)
        receipts = self.outbox.receipts(turn, None)
        async for _ in self.backend.stream(None):  # type: ignore[arg-type]
            await receipts.sending(Piece(0, "weather"))
            await receipts.sent(Piece(0, "weather"), "900.1")
        await receipts.sent(Piece(0, "weather is fine"), "900.1")
        return await self.turns.finish(turn, Answer(Outcome.DONE, "weather is fine", "fake-1"))


class Posts:
    def receipts(self, turn: Turn, fence: None) -> Receipts:
        return FakeReceipts()


async def test_the_one_that_accepts_and_the_one_that_answers_write_into_one_trace(
    collector: CollectorDouble,
) -> None:
    gateway, worker = (
        Tracing(collector.url, "1.2.3", "one"),
        Tracing(f"{collector.url}/v1/traces", "1.2.3", "two"),
    )
    turn = replace(a_turn("what is the weather", "and tomorrow"), taken_at=time.monotonic() - 2, waited=0.5)
    door = TracedDoor(FakeDoor(), gateway)
    for message in (*turn.question, turn.question[0]):  # the first is delivered twice
        await door.accept(message)
    await TracedAnswerer(Answering(worker, FakeBackend(["weather"])), worker).answer(turn)
    await gateway.close()
    await worker.close()
    first, joined = collector.named("accept")
    (whole,) = collector.named("turn")
    assert (whole.trace, whole.parent, first.parent) == (first.trace, first.id, b"")
    assert whole.links == (joined.trace,)
    assert (whole.seconds >= 2, whole.failed) == (True, False)
    steps = [span for span in collector.spans if span.parent == whole.id]
    assert [span.name for span in steps] == ["claim", "recall", "post", "model", "finish"]
    assert {span.trace for span in steps} == {first.trace}
    told = {"outcome": "done", "model": "fake-1", "platform": "slack", "messages": 2, "waited_seconds": 0.5}
    assert told.items() <= whole.values.items()
    assert {one["service.instance.id"] for one in collector.resources} == {"one", "two"}
    assert not [word for word in SECRETS if word in collector.raw]


async def test_what_fails_is_told_by_its_name_alone(collector: CollectorDouble) -> None:
    tracing = Tracing(collector.url, "1.2.3", "one")
    failing = Answering(tracing, FakeBackend([BackendDown("weather said Ann")]))
    with pytest.raises(BackendDown):
        await TracedAnswerer(failing, tracing).answer(a_turn("hello"))
    lost = TracedTurns(Record(lost=True), tracing)
    with pytest.raises(LeaseLost):
        await lost.finish(a_turn("hello"), Answer(Outcome.DONE, ""))
    await tracing.close()
    for name, kind in (("model", "BackendDown"), ("turn", "BackendDown"), ("finish", "LeaseLost")):
        (span,) = collector.named(name)
        assert (span.failed, span.values["error.type"]) == (True, kind)
    assert not [word for word in SECRETS if word in collector.raw]


async def test_a_call_that_nobody_wants_to_its_end_still_belongs_to_its_turn(
    collector: CollectorDouble,
) -> None:
    tracing = Tracing(collector.url, "1.2.3", "one")
    backend = TracedBackend(FakeBackend(["one", "two"]), tracing)
    with tracing.turn(a_turn("hello")):
        stream = backend.stream(None)  # type: ignore[arg-type]
        await anext(stream)
    # It is closed by the loop, where the turn is not the current span any more.
    await asyncio.create_task(stream.aclose(), context=contextvars.Context())  # type: ignore[attr-defined]
    await tracing.close()
    (turn,), (model,) = collector.named("turn"), collector.named("model")
    assert (model.trace, model.parent) == (turn.trace, turn.id)
    assert (model.failed, model.values["left"]) == (False, True)


async def test_a_collector_that_is_away_holds_up_nobody() -> None:
    tracing = Tracing("http://127.0.0.1:1", "1.2.3", "one", goodbye=0.1)
    await TracedDoor(FakeDoor(), tracing).accept(a_message("hello"))
    began = time.monotonic()
    await tracing.close()
    assert time.monotonic() - began < 10
