"""What is handed on of what people write, edit, delete and command."""

from __future__ import annotations

import asyncio

from discord.utils import snowflake_time

from bot.dialogue import ChannelKind, Message, Platform, Wish
from bot.errors import StoreDown
from tests.adapters.discord.conftest import FakeChoice, World
from tests.doubles.discord import Person, Place
from tests.doubles.discord_state import MANAGE_MESSAGES


async def test_a_deletion_is_handed_on(heard: World, anna: Person, place: Place) -> None:
    said = await heard.discord.say(anna, place, "a secret")
    await heard.until_heard("a secret")
    await heard.discord.remove(said)
    await heard.discord.until(lambda: bool(heard.inbox.deletions))

    [deletion] = heard.inbox.deletions
    assert (deletion.channel.id, deletion.channel.kind) == (place.id, ChannelKind.OPEN)
    assert deletion.channel.workspace == heard.discord.state.guild_id
    assert deletion.message_ids == (said,)


async def test_a_deletion_in_private_is_handed_on(heard: World, anna: Person) -> None:
    direct = heard.discord.direct(anna)
    said = await heard.discord.say(anna, direct, "a secret")
    await heard.until_heard("a secret")
    await heard.discord.remove(said)
    await heard.discord.until(lambda: bool(heard.inbox.deletions))

    assert heard.inbox.deletions[0].channel == heard.heard[0].channel


async def test_many_deleted_at_once_are_one_deletion(heard: World, anna: Person, place: Place) -> None:
    said = [await heard.discord.say(anna, place, f"spam {number}") for number in range(3)]
    await heard.discord.remove(*said)
    await heard.discord.until(lambda: bool(heard.inbox.deletions))

    assert heard.inbox.deletions[0].message_ids == tuple(said)


async def test_a_thread_and_a_channel_may_be_deleted_whole(heard: World, place: Place) -> None:
    thread = await heard.discord.thread(place, "a thread")
    await heard.discord.close(thread)
    await heard.discord.close(place)
    await heard.discord.until(lambda: len(heard.inbox.deletions) == 2)

    found = {(deletion.channel.id, deletion.channel.kind) for deletion in heard.inbox.deletions}
    assert found == {(thread.id, ChannelKind.THREAD), (place.id, ChannelKind.OPEN)}
    assert {deletion.message_ids for deletion in heard.inbox.deletions} == {()}


async def test_a_deletion_never_comes_before_its_message(heard: World, anna: Person, place: Place) -> None:
    heard.inbox.error = StoreDown("no database")
    said = await heard.discord.say(anna, place, "soon gone")
    await heard.discord.until(lambda: bool(heard.inbox.knocks))
    await heard.discord.remove(said)
    heard.inbox.error = None
    await heard.discord.until(lambda: bool(heard.inbox.deletions))

    assert heard.texts == ["soon gone"]


async def test_a_guild_that_removes_the_bot_is_left(heard: World) -> None:
    await heard.discord.expel()
    await heard.discord.until(lambda: bool(heard.inbox.left_places))

    assert heard.inbox.left_places == [(Platform.DISCORD, heard.discord.state.guild_id)]


async def test_a_word_of_command_is_carried_out_and_answered_plainly(
    heard: World, anna: Person, place: Place
) -> None:
    asked = await heard.discord.say(anna, place, f"{heard.discord.bot.mention} why?")
    await heard.discord.until(lambda: heard.discord.answers(place) == ["[why]"])

    [request] = heard.inbox.requests
    assert (request.wish, request.message_id, request.moderator) == (Wish.WHY, "", False)
    assert request.asked_at == snowflake_time(int(asked))
    assert heard.discord.messages(place)[-1].reply_to == asked
    assert heard.discord.rest.pings == []
    assert heard.heard == []


async def test_a_word_of_command_may_point_at_a_message(heard: World, anna: Person, place: Place) -> None:
    answer = await heard.discord.say(heard.discord.bot, place, "An answer.")
    await heard.discord.say(anna, place, f"{heard.discord.bot.mention} again", reply_to=answer)
    await heard.discord.until(lambda: bool(heard.inbox.requests))

    assert heard.inbox.requests[0].message_id == answer


async def test_a_moderator_commands_as_one(world: World, anna: Person, place: Place) -> None:
    staff = world.discord.role("Staff")
    staff.permissions = MANAGE_MESSAGES
    anna.roles = (staff.id,)
    async with world.listening():
        await world.discord.connected()
        await world.discord.say(anna, place, f"{world.discord.bot.mention} stop")
        await world.discord.until(lambda: bool(world.inbox.requests))

    assert world.inbox.requests[0].moderator


async def test_why_in_reply_to_an_answer_is_a_question_and_stop_is_none(
    heard: World, anna: Person, place: Place
) -> None:
    answer = await heard.discord.say(heard.discord.bot, place, "Because.")
    await heard.discord.say(anna, place, "why?", reply_to=answer)
    await heard.discord.say(anna, place, "stop", reply_to=answer)
    await heard.discord.until(lambda: bool(heard.inbox.requests))

    assert heard.texts == ["why?"]
    assert heard.inbox.requests[0].wish is Wish.STOP


async def test_without_a_store_a_word_of_command_is_answered_all_the_same(
    heard: World, anna: Person, place: Place
) -> None:
    heard.inbox.error = StoreDown("no database")
    await heard.discord.say(anna, place, f"{heard.discord.bot.mention} stop")
    await heard.discord.until(lambda: heard.discord.answers(place) == ["[en:discord-away]"])


