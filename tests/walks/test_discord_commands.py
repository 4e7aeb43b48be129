"""Walks on Discord through the whole house: each command, the menu, and the words of command."""

from __future__ import annotations

import pytest

from bot.app.running import Standing
from tests.doubles.discord import DiscordDouble, Person, Place
from tests.doubles.discord_interactions import Interaction
from tests.doubles.discord_state import MANAGE_GUILD
from tests.doubles.model import Gate, ModelDouble, Script
from tests.walks.conftest import Record


async def told(discord: DiscordDouble, typed: Interaction) -> str:
    await discord.until(lambda: bool(typed.told))
    return typed.told[-1]


async def answered(discord: DiscordDouble, record: Record, place: Place, *answers: str) -> None:
    await discord.until(lambda: discord.answers(place)[-len(answers) :] == list(answers))
    await record.turns()


async def test_ask_shows_the_question_and_a_reply_to_it_goes_on_with_it(
    discord: DiscordDouble, model: ModelDouble, discord_house: Standing, record: Record
) -> None:
    ann, bea, place = discord.person("Ann"), discord.person("Bea"), discord.channel("general")
    model.answer("4,808 metres.", "In 1786.")
    await discord.command(ann, place, "ask", question="How high is Mont Blanc?")
    await answered(discord, record, place, "> How high is Mont Blanc?", "4,808 metres.")
    question, answer = discord.messages(place)
    assert answer.reply_to == question.id

    await discord.say(bea, place, "when was it climbed first?", reply_to=question.id)
    await answered(discord, record, place, "In 1786.")
    assert "How high is Mont Blanc?" in str(model.requests[-1].messages)
    assert await record.rows("SELECT count(*) FROM conversations") == [(1,)]


async def test_a_new_conversation_forgets_what_was_said(
    discord: DiscordDouble, model: ModelDouble, discord_house: Standing, record: Record
) -> None:
    ann = discord.person("Ann")
    place = discord.direct(ann)
    model.answer("Hello Ann.", "I do not know.")
    await discord.say(ann, place, "my cat is called Tom")
    await answered(discord, record, place, "Hello Ann.")
    assert await told(discord, await discord.command(ann, place, "new"))
    await discord.say(ann, place, "what is it called?")
    await answered(discord, record, place, "I do not know.")
    assert "Tom" not in str(model.requests[-1].messages)


async def test_stop_by_command_ends_an_answer_nobody_has_seen(
    discord: DiscordDouble, model: ModelDouble, discord_house: Standing, record: Record
) -> None:
    ann, gate = discord.person("Ann"), Gate()
    place = discord.direct(ann)
    model.script(Script("Never seen.", gate=gate))
    await discord.say(ann, place, "tell me a story")
    await gate.reached()
    assert await told(discord, await discord.command(ann, place, "stop"))
    assert await record.turns() == [("stopped", 1)]
    assert discord.answers(place) == []
    gate.release()


async def test_why_by_command_is_about_the_newest_answer(
    discord: DiscordDouble, model: ModelDouble, discord_house: Standing, record: Record
) -> None:
    ann = discord.person("Ann")
    place = discord.direct(ann)
    model.answer("Paris.")
    await discord.say(ann, place, "what is the capital of France?")
    await answered(discord, record, place, "Paris.")
    assert "double-1" in await told(discord, await discord.command(ann, place, "why"))


async def test_a_chosen_language_is_spoken_from_then_on(
    discord: DiscordDouble, model: ModelDouble, discord_house: Standing, record: Record
) -> None:
    ann, place = discord.person("Ann"), discord.channel("general")
    model.answer("好的。")
    assert await told(discord, await discord.command(ann, place, "language", language="zh-TW"))
    helped = await told(discord, await discord.command(ann, place, "help"))
    assert any("一" <= letter <= "鿿" for letter in helped)
    await discord.say(ann, place, f"{discord.bot.mention} hello, how are you?")
    await answered(discord, record, place, "好的。")
    labels = [button.get("label") for button in discord.messages(place)[-1].components[0]["components"]]
    assert labels[0] == "重新回答"


