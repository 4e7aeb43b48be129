"""Buttons, commands and forms over the wire: answered in time, to one person, whatever is slow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from discord.utils import snowflake_time

from bot.dialogue import ChannelKind, Piece, Reply, Request, Wish
from bot.errors import StoreDown
from tests.adapters.discord.conftest import FakeChoice, World
from tests.adapters.discord.test_sending import ask
from tests.doubles.discord import Person, Place
from tests.doubles.discord_interactions import Interaction, press
from tests.doubles.discord_state import MANAGE_GUILD, MANAGE_MESSAGES
from tests.fakes import FakeReceipts, pieces_of


@pytest.fixture
async def answer(world: World, anna: Person, place: Place) -> str:
    question = await ask(world, anna, place)
    await world.adapter.send(question, pieces_of(Piece(0, "So.", done=True, last=True)), FakeReceipts())
    return world.discord.messages(place)[-1].id


@pytest.fixture
async def heard(world: World, answer: str) -> AsyncIterator[World]:
    async with world.listening():
        await world.discord.connected()
        yield world


@pytest.mark.parametrize(
    ("name", "wish", "value"),
    [("again", Wish.AGAIN, ""), ("why", Wish.WHY, ""), ("up", Wish.VOTE, "up")],
)
async def test_a_button_is_a_wish_about_its_post(
    heard: World, anna: Person, place: Place, answer: str, name: str, wish: Wish, value: str
) -> None:
    pressed = await heard.discord.press(anna, answer, name)
    await heard.discord.until(lambda: bool(pressed.told))

    [request] = heard.inbox.requests
    assert (request.wish, request.value, request.message_id) == (wish, value, answer)
    assert (request.person.id, request.person.locale, request.moderator) == (anna.id, "en-US", False)
    assert (request.channel.id, request.channel.kind) == (place.id, ChannelKind.OPEN)
    assert request.asked_at == snowflake_time(int(pressed.id))
    assert pressed.told == [f"[{wish}]"]
    assert pressed.private


async def test_a_moderator_is_known_by_the_permission_there(heard: World, anna: Person, answer: str) -> None:
    anna.permissions = MANAGE_MESSAGES
    await heard.discord.press(anna, answer, "again")
    await heard.discord.until(lambda: bool(heard.inbox.requests))

    assert heard.inbox.requests[0].moderator


async def test_a_thumb_down_counts_at_once_and_may_be_explained(
    heard: World, anna: Person, answer: str
) -> None:
    pressed = await heard.discord.press(anna, answer, "down")
    await heard.discord.until(lambda: len(heard.inbox.requests) == 1)
    sent = await heard.discord.submit(pressed, "It is out of date.")
    await heard.discord.until(lambda: bool(sent.told))

    first, second = heard.inbox.requests
    assert (first.wish, first.value, first.reason) == (Wish.VOTE, "down", "")
    assert (second.value, second.reason, second.message_id) == ("down", "It is out of date.", answer)


async def test_a_vote_that_is_refused_is_told_although_a_form_is_open(
    heard: World, anna: Person, answer: str
) -> None:
    heard.inbox.replies[Wish.VOTE] = Reply("There is nothing to vote on.", done=False)
    pressed = await heard.discord.press(anna, answer, "down")
    await heard.discord.until(lambda: pressed.told == ["There is nothing to vote on."])


async def test_a_slow_answer_is_announced_in_time(world: World, anna: Person, answer: str) -> None:
    go_on = asyncio.Event()

    async def slow(request: Request) -> Reply:
        await go_on.wait()
        return Reply("At last.")

    world.inbox.request = slow  # type: ignore[method-assign]
    async with world.listening():
        await world.discord.connected()
        pressed = await world.discord.press(anna, answer, "why")
        assert pressed.thinking
        assert pressed.private
        assert pressed.seconds < 2.0
        go_on.set()
        await world.discord.until(lambda: pressed.told == ["At last."])


@pytest.mark.parametrize("name", ["why", "down"])  # a vote is told although a form is open
async def test_without_a_store_the_person_is_asked_to_try_again(
    heard: World, anna: Person, answer: str, name: str
) -> None:
    heard.inbox.error = StoreDown("no database")
    pressed = await heard.discord.press(anna, answer, name)
    await heard.discord.until(lambda: pressed.told == ["[en-US:discord-away]"])


async def test_a_slow_wish_is_carried_out_although_nobody_can_be_told(
    world: World, anna: Person, answer: str
) -> None:
    go_on, done = asyncio.Event(), asyncio.Event()

    async def slow(request: Request) -> Reply:
        await go_on.wait()
        done.set()
        return Reply("Stopped.")

    world.inbox.request = slow  # type: ignore[method-assign]
    async with world.listening():
        await world.discord.connected()
        world.discord.refuse("POST", "/callback", 404, 10062)
        post = world.discord.state.posts[answer]
        event = world.discord.rest.interactions.event(press(anna, post, "why"))
        await world.discord.gateway.dispatch("INTERACTION_CREATE", lambda _: event)
        await world.discord.until(lambda: bool(world.discord.calls("POST", "/callback")))
        go_on.set()
        async with asyncio.timeout(5):
            await done.wait()


@pytest.mark.parametrize("name", ["new", "why", "stop", "help"])
async def test_a_command_is_a_wish(heard: World, anna: Person, name: str) -> None:
    typed = await heard.discord.command(anna, heard.discord.direct(anna), name)
    await heard.discord.until(lambda: bool(typed.told))

    [request] = heard.inbox.requests
    assert request.wish is Wish(name)
    assert request.message_id == ""
    assert request.channel.kind is ChannelKind.DIRECT


async def test_a_language_is_chosen_or_left_to_what_one_writes(
    heard: World, anna: Person, place: Place
) -> None:
    for tag in ("zh-TW", "auto"):
        typed = await heard.discord.command(anna, place, "language", language=tag)
        await heard.discord.until(lambda typed=typed: bool(typed.told))  # type: ignore[misc]

    assert [(request.wish, request.value) for request in heard.inbox.requests] == [
        (Wish.LANGUAGE, "zh-TW"),
        (Wish.LANGUAGE, ""),
    ]


async def test_who_manages_the_server_says_where_it_is_answered(
    heard: World, anna: Person, place: Place
) -> None:
    anna.permissions = MANAGE_GUILD
    typed = await heard.discord.command(anna, place, "settings", answers="thread", language="zh-CN")
    await heard.discord.until(lambda: bool(typed.told))

    assert heard.choices.chosen == FakeChoice("thread", "zh-CN")
    assert "discord-choice-thread" in typed.told[0]
    assert "简体中文" in typed.told[0]


async def test_nobody_else_does(heard: World, anna: Person, place: Place) -> None:
    typed = await heard.discord.command(anna, place, "settings", answers="thread")
    await heard.discord.until(lambda: typed.told == ["[en-US:discord-settings-denied]"])

    assert heard.choices.chosen == FakeChoice()


async def test_what_is_unknown_is_said_to_be(heard: World, anna: Person, place: Place, answer: str) -> None:
    post = heard.discord.state.posts[answer]
    strange = {"custom_id": "older:button", "component_type": 2, "id": 1}
    pressed = await heard.discord.interact(Interaction(3, anna, place, strange, post), "zh-TW")
    await heard.discord.until(lambda: pressed.told == ["[zh-TW:discord-unknown]"])
    typed = await heard.discord.command(anna, place, "older")
    await heard.discord.until(lambda: typed.told == ["[en-US:discord-unknown]"])


async def test_a_button_that_a_resumed_session_brings_again_is_pressed_once(
    heard: World, anna: Person, answer: str
) -> None:
    pressed = await heard.discord.press(anna, answer, "again")
    event = heard.discord.rest.interactions.event(pressed)
    await heard.discord.gateway.dispatch("INTERACTION_CREATE", lambda _: event)
    after = await heard.discord.press(anna, answer, "why")
    await heard.discord.until(lambda: bool(after.told))

    assert [request.wish for request in heard.inbox.requests] == [Wish.AGAIN, Wish.WHY]


async def test_an_interaction_that_discord_has_given_up_ends_nothing(
    heard: World, anna: Person, place: Place, answer: str
) -> None:
    heard.discord.rest.interactions.ack_seconds = -1.0
    event = heard.discord.rest.interactions.event(
        Interaction(2, anna, place, {"id": "1", "name": "why", "type": 1})
    )
    await heard.discord.gateway.dispatch("INTERACTION_CREATE", lambda _: event)
    await heard.discord.until(lambda: bool(heard.discord.calls("POST", "/callback")))
    heard.discord.rest.interactions.ack_seconds = 3.0

    pressed = await heard.discord.press(anna, answer, "why")
    await heard.discord.until(lambda: bool(pressed.told))
