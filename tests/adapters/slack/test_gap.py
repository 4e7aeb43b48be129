"""A gap is closed a place at a time or as a whole, and each place is fetched once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from bot.adapters.slack.budgets import Budget
from bot.adapters.slack.gap import Gap
from bot.adapters.slack.missed import Missed
from bot.adapters.slack.mrkdwn import Known
from bot.adapters.slack.reading import Me, read_message
from bot.adapters.slack.web import Web
from bot.dialogue import Accepted, ChannelKind, Message
from bot.errors import StoreDown
from tests.adapters.slack.talk import DIRECT, GENERAL
from tests.adapters.slack.together import FakeMarks, FakeRecent, ago
from tests.doubles.slack import SlackDouble
from tests.fakes import FakeDoor

Begin = Callable[[FakeMarks, FakeDoor], Gap]


async def read(event: Mapping[str, Any]) -> Message | None:
    return read_message(event, "T0001", Me("U0BOT", "B0BOT", "T0001", "bot"), Known())


@pytest.fixture
async def begin(slack: SlackDouble) -> AsyncIterator[Begin]:
    web = Web(slack.bot_token, slack.api_url)
    missed = Missed(web, Budget(60_000, 100))
    yield lambda marks, door: Gap("T0001", missed, read, door, marks, timedelta(hours=24))
    await web.close()


async def test_a_place_is_fetched_once_however_many_wait_for_it(slack: SlackDouble, begin: Begin) -> None:
    await slack.say("U0ANN", GENERAL, "missed")
    door = FakeDoor()
    gap = begin(FakeMarks(ago(minutes=9)), door)
    assert not gap.is_closed(GENERAL)
    await asyncio.gather(*(gap.close_at(GENERAL, "channel") for _ in range(3)), gap.close())
    assert gap.is_closed(GENERAL)
    assert [message.text for message in door.messages] == ["missed"]
    asked = [call["channel"] for call in slack.called("conversations.history")]
    assert sorted(asked) == [GENERAL, DIRECT]


async def test_where_the_door_could_not_keep_it_the_next_try_can(slack: SlackDouble, begin: Begin) -> None:
    await slack.say("U0ANN", GENERAL, "missed")
    marks, door = FakeMarks(ago(minutes=9)), FakeDoor()
    gap = begin(marks, door)
    marks.down = True
    with pytest.raises(StoreDown):
        await gap.close()
    marks.down, door.error = False, StoreDown("no database")
    with pytest.raises(StoreDown):
        await gap.close()
    assert not gap.is_closed(GENERAL)
    door.error = None
    await gap.close()
    assert [message.text for message in door.messages] == ["missed"]


async def test_a_waiter_who_gives_up_stops_nobody_else(slack: SlackDouble, begin: Begin) -> None:
    await slack.say("U0ANN", GENERAL, "missed")
    slow, door = asyncio.Event(), FakeDoor()
    slack.fail("conversations.history", hold=slow)
    gap = begin(FakeMarks(ago(minutes=9)), door)
    impatient = asyncio.create_task(gap.close_at(GENERAL, "channel"))
    await slack.until(lambda: slack.called("conversations.history"))
    impatient.cancel()
    await asyncio.wait({impatient})
    assert gap.is_busy()
    slow.set()
    await gap.close()
    assert [message.text for message in door.messages] == ["missed"]
    assert not gap.is_busy()


async def test_the_channels_where_the_bot_was_spoken_to_last_go_first(
    slack: SlackDouble, begin: Begin
) -> None:
    order: list[str] = []

    class Door(FakeDoor):
        async def accept(self, message: Message) -> Accepted:
            order.append(message.channel.id)
            return await super().accept(message)

    for number in range(25):
        slack.space.add_place(f"C{number:03}", "x")
        await slack.say("U0ANN", f"C{number:03}", "missed")
    marks = FakeMarks(ago(minutes=9))
    marks.lately = [FakeRecent("C024", "1.0"), FakeRecent("D0OLD", "", ChannelKind.DIRECT)]
    await begin(marks, Door()).close()
    assert order.index("C024") < 20 <= order.index("C023")
    assert len(order) == 25
    assert "reached D0OLD" in marks.log  # the record knows of it, though Slack does not list it any more


async def test_after_a_short_gap_only_so_many_channels_are_looked_at(
    slack: SlackDouble, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.adapters.slack.gap.BOUND", 1)
    marks = FakeMarks(ago(minutes=1))
    marks.lately = [FakeRecent(DIRECT, "", ChannelKind.DIRECT)]
    await begin(marks, FakeDoor()).close()
    assert [call["channel"] for call in slack.called("conversations.history")] == [DIRECT]
    await begin(FakeMarks(ago(minutes=9)), FakeDoor()).close()
    assert len(slack.called("conversations.history")) == 3
