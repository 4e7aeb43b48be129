"""What was written while nobody listened comes in before what is written now."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import pytest

from bot.adapters.slack.budgets import Budget
from bot.adapters.slack.catching_up import CatchingUp
from bot.adapters.slack.missed import Missed
from bot.adapters.slack.names import Names
from bot.adapters.slack.people import People
from bot.adapters.slack.reading import Me
from bot.adapters.slack.web import Web
from bot.dialogue import ChannelKind
from tests.adapters.slack.talk import DIRECT, GENERAL
from tests.adapters.slack.together import FakeMarks, FakeRecent, FakeSeats, ago, together
from tests.doubles.slack import SlackDouble
from tests.fakes import FakeDoor

MENTION = "<@U0BOT> "


class Office:
    """Somebody who listens to the double's workspace, and what they share with others."""

    def __init__(self, slack: SlackDouble, seen_until: datetime | None = None) -> None:
        self.slack = slack
        self.marks = FakeMarks(seen_until)
        self.seats = FakeSeats()
        self.door = FakeDoor()
        self.patience = 5.0

    @property
    def heard(self) -> list[str]:
        return [message.text for message in self.door.messages]

    @asynccontextmanager
    async def opened(self, *, connected: bool = True) -> AsyncIterator[CatchingUp]:
        web = Web(self.slack.bot_token, self.slack.api_url)
        people = People(Names(web), Me("U0BOT", "B0BOT", "T0001", "bot"))
        shared = together(self.marks, self.seats)
        missed = Missed(web, Budget(60_000, 100))
        gaps = CatchingUp("T0001", missed, people, self.door, shared, tick=0.05, patience=self.patience)
        if connected:
            gaps.connected()
        task = asyncio.create_task(gaps.run())
        yield gaps
        task.cancel()
        await asyncio.wait({task})
        await web.close()

    async def closed(self, times: int = 1) -> None:
        await self.slack.until(lambda: self.marks.log.count("close") == times)

    async def catch_up(self) -> list[str]:
        async with self.opened():
            await self.closed()
        return self.heard


@pytest.fixture
def office(slack: SlackDouble) -> Office:
    return Office(slack, ago(minutes=10))


async def test_after_a_downtime_all_places_are_caught_up_oldest_first(
    slack: SlackDouble, office: Office
) -> None:
    slack.space.add_place("C0TEAM", "team")
    await slack.say("U0ANN", GENERAL, MENTION + "one")
    root = await slack.say("U0BEA", "C0TEAM", MENTION + "two")
    await slack.say("U0ANN", DIRECT, "three")
    await slack.say("U0BEA", "C0TEAM", "four", thread=root)
    await slack.say("U0ANN", GENERAL, MENTION + "five")
    assert await office.catch_up() == ["one", "two", "three", "four", "five"]
    kinds = [message.channel.kind for message in office.door.messages]
    assert kinds[2:4] == [ChannelKind.DIRECT, ChannelKind.THREAD]
    assert [message.author.name for message in office.door.messages[:2]] == ["Ann", "Bea"]
    assert office.seats.asked[0] == ("slack-gaps:T0001", 1, 1)
    assert office.seats.held == []


async def test_where_nobody_ever_listened_nothing_is_missing(slack: SlackDouble) -> None:
    office = Office(slack)
    await slack.say("U0ANN", DIRECT, "long before")
    assert await office.catch_up() == []
    assert slack.called("users.conversations") == []
    assert office.marks.seen_until is not None


async def test_where_somebody_else_listened_nothing_is_fetched(slack: SlackDouble, office: Office) -> None:
    await slack.say("U0ANN", DIRECT, "heard by another")
    async with office.opened(connected=False) as gaps:
        office.marks.seen_until = ago(minutes=-1)  # moved since by whoever listens
        gaps.connected()
        await office.closed()
    assert office.heard == []
    assert slack.called("conversations.history") == []


async def test_what_is_too_old_is_left(slack: SlackDouble, office: Office) -> None:
    office.marks.seen_until = ago(days=9)
    await slack.say("U0ANN", DIRECT, "hello")
    post = next(iter(slack.space.place(DIRECT).posts.values()))
    old = f"{ago(days=2).timestamp():.6f}"
    slack.space.place(DIRECT).posts[old] = type(post)(old, "U0ANN", "old")
    assert await office.catch_up() == ["hello"]


async def test_old_words_of_command_are_past_and_our_own_posts_no_news(
    slack: SlackDouble, office: Office
) -> None:
    for text in ("stop", "new", "hello", "again"):
        await slack.say("U0ANN", DIRECT, text)
    await slack.say(slack.bot, DIRECT, "an answer of ours")
    assert await office.catch_up() == ["hello"]
    assert office.door.requests == []


async def test_an_edited_message_comes_with_its_newest_text(slack: SlackDouble, office: Office) -> None:
    ts = await slack.say("U0ANN", DIRECT, "helo")
    await slack.rewrite(DIRECT, ts, "hello")
    assert await office.catch_up() == ["hello"]
    assert office.door.messages[0].edited_at is not None


