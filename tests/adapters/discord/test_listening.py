"""The gateway over the wire: drops, resumes, refusals; nothing lost, nothing doubled, order kept."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.dialogue import Accepted, ChannelKind, Message
from bot.errors import StoreDown, TokenRefused
from tests.adapters.discord.conftest import World
from tests.doubles.discord import Person, Place
from tests.fakes import FakeDoor

RECORDINGS = Path(__file__).resolve().parents[2] / "recordings" / "discord"


async def test_persons_messages_are_handed_on_and_no_bots(world: World, anna: Person, place: Place) -> None:
    other = world.discord.person("Other", bot=True)
    async with world.listening():
        await world.discord.say(other, place, "beep")
        await world.discord.say(world.discord.bot, place, "I said so")
        await world.hears(anna, place, "hello")

    assert world.texts == ["hello"]


async def test_direct_messages_and_threads_are_heard(world: World, anna: Person, place: Place) -> None:
    thread = await world.discord.thread(place, "a thread")
    direct = world.discord.direct(anna)
    async with world.listening():
        await world.discord.say(anna, thread, "in the thread")
        await world.discord.say(anna, direct, "in private")
        await world.until_heard("in the thread", "in private")

    kinds = {message.text: message.channel.kind for message in world.heard}
    assert kinds == {"in the thread": ChannelKind.THREAD, "in private": ChannelKind.DIRECT}


async def test_a_thread_that_the_gateway_has_not_told_of_is_asked_for(
    world: World, anna: Person, place: Place
) -> None:
    async with world.listening():
        await world.discord.connected()
        hidden = world.discord.channel("late")
        hidden.kind = 11
        hidden.parent_id = place.id
        await world.hears(anna, hidden, "hello from nowhere")

    assert world.heard[0].channel.kind is ChannelKind.THREAD
    assert world.heard[0].channel.name == "late"
    assert world.heard[0].channel.parents == (place.id, "general")


async def test_an_edit_is_handed_on_with_its_time_and_a_preview_is_not(
    world: World, anna: Person, place: Place
) -> None:
    seen: list[Message] = []

    class Ears(FakeDoor):
        async def accept(self, message: Message) -> Accepted:
            seen.append(message)
            return Accepted.NEW

    listening = asyncio.create_task(world.adapter.listen(Ears()))
    await world.discord.connected()
    written = await world.discord.say(anna, place, "helo https://example.com")
    await world.discord._emit("MESSAGE_UPDATE", world.discord.state.posts[written])  # a preview came
    await world.discord.change(written, "hello")
    await world.discord.until(lambda: bool(seen) and seen[-1].edited_at is not None)
    listening.cancel()
    await asyncio.wait({listening})

    assert [message.text for message in seen] == ["helo https://example.com", "hello"]
    assert seen[0].key == seen[1].key


async def test_what_came_during_a_drop_is_heard_by_resuming_and_nothing_twice(
    world: World, anna: Person, place: Place
) -> None:
    gateway = world.discord.gateway
    async with world.listening():
        await world.hears(anna, place, "before")
        gateway.replays_delivered = 3
        await gateway.drop()
        await world.hears(anna, place, "meanwhile")
        await world.hears(anna, place, "after")

    assert gateway.resumed == 1
    assert gateway.identified == 1
    assert world.texts == ["before", "meanwhile", "after"]


async def test_a_request_to_reconnect_is_followed(world: World, anna: Person, place: Place) -> None:
    async with world.listening():
        await world.discord.connected()
        await world.discord.gateway.ask_to_reconnect()
        await world.discord.until(lambda: world.discord.gateway.resumed == 1)
        await world.hears(anna, place, "hello")


async def test_what_came_while_no_session_stood_is_fetched(world: World, anna: Person, place: Place) -> None:
    gateway = world.discord.gateway
    async with world.listening():
        await world.hears(anna, place, "before")
        await gateway.drop(keep=False)
        await world.discord.say(anna, place, "meanwhile")
        await world.discord.until(lambda: gateway.identified == 2)
        await world.discord.say(anna, place, "after")
        await world.until_heard("after", "meanwhile")

    assert world.texts == ["before", "meanwhile", "after"]


async def test_an_invalid_session_begins_a_new_one_at_the_same_address(
    world: World, anna: Person, place: Place
) -> None:
    async with world.listening():
        await world.discord.connected()
        await world.discord.gateway.invalidate()
        await world.discord.until(lambda: world.discord.gateway.identified == 2)
        await world.hears(anna, place, "hello")


async def test_a_gateway_that_refuses_the_first_handshake_is_tried_again(
    world: World, anna: Person, place: Place
) -> None:
    world.discord.gateway.refuses_connections = True
    listening = asyncio.create_task(world.adapter.listen(world.inbox))
    await world.discord.until(lambda: world.discord.gateway.refused > 0)
    world.discord.gateway.refuses_connections = False
    await world.discord.until(lambda: bool(world.discord.gateway.connected), seconds=15)
    await world.hears(anna, place, "hello")
    listening.cancel()
    await asyncio.wait({listening})


async def test_a_discord_that_is_down_at_the_start_is_tried_again(world: World) -> None:
    world.discord.refuse("GET", "/users/@me", 503, count=2)
    world.discord.refuse("GET", "/gateway/bot", 503)
    async with world.listening():
        await world.discord.connected()


async def test_a_wrong_token_is_told_at_once(world: World) -> None:
    world.discord.rest._token = "another"
    with pytest.raises(TokenRefused):
        await world.adapter.listen(world.inbox)


async def test_a_token_that_the_gateway_refuses_is_told(world: World) -> None:
    world.discord.gateway._token = "another"
    with pytest.raises(TokenRefused):
        await world.adapter.listen(world.inbox)


async def test_without_the_content_intent_it_starts_and_hears_mentions(
    world: World, anna: Person, place: Place
) -> None:
    world.discord.state.content_intent = False
    thread = await world.discord.thread(place, "a thread")
    async with world.listening():
        await world.discord.say(anna, thread, "this stays hidden")
        await world.discord.say(anna, thread, f"{world.discord.bot.mention} this does not")
        await world.discord.say(anna, world.discord.direct(anna), "nor this")
        await world.until_heard("this does not", "nor this")

    assert "this stays hidden" not in world.texts


async def test_an_event_that_cannot_be_read_does_not_end_the_listening(
    world: World, anna: Person, place: Place
) -> None:
    gateway = world.discord.gateway
    async with world.listening():
        await world.hears(anna, place, "before")
        await gateway.dispatch("MESSAGE_CREATE", lambda _: {"id": "1", "channel_id": place.id})
        await world.discord.until(lambda: gateway.identified == 2)
        await world.hears(anna, place, "after")

    assert world.texts == ["before", "after"]


async def test_unknown_events_are_passed_over(world: World, anna: Person, place: Place) -> None:
    async with world.listening():
        await world.discord.connected()
        await world.discord.gateway.dispatch("SOMETHING_NEW", lambda _: {"strange": [1, 2]})
        await world.hears(anna, place, "hello")

    assert world.discord.gateway.identified == 1


async def test_recorded_messages_are_read(world: World, place: Place) -> None:
    recorded = json.loads((RECORDINGS / "messages.json").read_text())
    ids = {"GUILD": world.discord.state.guild_id, "BOT": world.discord.bot.id, "CHANNEL": place.id}
    async with world.listening():
        await world.discord.connected()
        for payload in recorded["passed over"] + recorded["heard"]:
            await world.discord.gateway.dispatch("MESSAGE_CREATE", _filled(payload, ids))
        await world.discord.until(lambda: len(world.heard) == len(recorded["heard"]))

    told = {message.id: (message.text, message.mentions_bot, message.author.name) for message in world.heard}
    assert told == {payload["id"]: tuple(payload["_expected"]) for payload in recorded["heard"]}


def _filled(payload: object, ids: dict[str, str]) -> Callable[[bool], dict[str, Any]]:
    text = json.dumps(payload)
    for name, value in ids.items():
        text = text.replace(name, value)
    filled: dict[str, Any] = json.loads(text)
    return lambda _: filled


class FlakyStore(FakeDoor):
    """A door that is shut for some channels, or for all."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[Message] = []
        self.shut: set[str] = set()
        self.knocks = 0

    async def accept(self, message: Message) -> Accepted:
        self.knocks += 1
        if message.channel.id in self.shut:
            raise StoreDown("no database")
        if any(known.key == message.key for known in self.kept):
            return Accepted.KNOWN
        self.kept.append(message)
        return Accepted.NEW


