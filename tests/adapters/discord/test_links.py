"""Linked messages on Discord: who may have them read, and what is read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.dialogue import Author, Channel, ChannelKind, Message, Platform
from tests.adapters.discord.conftest import World
from tests.doubles.discord import DiscordDouble, Person, Place

VIEW, HISTORY = 1 << 10, 1 << 16


def link_to(place: Place, message_id: str, host: str = "discord.com") -> str:
    return f"https://{host}/channels/{place.guild_id or '@me'}/{place.id}/{message_id}"


def asking(text: str, place: Place, asker: Person) -> Message:
    kind = {1: ChannelKind.DIRECT, 11: ChannelKind.THREAD}.get(place.kind, ChannelKind.OPEN)
    here = Channel(Platform.DISCORD, place.guild_id, place.id, kind=kind)
    return Message("9", here, Author(asker.id, asker.name), text, datetime.now(UTC))


def rule(whom: str, allow: int = 0, deny: int = 0, kind: int = 0) -> dict[str, object]:
    return {"id": whom, "type": kind, "allow": str(allow), "deny": str(deny)}


async def texts(world: World, question: Message) -> list[list[str]]:
    return [[one.text for one in found.messages] for found in await world.adapter.linked(question)]


@pytest.fixture
def ann(discord: DiscordDouble) -> Person:
    return discord.person("Ann")


@pytest.fixture
def bea(discord: DiscordDouble) -> Person:
    return discord.person("Bea")


@pytest.mark.parametrize("host", ["discord.com", "ptb.discord.com", "canary.discord.com", "discordapp.com"])
async def test_a_message_of_the_same_channel_is_read(
    world: World, ann: Person, bea: Person, host: str
) -> None:
    place = world.discord.channel("general")
    said = await world.discord.say(bea, place, "the code is 7")
    link = link_to(place, said, host)
    found = await world.adapter.linked(asking(f"what does <{link}> mean?", place, ann))
    assert [(one.link, one.messages[0].text, one.messages[0].author.name) for one in found] == [
        (link, "the code is 7", "Bea")
    ]


async def test_a_channel_that_everybody_sees_is_read_anywhere(world: World, ann: Person, bea: Person) -> None:
    here, there = world.discord.channel("general"), world.discord.channel("dev")
    said = await world.discord.say(bea, there, "red build")
    assert await texts(world, asking(link_to(there, said), here, ann)) == [["red build"]]


async def test_a_channel_that_somebody_does_not_see_is_not_read_into_another(
    world: World, ann: Person, bea: Person
) -> None:
    here, hidden = world.discord.channel("general"), world.discord.channel("staff")
    muted = world.discord.role("Muted")
    said = await world.discord.say(bea, hidden, "salaries")
    question = asking(link_to(hidden, said), here, ann)
    for rules in (
        (rule(hidden.guild_id, deny=VIEW), rule(ann.id, allow=VIEW, kind=1)),
        (rule(hidden.guild_id, deny=HISTORY),),
        (rule(muted.id, deny=VIEW),),
    ):
        hidden.rules = rules
        assert await texts(world, question) == [[]]
    hidden.rules = (rule(muted.id, allow=VIEW),)
    assert await texts(world, question) == [["salaries"]]


async def test_alone_with_the_bot_the_askers_own_channels_are_read(
    world: World, ann: Person, bea: Person
) -> None:
    hidden, staff = world.discord.channel("staff"), world.discord.role("Staff")
    hidden.rules = (rule(hidden.guild_id, deny=VIEW), rule(staff.id, allow=VIEW))
    world.discord.state.people[bea.id].roles = (staff.id,)
    said = await world.discord.say(bea, hidden, "salaries")
    link = link_to(hidden, said)
    assert await texts(world, asking(link, world.discord.direct(bea), bea)) == [["salaries"]]
    dora = world.discord.person("Dora")
    assert await texts(world, asking(link, world.discord.direct(dora), dora)) == [[]]
    hidden.rules += (rule(bea.id, deny=VIEW, kind=1),)
    assert await texts(world, asking(link, world.discord.direct(bea), bea)) == [[]]
    administrator = world.discord.role("Administrator")
    administrator.permissions = 1 << 3
    dora.roles = (administrator.id,)
    assert await texts(world, asking(link, world.discord.direct(dora), dora)) == [["salaries"]]


async def test_who_is_not_on_the_server_reads_nothing_of_it(world: World, ann: Person, bea: Person) -> None:
    place = world.discord.channel("general")
    said = await world.discord.say(bea, place, "the code is 7")
    stranger = Person("Stranger")
    direct = world.discord.direct(stranger)
    assert await texts(world, asking(link_to(place, said), direct, stranger)) == [[]]


async def test_threads_of_the_same_channel_are_read(world: World, ann: Person, bea: Person) -> None:
    hidden = world.discord.channel("staff")
    hidden.rules = (rule(hidden.guild_id, deny=VIEW),)
    first, second = [await world.discord.thread(hidden, name) for name in ("one", "two")]
    in_channel = await world.discord.say(bea, hidden, "in the channel")
    in_first = await world.discord.say(bea, first, "in the first thread")
    for link, text in (
        (link_to(hidden, in_channel), "in the channel"),
        (link_to(first, in_first), "in the first thread"),
    ):
        assert await texts(world, asking(link, second, ann)) == [[text]]
    assert await texts(world, asking(link_to(first, in_first), hidden, ann)) == [["in the first thread"]]


async def test_a_private_thread_is_read_only_where_it_is(world: World, ann: Person, bea: Person) -> None:
    place = world.discord.channel("general")
    thread = await world.discord.thread(place, "secret")
    thread.private = True
    said = await world.discord.say(bea, thread, "a surprise for Ann")
    assert await texts(world, asking(link_to(thread, said), place, ann)) == [[]]
    assert await texts(world, asking(link_to(thread, said), world.discord.direct(ann), ann)) == [[]]
    assert await texts(world, asking(link_to(thread, said), thread, bea)) == [["a surprise for Ann"]]


async def test_what_the_bot_may_not_see_is_named_without_a_word_more(
    world: World, ann: Person, bea: Person
) -> None:
    here, there = world.discord.channel("general"), world.discord.channel("dev")
    said = await world.discord.say(bea, there, "red build")
    there.unreadable = True
    found = await world.adapter.linked(asking(link_to(there, said), here, ann))
    assert [(one.link, one.messages) for one in found] == [(link_to(there, said), ())]


async def test_deleted_messages_and_other_servers_are_not_readable(world: World, ann: Person) -> None:
    place = world.discord.channel("general")
    other = f"https://discord.com/channels/1/{place.id}/2"
    text = f"{link_to(place, '123456')} {other} https://discord.com/channels/@me/77/3"
    assert await texts(world, asking(text, world.discord.channel("here"), ann)) == [[], [], []]


async def test_at_most_three_links_are_read_and_each_once(world: World, ann: Person, bea: Person) -> None:
    place = world.discord.channel("general")
    said = [await world.discord.say(bea, place, f"number {n}") for n in range(5)]
    text = " ".join(link_to(place, one) for one in [said[0], *said])
    assert await texts(world, asking(text, place, ann)) == [["number 0"], ["number 1"], ["number 2"]]


async def test_other_addresses_are_no_links(world: World, ann: Person) -> None:
    place = world.discord.channel("general")
    text = "https://discord.com/channels/1/2 https://evil.example/channels/1/2/3 https://discord.gg/abc"
    assert await world.adapter.linked(asking(text, place, ann)) == []
