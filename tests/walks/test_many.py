"""Walks of many at once: hundreds of conversations in one process, each in order, none mixed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from bot.dialogue import Author, Channel, ChannelKind, Message, Platform
from tests.doubles.model import Gate, ModelDouble
from tests.walks.conftest import Opener, Record

PEOPLE = 200
AGAIN = 20


def message(person: int, number: int) -> Message:
    place = Channel(Platform.WEB, "local", f"thread-{person}", kind=ChannelKind.DIRECT)
    author = Author(f"person-{person}", f"Person {person}")
    return Message(f"{person}-{number}", place, author, f"{person}/{number}", datetime.now(UTC))


async def test_two_hundred_conversations_are_answered_side_by_side(
    model: ModelDouble, house: Opener, record: Record
) -> None:
    model.gate = Gate()
    model.reply = lambda body: "Answer to " + body["messages"][-1]["content"]
    async with house() as built:
        await asyncio.gather(*(built.house.inbox.accept(message(person, 1)) for person in range(PEOPLE)))
        # All two hundred requests are open at the same moment.
        await model.asked(PEOPLE, seconds=60)
        model.gate.release()
        assert len(await record.turns(60)) == PEOPLE
        await asyncio.gather(*(built.house.inbox.accept(message(person, 2)) for person in range(AGAIN)))
        assert len(await record.turns_of(PEOPLE + AGAIN, 60)) == PEOPLE + AGAIN
    told = await record.rows(
        "SELECT c.place, string_agg(m.text, ' | ' ORDER BY m.position) FROM messages m "
        "JOIN conversations c ON c.id = m.conversation_id GROUP BY c.place"
    )
    assert len(told) == PEOPLE
    for place, texts in told:
        person = int(place.removeprefix("thread-"))
        numbers = (1, 2) if person < AGAIN else (1,)
        assert texts == " | ".join(f"{person}/{n} | Answer to {person}/{n}" for n in numbers)
