"""History over the wire: threads and reply chains before a question."""

from __future__ import annotations

import pytest

from bot.dialogue import Message
from bot.errors import PlatformDown
from tests.adapters.discord.conftest import World
from tests.doubles.discord import Person, Place


async def asked_in(world: World, author: Person, place: Place, reply_to: str = "") -> Message:
    """Hear a question live, as the worker would have it."""
    async with world.listening():
        await world.discord.connected()
        await world.discord.say(
            author, place, f"{world.discord.bot.mention} what now?", reply_to=reply_to, ping=False
        )
        await world.until_heard("what now?")
    return world.heard[-1]


async def test_a_thread_is_read_from_its_first_message_on(world: World, anna: Person, place: Place) -> None:
    starter = await world.discord.say(anna, place, "The printer is broken")
    thread = await world.discord.thread(place, "printer", starter)
    ben = world.discord.person("Ben")
    await world.discord.say(ben, thread, "Which one?")
    await world.discord.say(anna, thread, f"The one {ben.mention} uses")
    question = await asked_in(world, anna, thread)
    await world.discord.say(anna, thread, "written after the question")

    history = await world.adapter.history(question)
    told = [(message.author.name, message.text) for message in history]
    assert told == [
        ("Anna", "The printer is broken"),
        ("Ben", "Which one?"),
        ("Anna", "The one @Ben uses"),
    ]
    assert {message.channel.id for message in history} == {thread.id}
    assert not any(message.said for message in history)


async def test_a_long_thread_is_read_page_by_page_up_to_a_bound(
    world: World, anna: Person, place: Place
) -> None:
    thread = await world.discord.thread(place, "long")
    for number in range(1_020):
        await world.discord.say(anna, thread, f"line {number}")
    question = await asked_in(world, anna, thread)

    history = await world.adapter.history(question)
    assert [message.text for message in history] == [f"line {number}" for number in range(20, 1_020)]


async def test_own_answers_come_as_said(world: World, anna: Person, place: Place) -> None:
    thread = await world.discord.thread(place, "a thread")
    await world.discord.say(anna, thread, "hello")
    await world.discord.say(world.discord.bot, thread, "Hello Anna.")
    question = await asked_in(world, anna, thread)

    assert [message.said for message in await world.adapter.history(question)] == [False, True]


async def test_a_reply_chain_is_followed_up_to_its_root(world: World, anna: Person, place: Place) -> None:
    root = await world.discord.say(anna, place, "root")
    await world.discord.say(anna, place, "not in the chain")
    answer = await world.discord.say(world.discord.bot, place, "answer", reply_to=root)
    question = await asked_in(world, anna, place, reply_to=answer)

    history = await world.adapter.history(question)
    assert [(message.text, message.said) for message in history] == [("root", False), ("answer", True)]
    assert [message.reply_to for message in history] == ["", root]


async def test_a_reply_chain_ends_at_a_deleted_message(world: World, anna: Person, place: Place) -> None:
    root = await world.discord.say(anna, place, "root")
    middle = await world.discord.say(anna, place, "middle", reply_to=root)
    last = await world.discord.say(anna, place, "last", reply_to=middle)
    question = await asked_in(world, anna, place, reply_to=last)
    await world.discord.remove(middle)

    assert [message.text for message in await world.adapter.history(question)] == ["last"]


async def test_a_chain_is_followed_only_so_far(world: World, anna: Person, place: Place) -> None:
    last = await world.discord.say(anna, place, "link 0")
    for number in range(1, 60):
        last = await world.discord.say(anna, place, f"link {number}", reply_to=last)
    question = await asked_in(world, anna, place, reply_to=last)

    history = await world.adapter.history(question)
    assert [message.text for message in history] == [f"link {number}" for number in range(10, 60)]


async def test_a_question_that_replies_to_nothing_has_no_history(
    world: World, anna: Person, place: Place
) -> None:
    await world.discord.say(anna, place, "chat")
    question = await asked_in(world, anna, place)

    assert list(await world.adapter.history(question)) == []


async def test_direct_messages_are_all_on_record(world: World, anna: Person) -> None:
    direct = world.discord.direct(anna)
    await world.discord.say(anna, direct, "earlier")
    question = await asked_in(world, anna, direct)

    assert list(await world.adapter.history(question)) == []


async def test_what_may_not_be_read_is_left_out(world: World, anna: Person, place: Place) -> None:
    thread = await world.discord.thread(place, "a thread")
    await world.discord.say(anna, thread, "hello")
    question = await asked_in(world, anna, thread)
    world.discord.refuse("GET", "/messages$", 403, 50001)

    assert list(await world.adapter.history(question)) == []


async def test_a_discord_that_does_not_answer_is_told(world: World, anna: Person, place: Place) -> None:
    thread = await world.discord.thread(place, "a thread")
    question = await asked_in(world, anna, thread)
    world.discord.refuse("GET", "/messages$", 503, count=9)
    with pytest.raises(PlatformDown):
        await world.adapter.history(question)
