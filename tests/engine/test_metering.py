"""The tokens of a generation, and the money of a turn."""

from __future__ import annotations

from decimal import Decimal

from bot.dialogue import Delta, Usage
from bot.engine.metering import Bill, Meter, NoPrices
from tests.fakes import FakeBackend, WordCounter


class Tenths:
    """A table by which each known model's token costs a tenth of a dollar."""

    def cost(self, model: str, usage: Usage) -> Decimal | None:
        tokens = usage.prompt_tokens + usage.completion_tokens
        return None if model == "unknown" else Decimal(tokens) / 10


def test_what_the_server_tells_counts() -> None:
    meter = Meter(WordCounter(), 100, 1.3)
    meter.read(Delta("one two"))
    meter.read(Delta(usage=Usage(7, 3)))
    assert meter.usage == Usage(7, 3)


def test_otherwise_the_context_and_all_that_was_written_are_estimated() -> None:
    assert not Meter(WordCounter(), 100, 1.5).begun
    meter = Meter(WordCounter(), 100, 1.5)
    meter.read(Delta("one two ", thought="three four "))
    assert meter.begun
    assert meter.usage == Usage(150, 6)


def test_a_bill_sums_its_generations_and_the_free_ones_are_free() -> None:
    bill = Bill(Tenths())
    assert bill.total == 0
    assert bill.add(FakeBackend(metered=True), Usage(4, 1)) == Decimal("0.5")
    assert bill.add(FakeBackend(metered=False, name="unknown"), Usage(400, 100)) == 0
    assert bill.add(FakeBackend(metered=True), Usage(5, 0)) == Decimal("0.5")
    assert bill.total == 1


def test_a_bill_with_an_unknown_part_is_open() -> None:
    bill = Bill(Tenths())
    bill.add(FakeBackend(metered=True), Usage(4, 1))
    assert bill.add(FakeBackend(metered=True, name="unknown"), Usage(4, 1)) is None
    assert bill.total is None


def test_without_a_table_only_free_models_have_a_price() -> None:
    bill = Bill(NoPrices())
    bill.add(FakeBackend(metered=False), Usage(4, 1))
    assert bill.total == 0
    bill.add(FakeBackend(metered=True), Usage(4, 1))
    assert bill.total is None
