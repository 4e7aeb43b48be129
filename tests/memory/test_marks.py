"""The mark moves while somebody listens, stays where nobody does, and is closed by who fetched the rest."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.dialogue import Platform
from bot.memory.marks import Marks
from tests.memory.conftest import BEN, DIRECT, THREAD, Record, done, message

HERE = (Platform.SLACK, "T1")
DAY = timedelta(days=1)


@pytest.fixture
def marks(record: Record) -> Marks:
    return Marks(record.database)


async def age(record: Record, seconds: float) -> None:
    await record.database.run(
        "UPDATE marks SET seen_until = seen_until - make_interval(secs => %(seconds)s)", seconds=seconds
    )


async def test_where_nobody_ever_listened_there_is_no_mark(marks: Marks) -> None:
    mark = await marks.read(*HERE)
    assert (mark.seen_until, mark.places) == (None, {})
    assert not await marks.listen(*HERE)


async def test_who_listens_moves_the_mark(record: Record, marks: Marks) -> None:
    await marks.close(*HERE)
    await age(record, 30)
    assert await marks.listen(*HERE)
    mark = await marks.read(*HERE)
    assert mark.seen_until is not None
    assert mark.now - mark.seen_until < timedelta(seconds=20)


async def test_a_mark_that_nobody_moved_for_a_while_stays_until_the_gap_is_closed(
    record: Record, marks: Marks
) -> None:
    await marks.close(*HERE)
    await age(record, 90)
    before = await marks.read(*HERE)
    assert not await marks.listen(*HERE)
    assert (await marks.read(*HERE)).seen_until == before.seen_until
    await marks.close(*HERE)
    assert await marks.listen(*HERE)


async def test_places_of_a_gap_are_remembered_until_it_is_closed(marks: Marks) -> None:
    await marks.close(*HERE)
    now = (await marks.read(*HERE)).now
    await marks.reached(*HERE, "C1", now - DAY)
    await marks.reached(*HERE, "C1", now)
    assert (await marks.read(*HERE)).places == {"C1": now}
    assert (await marks.read(Platform.SLACK, "T2")).places == {}
    await marks.close(*HERE)
    assert (await marks.read(*HERE)).places == {}


async def test_the_newest_conversations_come_first_with_what_is_owed_in_them(
    record: Record, marks: Marks
) -> None:
    await record.exchange(message("long ago", THREAD), "an answer", THREAD)
    owed = message("owed", THREAD, BEN)
    await record.inbox.accept(owed)
    await record.inbox.accept(message("direct", DIRECT, id="77"))
    now = (await marks.read(*HERE)).now
    direct, thread = await marks.recent(*HERE, now - DAY, now)
    assert (direct.place, direct.root, direct.asked) == (DIRECT.id, "", ("77",))
    assert (thread.place, thread.root, thread.asked) == (THREAD.id, THREAD.root, (owed.id,))
    assert await marks.recent(*HERE, now + DAY, now) == []
    assert await marks.recent(Platform.SLACK, "T2", now - DAY, now) == []


async def test_what_was_answered_since_the_gap_is_told_too(record: Record, marks: Marks) -> None:
    before = (await marks.read(*HERE)).now
    turn = await record.claimed("hello", channel=THREAD)
    await record.turns.finish(turn, done())
    (found,) = await marks.recent(*HERE, before - DAY, before)
    assert found.asked == (turn.asked.id,)
    (found,) = await marks.recent(*HERE, before - DAY, before + DAY)
    assert found.asked == ()
