"""Messages that were set aside are listed by what they were, never by their text."""

from __future__ import annotations

from bot.dialogue import Outcome, Platform
from bot.memory.aside import set_aside
from tests.memory.conftest import Record, done


async def test_a_turn_that_was_given_up_is_listed_with_its_place(record: Record) -> None:
    await record.exchange("hello", "yes")
    turn = await record.claimed("this one kills")
    await record.rows("UPDATE turns SET attempts = 6 WHERE id = :id", id=turn.id)
    await record.turns.finish(turn, done("sorry", outcome=Outcome.FAILED, error="poisoned"))
    (found,) = await set_aside(record.database)
    assert (found.turn, found.platform, found.place, found.attempts) == (turn.id, Platform.SLACK, "D1", 6)


async def test_what_is_long_past_is_not_listed(record: Record) -> None:
    turn = await record.claimed("this one kills")
    await record.turns.finish(turn, done("sorry", outcome=Outcome.FAILED, error="poisoned"))
    await record.rows("UPDATE turns SET finished_at = now() - interval '8 days'")
    assert await set_aside(record.database) == []
