"""A question that is posted for somebody is posted once, and asked whole."""

from __future__ import annotations

import pytest

from bot.adapters.slack import SlackAdapter
from bot.adapters.slack.asking import Ask, Asking
from bot.adapters.slack.names import Names
from bot.adapters.slack.people import People
from bot.adapters.slack.reading import Me
from bot.adapters.slack.web import Unsure, Web
from bot.errors import StoreDown
from tests.adapters.slack.talk import GENERAL
from tests.doubles.slack import SlackDouble
from tests.fakes import FakeDoor, FakeWords

ME = Me("U0BOT", "B0BOT", "T0001", "frontdesk")


@pytest.fixture
def people(adapter: SlackAdapter) -> People:
    return People(Names(adapter._web), ME)


def an_ask(text: str = "hello?", *, again: bool = False) -> Ask:
    return Ask("T0001", GENERAL, "U0ANN", text, "trigger-1", again)


def asking(adapter: SlackAdapter, people: People, door: FakeDoor) -> Asking:
    web: Web = adapter._web
    return Asking(web, people, door, FakeWords())


async def test_a_long_question_is_shown_in_part_and_asked_whole(
    slack: SlackDouble, adapter: SlackAdapter, people: People
) -> None:
    door = FakeDoor()
    asker = await people.somebody("U0ANN")
    assert await asking(adapter, people, door).openly(an_ask("word " * 1_500 + "end"), asker, "en")
    assert door.messages[0].text.endswith("word end")
    assert len(slack.answers(GENERAL)[0].text) < 3_200


async def test_the_same_question_again_finds_its_post(
    slack: SlackDouble, adapter: SlackAdapter, people: People
) -> None:
    door = FakeDoor()
    asker = await people.somebody("U0ANN")
    door.error = StoreDown("no database")
    with pytest.raises(StoreDown):
        await asking(adapter, people, door).openly(an_ask(), asker, "en")
    door.error = None
    assert await asking(adapter, people, door).openly(an_ask(again=True), asker, "en")
    assert [message.id for message in door.messages] == [post.ts for post in slack.answers(GENERAL)]


async def test_a_post_that_got_lost_is_told(
    slack: SlackDouble, adapter: SlackAdapter, people: People
) -> None:
    slack.fail("chat.postMessage", dropped=True)
    asker = await people.somebody("U0ANN")
    with pytest.raises(Unsure):
        await asking(adapter, people, FakeDoor()).openly(an_ask(), asker, "en")
    assert slack.answers(GENERAL) == []
