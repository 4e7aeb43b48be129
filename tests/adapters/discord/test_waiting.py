"""A question that waited long is only answered where it still stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.adapters.discord.waiting import look_after
from bot.dialogue import Deletion, Message
from bot.errors import Superseded
from tests.adapters.discord.conftest import World
from tests.adapters.discord.test_sending import ask
from tests.fakes import FakeDoor, FakeReceipts


class Record(FakeDoor):
    """A door behind which a withdrawal ends the answer."""

    def __init__(self, receipts: FakeReceipts) -> None:
        super().__init__()
        self._receipts = receipts

    async def withdraw(self, deletion: Deletion) -> None:
        await super().withdraw(deletion)
        self._receipts.superseded = True


@pytest.fixture
async def question(world: World) -> Message:
    asked = await ask(world, world.discord.person("Anna"), world.discord.channel("general"))
    return replace(asked, sent_at=datetime.now(UTC) - timedelta(hours=1))


async def test_what_was_deleted_while_nobody_listened_is_withdrawn(world: World, question: Message) -> None:
    await world.discord.remove(question.id)
    receipts = FakeReceipts()
    door = Record(receipts)

    with pytest.raises(Superseded):
        await look_after(world.adapter._rest, door, question, receipts)
    assert [(one.channel, one.message_ids) for one in door.deletions] == [(question.channel, (question.id,))]


async def test_what_still_stands_is_answered(world: World, question: Message) -> None:
    door = Record(FakeReceipts())
    await look_after(world.adapter._rest, door, question, FakeReceipts())

    assert door.deletions == []


async def test_what_cannot_be_looked_at_is_answered(world: World, question: Message) -> None:
    world.discord.refuse("GET", "/messages/", 403, 50001)
    door = Record(FakeReceipts())
    await look_after(world.adapter._rest, door, question, FakeReceipts())

    assert door.deletions == []


async def test_a_new_question_costs_no_look(world: World, question: Message) -> None:
    fresh = replace(question, sent_at=datetime.now(UTC))
    await look_after(world.adapter._rest, FakeDoor(), fresh, FakeReceipts())

    assert world.discord.calls("GET", f"/messages/{question.id}") == []
