"""Answers in threads that their questions begin, and what keeps an answer from being posted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.adapters.discord.starters import as_starter, title_of
from bot.dialogue import ChannelKind, Message, Piece, Slot
from bot.errors import PermissionMissing, PostRefused
from tests.adapters.discord.conftest import World
from tests.adapters.discord.test_sending import WHOLE, ask
from tests.doubles.discord import Person, Place
from tests.fakes import FakeReceipts, pieces_of

PIECE = Piece(0, WHOLE, done=True, last=True)


@pytest.fixture
async def starter(world: World, anna: Person, place: Place) -> Message:
    return as_starter(await ask(world, anna, place, "How do I\nlog in?"))


def thread_of(world: World, starter: Message) -> Place:
    return world.discord.state.places[starter.id]


def test_a_thread_is_named_after_the_first_line_of_its_question() -> None:
    assert title_of("\n  How   do I log in? \nPlease.") == "How do I log in?"
    assert title_of("word " * 40) == ("word " * 40)[:79].rstrip() + "…"
    assert title_of("") == ""


async def test_the_thread_is_made_and_answered_in(world: World, starter: Message, place: Place) -> None:
    async def slow() -> AsyncIterator[Piece]:
        await world.discord.until(lambda: bool(world.discord.rest.typing))
        yield Piece(0, "The")
        yield PIECE

    await world.adapter.send(starter, slow(), FakeReceipts())

    thread = thread_of(world, starter)
    assert (thread.name, thread.parent_id) == ("How do I", place.id)
    assert world.discord.answers(thread) == [WHOLE]
    assert world.discord.answers(place) == []
    assert [channel for channel, _ in world.discord.rest.typing] == [place.id]


async def test_a_thread_that_stands_already_is_used(world: World, starter: Message, place: Place) -> None:
    await world.discord.thread(place, "made by hand", starter.id)
    await world.adapter.send(starter, pieces_of(PIECE), FakeReceipts())

    assert world.discord.answers(thread_of(world, starter)) == [WHOLE]


async def test_an_answer_that_died_after_its_post_is_found_in_the_thread(
    world: World, starter: Message
) -> None:
    receipts = FakeReceipts()
    await world.adapter.send(starter, pieces_of(PIECE), receipts)
    known = receipts.slots[0]
    again = FakeReceipts([replace(known, message_id="", nonce="another", unsure=True, text=WHOLE)])
    again.slots[0] = Slot(0, "another", unsure=True, recorded_at=starter.sent_at, text=WHOLE)
    await world.adapter.send(starter, pieces_of(PIECE), again)

    assert world.discord.answers(thread_of(world, starter)) == [WHOLE]


async def test_a_try_that_died_before_its_thread_was_made_goes_on(world: World, starter: Message) -> None:
    receipts = FakeReceipts([Slot(0, "n-1", unsure=True, recorded_at=starter.sent_at, text=WHOLE)])
    await world.adapter.send(starter, pieces_of(PIECE), receipts)

    assert world.discord.answers(thread_of(world, starter)) == [WHOLE]


async def test_without_the_permission_the_cure_is_told(world: World, starter: Message) -> None:
    world.discord.state.may_not_thread = True

    with pytest.raises(PermissionMissing, match="Create Public Threads"):
        await world.adapter.send(starter, pieces_of(PIECE), FakeReceipts())


async def test_what_the_question_replies_to_is_read_from_the_channel(
    world: World, anna: Person, place: Place
) -> None:
    first = await world.discord.say(anna, place, "the printer is broken")
    asked = await ask(world, anna, place, "what now?")
    starter = as_starter(replace(asked, reply_to=first))

    [earlier] = await world.adapter.history(starter)
    assert earlier.text == "the printer is broken"
    assert (earlier.channel.id, earlier.channel.kind) == (place.id, ChannelKind.OPEN)


async def test_a_forum_post_is_answered_in_the_post(world: World, anna: Person) -> None:
    post = await world.discord.publish(anna, world.discord.forum("help"), "Login", "I cannot log in")
    asked = await ask(world, anna, post)
    question = replace(asked, id=post.id, channel=replace(asked.channel, kind=ChannelKind.THREAD))
    await world.adapter.send(question, pieces_of(PIECE), FakeReceipts())

    assert world.discord.messages(post)[-1].reply_to == post.id
    assert world.discord.calls("POST", "/threads") == []


async def test_an_archived_thread_is_opened_again(world: World, anna: Person, place: Place) -> None:
    thread = await world.discord.thread(place, "old")
    question, receipts = await ask(world, anna, thread), FakeReceipts()
    await world.adapter.send(question, pieces_of(Piece(0, "The")), receipts)
    thread.archived = True
    await world.adapter.send(question, pieces_of(PIECE), receipts)

    assert world.discord.answers(thread) == [WHOLE]
    assert not thread.archived


async def test_a_locked_thread_is_told_with_its_cure(world: World, anna: Person, place: Place) -> None:
    thread = await world.discord.thread(place, "locked")
    question = await ask(world, anna, thread)
    thread.locked = True

    with pytest.raises(PermissionMissing, match="unlock it"):
        await world.adapter.send(question, pieces_of(PIECE), FakeReceipts())


async def test_a_channel_that_is_gone_is_told(world: World, anna: Person, place: Place) -> None:
    question = await ask(world, anna, place)
    del world.discord.state.places[place.id]

    with pytest.raises(PostRefused, match="gone"):
        await world.adapter.send(question, pieces_of(PIECE), FakeReceipts())
