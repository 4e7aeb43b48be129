"""More than the limits allow is kept and not answered, and counted by all processes together."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.attention import Attender
from bot.dialogue import Accepted, Message
from bot.memory.inbox import Inbox
from bot.memory.limits import Limits, Rates
from tests.memory.conftest import ADA, BEN, OPEN, THREAD, Record, edited
from tests.memory.conftest import message as made


@pytest.fixture
async def steady(record: Record) -> None:
    """Wait where a minute is about to end, so that no test counts in two."""
    left = await record.value("SELECT 60 - extract(epoch FROM now())::numeric % 60")
    if left < 5:
        await asyncio.sleep(float(left) + 0.1)


def limited(record: Record, **limits: int) -> Inbox:
    return Inbox(record.database, record.counter, Attender(), Limits(**limits))


def message(*given: Any, **rest: Any) -> Message:
    """Make a message of this moment: what is older was not asked in this minute."""
    return made(*given, **{"sent_at": datetime.now(UTC)} | rest)


pytestmark = pytest.mark.usefixtures("steady")


async def test_a_persons_questions_above_the_limit_are_kept_and_not_answered(record: Record) -> None:
    inbox = limited(record, person=2)
    heard = [await inbox.accept(message(f"{number}", OPEN, ADA)) for number in range(4)]
    assert heard == [Accepted.NEW, Accepted.NEW, Accepted.LIMITED, Accepted.LIMITED]
    assert await inbox.accept(message("mine", OPEN, BEN)) is Accepted.NEW
    assert await record.value("SELECT count(*) FROM turns") == 3
    assert await record.value("SELECT count(*) FROM messages WHERE limited AND turn_id IS NULL") == 2


async def test_a_channels_limit_counts_all_who_are_within_their_own(record: Record) -> None:
    inbox = limited(record, person=2, channel=3)
    for number in range(4):
        await inbox.accept(message(f"{number}", OPEN, ADA))
    assert await inbox.accept(message("mine", OPEN, BEN)) is Accepted.NEW
    assert await inbox.accept(message("mine too", OPEN, BEN)) is Accepted.LIMITED
    assert await inbox.accept(message("elsewhere", replace(OPEN, id="501"), BEN)) is Accepted.LIMITED
    assert await inbox.accept(message("hers", replace(OPEN, id="502"), replace(BEN, id="U3"))) is Accepted.NEW


async def test_two_processes_count_together(record: Record, another: Record) -> None:
    inboxes = limited(record, person=5), limited(another, person=5)
    asked = [inboxes[n % 2].accept(message(f"{n}", OPEN, ADA)) for n in range(12)]
    assert Counter(await asyncio.gather(*asked)) == {Accepted.NEW: 5, Accepted.LIMITED: 7}


async def test_a_second_delivery_and_an_edit_neither_count_nor_answer(record: Record) -> None:
    inbox = limited(record, person=2)
    first = message("one", OPEN, ADA)
    for _ in range(3):
        await inbox.accept(first)
    await inbox.accept(edited(first, "one, better"))
    assert await inbox.accept(message("two", OPEN, ADA)) is Accepted.NEW
    late = message("three", OPEN, ADA)
    assert await inbox.accept(late) is Accepted.LIMITED
    assert await inbox.accept(late) is Accepted.KNOWN
    assert await inbox.accept(edited(late, "three, better")) is Accepted.REVISED
    assert await record.value("SELECT count(*) FROM turns") == 2


async def test_only_what_would_be_answered_counts(record: Record) -> None:
    inbox = limited(record, person=1)
    assert await inbox.accept(message("hello", THREAD, ADA)) is Accepted.NEW
    aside = message("<@U9> look", THREAD, BEN, mentions_bot=False, mentions_others=True)
    assert await inbox.accept(aside) is Accepted.KEPT
    assert await inbox.accept(message("and me", THREAD, BEN)) is Accepted.NEW


async def test_the_next_minute_begins_anew(record: Record) -> None:
    inbox = limited(record, person=1)
    await inbox.accept(message("one", OPEN, ADA))
    assert await inbox.accept(message("two", OPEN, ADA)) is Accepted.LIMITED
    await record.rows("UPDATE rates SET minute = minute - 1")
    assert await inbox.accept(message("three", OPEN, ADA)) is Accepted.NEW


async def test_a_person_is_told_once_a_minute_by_whichever_process(record: Record, another: Record) -> None:
    asked = message("one", OPEN, ADA)
    told = [Rates(one.database).first_told(asked) for one in (record, another, record)]
    assert sorted(await asyncio.gather(*told)) == [False, False, True]
    await record.rows("UPDATE rates SET told_minute = told_minute - 1")
    assert await Rates(record.database).first_told(asked)


async def test_what_is_past_is_swept(record: Record) -> None:
    inbox = limited(record, person=9, channel=9)
    await inbox.accept(message("one", OPEN, ADA))
    await record.rows("UPDATE rates SET minute = minute - 5 WHERE key LIKE 'person:%'")
    await Rates(record.database).sweep()
    assert [row["key"] for row in await record.rows("SELECT key FROM rates")] == ["channel:discord:G1:500"]


async def test_without_limits_nothing_is_counted(record: Record) -> None:
    await record.inbox.accept(message("one", OPEN, ADA))
    assert await record.value("SELECT count(*) FROM rates") == 0


async def test_what_was_written_while_nobody_listened_is_not_counted(record: Record) -> None:
    inbox, before = limited(record, person=1), datetime.now(UTC) - timedelta(minutes=5)
    heard = [await inbox.accept(message(f"{number}", OPEN, ADA, sent_at=before)) for number in range(3)]
    assert heard == [Accepted.NEW] * 3
