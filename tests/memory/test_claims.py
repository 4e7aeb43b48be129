"""One statement takes a turn up or ends it, and misses nothing that came while it waited for a lock."""

from __future__ import annotations

import asyncio

from bot.dialogue import Answer, Outcome
from bot.memory.arrivals import keep, look
from bot.memory.claims import ending
from bot.memory.limits import Limits
from tests.memory.conftest import ADA, BEN, THREAD, Record, done, message

WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


async def waiting(record: Record) -> None:
    async with asyncio.timeout(5):
        while not await record.value(WAITING):  # noqa: ASYNC110 — another connection is looked at
            await asyncio.sleep(0.01)


async def test_what_joins_while_a_claim_waits_is_read_with_its_revision(record: Record) -> None:
    number = await record.asked(message("one", THREAD, ADA))
    more = message("and two", THREAD, ADA)
    async with record.database.statements() as run:
        seen = await look(run, more, create=True)
        claim = asyncio.create_task(record.turns.claim(number))
        await waiting(record)
        kept = await keep(run, more, seen, (2, "words"), Limits(), answered=True)
    turn = await claim
    assert kept.joined
    assert turn is not None
    assert [one.text for one in turn.question] == ["one", "and two"]
    assert turn.revision == 1


async def test_what_is_asked_while_an_end_waits_has_a_wake_up_of_its_own(record: Record) -> None:
    turn = await record.claimed(message("one", THREAD, ADA), channel=THREAD)
    await record.rows("DELETE FROM procrastinate_jobs")  # its wake-up is at work
    more = message("mine too", THREAD, BEN)
    async with record.database.statements() as run:
        seen = await look(run, more, create=True)
        end = asyncio.create_task(record.turns.finish(turn, done("yes")))
        await waiting(record)
        await keep(run, more, seen, (2, "words"), Limits(), answered=True)
    following = await end
    woken = await record.value("SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo'")
    assert following is not None or woken == 1
    following = following or await record.turns.claim(turn.conversation.id)
    assert following is not None
    assert [one.text for one in following.question] == ["mine too"]


def test_an_answer_without_a_bill_ends_without_numbers() -> None:
    told = ending(Answer(Outcome.FAILED, "", error="SilentModel"))
    assert told["state"] == "failed"
    assert told["error"] == "SilentModel"
    assert {told[name] for name in ("prompt_tokens", "completion_tokens", "cached_tokens", "cost")} == {None}