async def test_while_the_store_is_down_messages_wait_in_order_and_other_channels_go_on(
    world: World, anna: Person, place: Place
) -> None:
    other = world.discord.channel("other")
    store = FlakyStore()
    store.shut = {place.id}
    listening = asyncio.create_task(world.adapter.listen(store))
    await world.discord.connected()
    for number in range(5):
        await world.discord.say(anna, place, f"waiting {number}")
    await world.discord.say(anna, other, "passing")
    await world.discord.until(lambda: [message.text for message in store.kept] == ["passing"])
    await world.discord.until(lambda: store.knocks >= 3)
    store.shut.clear()
    await world.discord.until(lambda: len(store.kept) == 6)
    listening.cancel()
    await asyncio.wait({listening})

    assert [message.text for message in store.kept][1:] == [f"waiting {number}" for number in range(5)]


async def test_a_long_line_is_fetched_again_instead_of_kept(world: World, anna: Person, place: Place) -> None:
    store = FlakyStore()
    store.shut = {place.id}
    listening = asyncio.create_task(world.adapter.listen(store))
    await world.discord.connected()
    for number in range(450):
        await world.discord.say(anna, place, f"number {number}")
    store.shut.clear()
    await world.discord.until(lambda: len(store.kept) == 450)
    listening.cancel()
    await asyncio.wait({listening})

    assert [message.text for message in store.kept] == [f"number {number}" for number in range(450)]
    assert world.discord.calls("GET", "/messages")


async def test_stopping_leaves_nothing_running(world: World) -> None:
    before = asyncio.all_tasks()
    async with world.listening():
        await world.discord.connected()
    await world.discord.until(lambda: not world.discord.gateway.connected)
    own = [task for task in asyncio.all_tasks() - before if "discord line" in task.get_name()]

    assert own == []