async def test_an_owed_question_that_was_deleted_meanwhile_is_withdrawn(
    slack: SlackDouble, office: Office
) -> None:
    stands = await slack.say("U0ANN", GENERAL, MENTION + "this stands")
    gone = await slack.say("U0ANN", GENERAL, MENTION + "this does not")
    direct = await slack.say("U0ANN", DIRECT, "nor this")
    await slack.delete(GENERAL, gone)
    await slack.delete(DIRECT, direct)
    office.marks.lately = [
        FakeRecent(GENERAL, stands, asked=[stands]),
        FakeRecent(GENERAL, gone, asked=[gone]),
        FakeRecent(DIRECT, "", ChannelKind.DIRECT, [direct]),
    ]
    await office.catch_up()
    assert [(one.channel.id, one.message_ids) for one in office.door.deletions] == [
        (GENERAL, (gone,)),
        (DIRECT, (direct,)),
    ]


async def test_a_new_message_waits_for_what_was_missed_in_its_channel(
    slack: SlackDouble, office: Office
) -> None:
    await slack.say("U0ANN", GENERAL, MENTION + "missed")
    await slack.say("U0ANN", DIRECT, "missed elsewhere")
    slow = asyncio.Event()
    slack.fail("users.conversations", hold=slow)  # the sweep has not even begun
    async with office.opened() as gaps:
        await gaps.settle(GENERAL, "channel")
        assert office.heard == ["missed"]
        slow.set()
        await office.closed()
        await gaps.settle(GENERAL, "channel")
    assert office.heard == ["missed", "missed elsewhere"]
    asked = [call["channel"] for call in slack.called("conversations.history")]
    assert sorted(asked) == [GENERAL, DIRECT]


async def test_a_new_message_does_not_wait_for_ever(slack: SlackDouble, office: Office) -> None:
    never = asyncio.Event()
    slack.fail("conversations.history", times=3, hold=never)
    office.patience = 0.05
    async with office.opened() as gaps, asyncio.timeout(5):
        await gaps.settle(GENERAL, "channel")
    never.set()
    assert office.heard == []


async def test_a_gap_begins_with_the_last_connection_and_is_closed_over_the_next(
    slack: SlackDouble, office: Office
) -> None:
    async with office.opened() as gaps:
        await office.closed()
        gaps.connected()
        gaps.disconnected()  # one of two
        await slack.until(lambda: "listen" in office.marks.log)
        office.marks.seen_until = ago(seconds=5)
        gaps.disconnected()
        office.marks.log.clear()
        await slack.say("U0ANN", DIRECT, "anybody?")
        await asyncio.sleep(0.15)  # while nobody listens the mark stays
        assert office.marks.log == []
        gaps.connected()
        await office.closed()
    assert office.heard == ["anybody?"]


async def test_what_comes_over_a_connection_that_ended_waits_for_nothing(
    slack: SlackDouble, office: Office
) -> None:
    await slack.say("U0ANN", DIRECT, "missed")
    async with office.opened(connected=False) as gaps:
        await gaps.settle(DIRECT, "im")
        assert slack.called("conversations.history") == []
        gaps.connected()
        await office.closed()
    assert office.heard == ["missed"]


async def test_a_mark_that_stood_still_makes_a_gap(slack: SlackDouble, office: Office) -> None:
    async with office.opened():
        await office.closed()
        await slack.say("U0ANN", DIRECT, "while the database was away")
        office.marks.seen_until, office.marks.stale = ago(minutes=3), True
        await office.closed(2)
    assert office.heard == ["while the database was away"]


async def test_without_a_database_the_gap_stays_open_until_there_is_one(
    slack: SlackDouble, office: Office
) -> None:
    await slack.say("U0ANN", DIRECT, "missed")
    office.marks.down = True
    async with office.opened():
        await slack.until(lambda: "read" in office.marks.log)
        office.marks.down = False
        office.marks.log.clear()
        await office.closed()
    assert office.heard == ["missed"]


async def test_an_expired_token_leaves_the_gap_open_for_a_later_try(
    slack: SlackDouble, office: Office
) -> None:
    await slack.say("U0ANN", DIRECT, "missed")
    slack.fail("users.conversations", error="token_expired")
    assert await office.catch_up() == ["missed"]


async def test_places_that_were_fetched_before_a_crash_are_not_read_as_far_back_again(
    slack: SlackDouble, office: Office
) -> None:
    office.marks.places[DIRECT] = ago(seconds=1)
    await office.catch_up()
    oldest = {call["channel"]: float(call["oldest"]) for call in slack.called("conversations.history")}
    assert oldest[DIRECT] > ago(minutes=3).timestamp()
    assert oldest[GENERAL] < ago(hours=23).timestamp()  # a long gap is looked through for its threads
