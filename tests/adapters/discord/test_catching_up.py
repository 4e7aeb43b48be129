"""Catching up over the wire: what came while nobody listened is fetched, once, in order, within bounds."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.adapters.discord import DiscordAdapter
from bot.adapters.discord.sharing import LocalSeat, LocalSeats, Sharing
from bot.dialogue import ChannelKind
from tests.adapters.discord.conftest import World
from tests.doubles.discord import Person, Place
from tests.fakes import FakeWords


@pytest.fixture
def anna(world: World) -> Person:
    return world.discord.person("Anna", nick="Anna Lee")


async def heard_before(world: World, place: Place, author: Person) -> str:
    """Let the record hold a message of this place."""
    known = await world.discord.say(author, place, "known before")
    world.marks.kept.setdefault(place.guild_id, {})[place.id] = known
    return known


async def test_messages_of_the_downtime_come_oldest_first(world: World, anna: Person, place: Place) -> None:
    await heard_before(world, place, anna)
    for number in range(3):
        await world.discord.say(anna, place, f"missed {number}")
    async with world.listening():
        await world.until_heard("missed 2")

    assert world.texts == ["missed 0", "missed 1", "missed 2"]


async def test_a_mention_in_a_channel_never_heard_before_is_found(
    world: World, anna: Person, place: Place
) -> None:
    fresh = world.discord.channel("fresh")
    await world.discord.say(anna, fresh, "long before", at=datetime.now(UTC) - timedelta(minutes=5))
    await heard_before(world, place, anna)
    await world.discord.say(anna, fresh, f"{world.discord.bot.mention} are you there?")
    async with world.listening():
        await world.until_heard("are you there?")

    assert world.texts == ["are you there?"]
    assert world.heard[0].mentions_bot


async def test_what_a_dead_process_was_about_to_keep_is_found_though_another_channel_went_on(
    world: World, anna: Person, place: Place
) -> None:
    fresh = world.discord.channel("fresh")
    await world.discord.say(anna, fresh, f"{world.discord.bot.mention} are you there?")
    await heard_before(world, place, anna)
    async with world.listening():
        await world.until_heard("are you there?")

    assert world.texts == ["are you there?"]


async def test_threads_are_caught_up_too(world: World, anna: Person, place: Place) -> None:
    thread = await world.discord.thread(place, "a thread")
    await heard_before(world, thread, anna)
    await world.discord.say(anna, thread, "missed")
    async with world.listening():
        await world.until_heard("missed")

    assert world.heard[0].channel.kind is ChannelKind.THREAD
    assert world.heard[0].channel.name == "a thread"


async def test_direct_messages_are_caught_up_too(world: World, anna: Person) -> None:
    direct = world.discord.direct(anna)
    await heard_before(world, direct, anna)
    await world.discord.say(anna, direct, "missed")
    async with world.listening():
        await world.until_heard("missed")

    assert world.heard[0].channel.kind is ChannelKind.DIRECT


async def test_at_the_very_first_start_nothing_is_fetched(world: World, anna: Person, place: Place) -> None:
    await world.discord.say(anna, place, "long before the bot came")
    async with world.listening():
        await world.hears(anna, place, "live")

    assert world.texts == ["live"]
    assert world.discord.calls("GET", "/messages") == []


async def test_where_nothing_is_missing_nothing_is_fetched(world: World, anna: Person, place: Place) -> None:
    await heard_before(world, place, anna)
    other = world.discord.channel("other")
    async with world.listening():
        await world.discord.say(anna, other, "live")
        await world.until_heard("live")  # by now it is known what was missing in the guild

    assert world.discord.calls("GET", f"/{place.id}/messages") == []


async def test_what_is_older_than_a_day_is_left(world: World, anna: Person, place: Place) -> None:
    now = datetime.now(UTC)
    old = await world.discord.say(anna, place, "known", at=now - timedelta(days=3))
    await world.discord.say(anna, place, "too old", at=now - timedelta(days=2))
    await world.discord.say(anna, place, "of today", at=now - timedelta(hours=2))
    world.marks.kept[place.guild_id] = {place.id: old}
    async with world.listening():
        await world.until_heard("of today")

    assert world.texts == ["of today"]


async def test_of_very_many_messages_the_newest_are_fetched_page_by_page(
    world: World, anna: Person, place: Place
) -> None:
    await heard_before(world, place, anna)
    for number in range(1_050):
        await world.discord.say(anna, place, f"missed {number}")
    async with world.listening():
        await world.until_heard("missed 1049")
        await world.hears(anna, place, "live")

    assert world.texts == [*(f"missed {number}" for number in range(50, 1_050)), "live"]


async def test_what_is_said_now_waits_for_what_was_missed(world: World, anna: Person, place: Place) -> None:
    await heard_before(world, place, anna)
    await world.discord.say(anna, place, "missed")
    released = world.discord.hang_next("GET", "/messages$")
    async with world.listening():
        await world.discord.connected()
        await world.discord.say(anna, place, "live")
        other = world.discord.direct(anna)
        await world.hears(anna, other, "elsewhere")
        assert world.texts == ["elsewhere"]
        released.set()
        await world.until_heard("live")

    assert world.texts == ["elsewhere", "missed", "live"]


async def test_authors_come_with_their_names_and_roles(world: World, place: Place) -> None:
    staff = world.discord.role("Staff")
    ben = world.discord.person("Ben", nick="Benny", roles=(staff,))
    await heard_before(world, place, ben)
    await world.discord.say(ben, place, "missed one")
    await world.discord.say(ben, place, "missed two")
    async with world.listening():
        await world.until_heard("missed two")

    assert world.heard[0].author.name == "Benny"
    assert world.heard[0].author.roles == (staff.id, "Staff")
    assert len(world.discord.calls("GET", f"/members/{ben.id}")) == 1


async def test_an_author_who_left_is_still_heard(world: World, anna: Person, place: Place) -> None:
    await heard_before(world, place, anna)
    await world.discord.say(anna, place, "missed")
    world.discord.refuse("GET", "/members/", 404, 10007)
    async with world.listening():
        await world.until_heard("missed")

    assert world.heard[0].author.name == "Anna"


async def test_replies_and_mentions_are_read_as_if_they_were_live(
    world: World, anna: Person, place: Place
) -> None:
    await heard_before(world, place, anna)
    answer = await world.discord.say(world.discord.bot, place, "It is noon.")
    await world.discord.say(anna, place, "really?", reply_to=answer)
    await world.discord.say(anna, place, f"{world.discord.state.bot_role.mention} in <#{place.id}>")
    async with world.listening():
        await world.until_heard("really?", "in #general")

    assert [message.mentions_bot for message in world.heard] == [True, True]
    assert world.heard[0].reply_to == answer


async def test_a_channel_that_may_not_be_read_does_not_stop_the_others(
    world: World, anna: Person, place: Place
) -> None:
    closed = world.discord.channel("closed")
    await heard_before(world, closed, anna)
    await heard_before(world, place, anna)
    await world.discord.say(anna, closed, "secret")
    await world.discord.say(anna, place, "missed")
    world.discord.refuse("GET", f"/{closed.id}/messages", 403, 50001)
    async with world.listening():
        await world.until_heard("missed")

    assert world.texts == ["missed"]


async def test_a_channel_hidden_by_its_permissions_is_not_even_asked_for(
    world: World, anna: Person, place: Place
) -> None:
    hidden = world.discord.channel("hidden", unreadable=True)
    await heard_before(world, place, anna)
    await world.discord.say(anna, hidden, "secret")
    await world.discord.say(anna, place, "missed")
    async with world.listening():
        await world.until_heard("missed")

    assert world.discord.calls("GET", f"/{hidden.id}/messages") == []


async def test_a_failing_discord_is_asked_again_from_where_it_stopped(
    world: World, anna: Person, place: Place
) -> None:
    await heard_before(world, place, anna)
    for number in range(150):
        await world.discord.say(anna, place, f"missed {number}")
    world.discord.refuse("GET", "/messages$", 429)
    async with world.listening():
        await world.until_heard("missed 149")

    assert world.texts == [f"missed {number}" for number in range(150)]


async def test_a_store_that_is_down_while_connecting_is_asked_again(
    world: World, anna: Person, place: Place
) -> None:
    await heard_before(world, place, anna)
    await world.discord.say(anna, place, "missed")
    world.marks.down = 4
    async with world.listening():
        await world.until_heard("missed")
        await world.hears(anna, place, "live")

    assert world.texts == ["missed", "live"]


async def test_a_second_start_brings_nothing_twice(world: World, anna: Person, place: Place) -> None:
    await heard_before(world, place, anna)
    await world.discord.say(anna, place, "missed")
    for _ in range(2):
        async with world.listening():
            await world.until_heard("missed")

    assert world.texts == ["missed"]


async def test_a_session_that_follows_at_once_waits_for_its_own_gaps(
    world: World, anna: Person, place: Place
) -> None:
    await heard_before(world, place, anna)
    gateway, marks = world.discord.gateway, world.marks
    first, second = asyncio.Event(), asyncio.Event()
    marks.slow = first
    async with world.listening():
        await world.discord.until(lambda: marks.asked == 1)
        marks.slow = second
        await gateway.drop(keep=False)
        await world.discord.say(anna, place, "missed")
        await world.discord.until(lambda: marks.asked == 2)
        await world.discord.say(anna, place, "now")
        first.set()
        await asyncio.sleep(0.2)  # the time in which they would come if nothing held them
        early = list(world.texts)
        second.set()
        await world.until_heard("now")

    assert early == []
    assert world.texts == ["missed", "now"]


async def test_an_unkept_chat_is_not_fetched_again_after_a_short_drop(
    world: World, anna: Person, place: Place
) -> None:
    await heard_before(world, place, anna)
    gateway = world.discord.gateway
    other = world.discord.channel("other")
    async with world.listening():
        await world.hears(anna, other, "the guild is known")
        for number in range(5):
            await world.discord.say(anna, place, f"chat {number}")
        await world.until_heard("chat 4")
        await gateway.drop(keep=False)
        await world.hears(anna, place, "meanwhile")

    brought = [text for text in world.inbox.knocks if text != "the guild is known"]
    assert brought == [*(f"chat {number}" for number in range(5)), "meanwhile"]


@pytest.mark.parametrize("listened", [True, False])
async def test_in_a_guild_of_which_nothing_is_kept_it_counts_since_when_nobody_listened(
    world: World, anna: Person, place: Place, listened: bool
) -> None:
    class Left(LocalSeats):
        """Seats that another process held until half a minute ago, or that nobody ever did."""

        async def take(self, kind: str, count: int, most: int) -> LocalSeat:
            since = datetime.now(UTC) - timedelta(seconds=30) if listened else None
            return replace(await super().take(kind, count, most), free_since=since)

    discord, words = world.discord, FakeWords()
    adapter = DiscordAdapter(
        discord.token, discord.api_url, world.marks, words, world.choices, sharing=Sharing(Left())
    )
    await discord.say(anna, place, "long ago", at=datetime.now(UTC) - timedelta(seconds=120))
    await discord.say(anna, place, "missed", at=datetime.now(UTC) - timedelta(seconds=10))
    listening = asyncio.create_task(adapter.listen(world.inbox))
    await discord.connected()
    await world.hears(anna, place, "now")
    listening.cancel()
    await asyncio.wait({listening})
    await adapter.close()
    assert world.texts == (["missed", "now"] if listened else ["now"])