async def test_a_word_of_command_where_nothing_may_be_posted_ends_nothing(
    heard: World, anna: Person, place: Place
) -> None:
    heard.discord.refuse("POST", "/messages", 403, 50013)
    await heard.discord.say(anna, place, f"{heard.discord.bot.mention} stop")
    await heard.hears(anna, place, "go on")


async def test_an_edit_of_what_a_thread_began_with_reaches_both(
    heard: World, anna: Person, place: Place
) -> None:
    """The thread's conversation may have read it as its past."""
    asked = await heard.discord.say(anna, place, f"{heard.discord.bot.mention} hello?")
    await heard.until_heard("hello?")
    await heard.discord.thread(place, "made by hand", asked)
    await heard.discord.change(asked, f"{heard.discord.bot.mention} hello there?")
    await heard.discord.until(lambda: heard.inbox.knocks == ["hello?", "hello there?", "hello there?"])

    assert [message.channel.id for message in heard.heard] == [place.id, asked]
    assert not heard.heard[1].mentions_bot


async def test_an_old_word_of_command_is_past(world: World, anna: Person, place: Place) -> None:
    first = await world.discord.say(anna, place, "hello")
    world.marks.kept = {world.discord.state.guild_id: {place.id: first}}
    await world.discord.say(anna, place, f"{world.discord.bot.mention} stop")
    await world.discord.say(anna, place, f"{world.discord.bot.mention} what is left?")
    async with world.listening():
        await world.until_heard("what is left?")

    assert world.inbox.requests == []
    assert "stop" not in world.texts


async def test_a_guild_may_have_its_mentions_answered_in_threads(
    world: World, anna: Person, place: Place
) -> None:
    world.choices.chosen = FakeChoice("thread", "zh-TW")
    async with world.listening():
        await world.discord.connected()
        asked = await world.discord.say(anna, place, f"{world.discord.bot.mention} how do I log in?\nPlease.")
        await world.discord.say(anna, place, "not for the bot")
        await world.until_heard("how do I log in?\nPlease.", "not for the bot")

    [question, other] = world.heard
    assert (question.id, question.channel.id, question.channel.parent) == (asked, asked, place.id)
    assert (question.channel.kind, question.channel.name) == (ChannelKind.THREAD, "how do I log in?")
    assert question.channel.parents == (place.id, "general")
    assert question.channel.language == "zh-TW"
    assert other.channel.id == place.id


async def test_where_it_may_begin_no_threads_it_answers_in_place(
    world: World, anna: Person, place: Place
) -> None:
    world.choices.chosen = FakeChoice("thread")
    world.discord.state.permissions = str(int(world.discord.state.permissions) & ~(1 << 35))
    async with world.listening():
        await world.discord.connected()
        await world.discord.say(anna, place, f"{world.discord.bot.mention} hello?")
        await world.until_heard("hello?")

    assert world.heard[0].channel.kind is ChannelKind.OPEN


async def test_an_edit_reaches_the_message_wherever_it_is_kept(
    world: World, anna: Person, place: Place
) -> None:
    """The guild chose threads only after the message was answered in place."""
    seen: list[Message] = []
    async with world.listening():
        await world.discord.connected()
        asked = await world.discord.say(anna, place, f"{world.discord.bot.mention} hello?")
        await world.until_heard("hello?")
        world.choices.chosen = FakeChoice("thread")
        keep = world.inbox.accept

        async def accept(message: Message) -> object:
            seen.append(message)
            return await keep(message)

        world.inbox.accept = accept  # type: ignore[assignment]
        await world.discord.change(asked, f"{world.discord.bot.mention} hello there?")
        await world.discord.until(lambda: len(seen) == 2)

    assert [message.channel.kind for message in seen] == [ChannelKind.OPEN, ChannelKind.THREAD]
    assert not any(message.mentions_bot for message in seen)


async def test_the_language_of_a_community_is_that_of_the_place(
    world: World, anna: Person, place: Place
) -> None:
    world.discord.state.features, world.discord.state.locale = ["COMMUNITY"], "zh-CN"
    async with world.listening():
        await world.discord.connected()
        await world.hears(anna, place, "hello")

    assert world.heard[0].channel.language == "zh-CN"


async def test_a_mention_in_a_forum_post_is_heard_there(world: World, anna: Person) -> None:
    forum = world.discord.forum("help")
    async with world.listening():
        await world.discord.connected()
        post = await world.discord.publish(
            anna, forum, "Login", f"{world.discord.bot.mention} I cannot log in"
        )
        await world.until_heard("I cannot log in")

    [question] = world.heard
    assert (question.id, question.channel.id, question.channel.kind) == (post.id, post.id, ChannelKind.THREAD)
    assert question.channel.parent == ""


async def test_commands_are_registered_once(world: World) -> None:
    for _ in range(2):
        async with world.listening():
            await world.discord.until(lambda: world.discord.rest.interactions.registered == 1)
            await world.discord.until(lambda: bool(world.discord.calls("GET", "/commands")))
            await asyncio.sleep(0)
    async with world.listening():
        await world.discord.until(lambda: len(world.discord.calls("GET", "/commands")) == 3)

    assert world.discord.rest.interactions.registered == 1
    known = {command["name"] for command in world.discord.rest.interactions.commands}
    assert known == {"ask", "new", "why", "stop", "help", "language", "settings", "Ask about this"}


async def test_commands_that_discord_refuses_end_nothing(world: World, anna: Person, place: Place) -> None:
    world.discord.refuse("PUT", "/commands", 403, 50001)
    async with world.listening():
        await world.discord.until(lambda: bool(world.discord.calls("PUT", "/commands")))
        await world.hears(anna, place, "hello")
