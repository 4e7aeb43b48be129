"""A model's endpoint: so many at once, the others in line, and rest where its limit binds."""

from __future__ import annotations

import asyncio

import pytest

from bot.dialogue import Context
from bot.errors import BackendDown, RateLimited
from bot.generation.gate import Gate as ModelGate
from tests.doubles.model import Gate
from tests.fakes import FakeBackend

CONTEXT = Context((), 10)
SOON = 0.02


async def said(gate: ModelGate) -> str:
    return "".join([delta.text async for delta in gate.stream(CONTEXT)])


def begin(gate: ModelGate, count: int) -> list[asyncio.Task[str]]:
    return [asyncio.create_task(said(gate)) for _ in range(count)]


async def asked(model: FakeBackend, count: int) -> None:
    async with asyncio.timeout(5):
        while len(model.contexts) < count:  # noqa: ASYNC110 — what is waited for has no event
            await asyncio.sleep(0.001)


def test_it_is_the_model_it_stands_before() -> None:
    model = FakeBackend(
        name="m", context_tokens=7, answer_tokens=3, languages=["en"], metered=True, sees=True
    )
    gate = ModelGate(model, 2)
    assert (gate.name, gate.context_tokens, gate.answer_tokens) == ("m", 7, 3)
    assert (gate.languages, gate.metered, gate.sees) == (frozenset({"en"}), True, True)


async def test_only_so_many_answer_at_once_and_the_others_follow_in_line() -> None:
    hold = Gate()
    model = FakeBackend([hold, "fine"])
    running = begin(ModelGate(model, 2, patience=5), 5)
    await asked(model, 2)
    await asyncio.sleep(0)
    assert len(model.contexts) == 2
    hold.release()
    assert await asyncio.gather(*running) == ["fine"] * 5


async def test_who_finds_no_room_in_time_is_sent_away_for_later() -> None:
    hold = Gate()
    model = FakeBackend([hold, "fine"])
    gate = ModelGate(model, 1, patience=SOON)
    running = begin(gate, 1)
    await asked(model, 1)
    with pytest.raises(RateLimited) as full:
        await said(gate)
    assert full.value.retry_after is not None
    hold.release()
    assert await running[0] == "fine"
    assert len(model.contexts) == 1
    assert await said(gate) == "fine"


async def test_an_endpoint_that_is_limited_is_asked_by_nobody_until_its_time() -> None:
    model = FakeBackend([RateLimited("slow down", 30.0)])
    gate = ModelGate(model, 9)
    rests = []
    for _ in range(3):
        with pytest.raises(RateLimited) as limited:
            await said(gate)
        rests.append(limited.value.retry_after or 0)
    assert len(model.contexts) == 1
    assert rests[0] == 30.0
    assert all(29 < rest <= 30 for rest in rests)


async def test_those_in_line_learn_of_the_rest_at_once() -> None:
    hold = Gate()
    model = FakeBackend([hold, RateLimited("slow down", 30.0)])
    running = begin(ModelGate(model, 1, patience=60), 3)
    await asked(model, 1)
    hold.release()
    ended = await asyncio.wait_for(asyncio.gather(*running, return_exceptions=True), 5)
    assert [type(error) for error in ended] == [RateLimited] * 3
    assert len(model.contexts) == 1


async def test_after_a_rest_fewer_are_let_through_until_it_goes_well() -> None:
    hold = Gate()
    model = FakeBackend([RateLimited("slow down", 0.0)], [hold, "fine"])
    gate = ModelGate(model, 4, patience=5)
    with pytest.raises(RateLimited) as limited:
        await said(gate)
    await asyncio.sleep(limited.value.retry_after or 0)
    running = begin(gate, 4)
    await asked(model, 3)
    await asyncio.sleep(SOON)
    assert len(model.contexts) == 3  # two beside the one that was refused
    hold.release()
    assert await asyncio.gather(*running) == ["fine"] * 4
    assert gate._room == 4.0


async def test_without_a_word_how_long_the_rest_grows() -> None:
    gate = ModelGate(FakeBackend([RateLimited("slow down")]), 4)
    rests = []
    for _ in range(3):
        gate._rests_until = 0.0  # its time is over
        with pytest.raises(RateLimited) as limited:
            await said(gate)
        rests.append(limited.value.retry_after or 0)
    assert rests[0] < rests[1] < rests[2]


async def test_who_leaves_gives_the_room_back() -> None:
    hold = Gate()
    model = FakeBackend([hold, "fine"], [hold, "fine"], [BackendDown("no")], ["well"])
    gate = ModelGate(model, 1, patience=5)
    first, in_line = begin(gate, 2)
    await asked(model, 1)
    in_line.cancel()
    first.cancel()
    await asyncio.wait({first, in_line})
    hold.release()
    assert await said(gate) == "fine"
    with pytest.raises(BackendDown):
        await said(gate)
    assert await said(gate) == "well"


async def test_a_generation_that_nobody_reads_on_is_ended() -> None:
    model = FakeBackend(["one ", "two"])
    gate = ModelGate(model, 1)
    deltas = gate.stream(CONTEXT)
    assert (await anext(deltas)).text == "one "
    await deltas.aclose()
    assert model.running == 0
    assert await said(gate) == "one two"