@pytest.mark.parametrize("word", ["why", "为什么"])
async def test_words_of_command_are_answered_in_the_channel(
    discord: DiscordDouble, model: ModelDouble, discord_house: Standing, record: Record, word: str
) -> None:
    ann, place = discord.person("Ann"), discord.channel("general")
    model.answer("Paris.")
    await discord.say(ann, place, f"{discord.bot.mention} what is the capital of France?")
    await answered(discord, record, place, "Paris.")
    answer = discord.messages(place)[-1].id
    await discord.say(ann, place, f"{discord.bot.mention} {word}", reply_to=answer)
    await discord.until(lambda: len(discord.answers(place)) == 2)
    assert "double-1" in discord.answers(place)[-1]
    assert discord.rest.pings == []
    assert len(model.requests) == 1


async def test_a_message_is_asked_about_in_private(
    discord: DiscordDouble, model: ModelDouble, discord_house: Standing, record: Record
) -> None:
    ann, bob, place = discord.person("Ann"), discord.person("Bob"), discord.channel("general")
    model.answer("Somebody broke the build.")
    target = await discord.say(bob, place, "CI is red on main since 3f2a1c")
    opened = await discord.menu(ann, target)
    sent = await discord.submit(opened, "what happened?")
    direct = discord.direct(ann)
    await answered(discord, record, direct, "Somebody broke the build.")
    assert "CI is red on main since 3f2a1c" in model.requests[0].question
    assert "what happened?" in model.requests[0].question
    assert direct.id in await told(discord, sent)
    assert discord.answers(place) == []


async def test_a_server_may_choose_threads(
    discord: DiscordDouble, model: ModelDouble, discord_house: Standing, record: Record
) -> None:
    admin, ann, place = discord.person("Adam"), discord.person("Ann"), await discord.opened("general")
    admin.permissions = MANAGE_GUILD
    model.answer("Paris.", "Two million.")
    await told(discord, await discord.command(admin, place, "settings", answers="thread"))
    asked = await discord.say(ann, place, f"{discord.bot.mention} what is the capital of France?")
    await discord.until(lambda: asked in discord.state.places)
    thread = discord.state.places[asked]
    await answered(discord, record, thread, "Paris.")
    assert discord.answers(place) == []
    assert thread.name == "what is the capital of France?"

    await discord.say(ann, thread, "how many people live there?")
    await answered(discord, record, thread, "Two million.")
    assert "Paris." in str(model.requests[-1].messages)
    assert await record.rows("SELECT count(*) FROM conversations") == [(1,)]
    await _why_in_the_thread(discord, ann, thread)


async def _why_in_the_thread(discord: DiscordDouble, ann: Person, thread: Place) -> None:
    pressed = await discord.press(ann, discord.messages(thread)[-1].id, "why")
    assert "double-1" in await told(discord, pressed)


async def test_asking_by_command_begins_a_thread_where_threads_are_chosen(
    discord: DiscordDouble, model: ModelDouble, discord_house: Standing, record: Record
) -> None:
    admin, place = discord.person("Adam"), await discord.opened("general")
    admin.permissions = MANAGE_GUILD
    model.answer("Paris.")
    await told(discord, await discord.command(admin, place, "settings", answers="thread"))
    typed = await discord.command(admin, place, "ask", question="What is the capital of France?")
    await discord.until(lambda: typed.shown is not None and typed.shown.id in discord.state.places)
    assert typed.shown is not None
    await answered(discord, record, discord.state.places[typed.shown.id], "Paris.")


async def test_a_forum_post_is_answered_in_the_post(
    discord: DiscordDouble, model: ModelDouble, discord_house: Standing, record: Record
) -> None:
    ann, forum = discord.person("Ann"), discord.forum("help")
    model.answer("Reset it.", "By mail.")
    post = await discord.publish(ann, forum, "Login", f"{discord.bot.mention} I forgot my password")
    await answered(discord, record, post, "Reset it.")
    await discord.say(ann, post, "how?")
    await answered(discord, record, post, "By mail.")
    assert await record.rows("SELECT count(*) FROM conversations") == [(1,)]
