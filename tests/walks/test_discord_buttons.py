"""Walks on Discord through the whole house: each button under an answer, and what it changes."""

from __future__ import annotations

from bot.app.running import Standing
from tests.doubles.discord import DiscordDouble, Person, Place, Post
from tests.doubles.discord_interactions import Interaction
from tests.doubles.discord_state import MANAGE_MESSAGES
from tests.doubles.model import Gate, ModelDouble, Script
from tests.walks.conftest import Opener, Record


def buttons(post: Post) -> list[str]:
    shown = [button for row in post.components for button in row["components"]]
    return [button["custom_id"].removeprefix("frontdesk:") for button in shown]


async def answered(discord: DiscordDouble, person: Person, place: Place, text: str) -> Post:
    """Ask, and wait until the answer is whole."""
    await discord.say(person, place, f"{discord.bot.mention} {text}")
    await discord.until(lambda: buttons(discord.messages(place)[-1]) == ["again", "why", "up", "down"])
    return discord.messages(place)[-1]


async def told(discord: DiscordDouble, pressed: Interaction) -> str:
    await discord.until(lambda: bool(pressed.told))
    return pressed.told[-1]


async def test_why_tells_one_person_what_the_answer_was_made_of(
    discord: DiscordDouble, model: ModelDouble, discord_house: Standing, record: Record
) -> None:
    ann, place = discord.person("Ann"), discord.channel("general")
    model.answer("Paris.")
    answer = await answered(discord, ann, place, "what is the capital of France?")
    await record.turns()
    pressed = await discord.press(ann, answer.id, "why")

    assert "double-1" in await told(discord, pressed)
    assert "what is the capital of France?" in pressed.told[0]
    assert pressed.private
    assert pressed.seconds < 3.0
    assert discord.answers(place) == ["Paris."]


async def test_try_again_replaces_the_answer_in_its_post(
    discord: DiscordDouble, model: ModelDouble, discord_house: Standing, record: Record
) -> None:
    ann, bea, place = discord.person("Ann"), discord.person("Bea"), discord.channel("general")
    model.answer("First try.", "Second try.")
    answer = await answered(discord, ann, place, "say something")
    await record.turns()
    refused = await discord.press(bea, answer.id, "again")
    await told(discord, refused)
    assert discord.answers(place) == ["First try."]

    pressed = await discord.press(ann, answer.id, "again")
    await discord.until(lambda: discord.answers(place) == ["Second try."])
    assert await told(discord, pressed)
    assert "First try." not in str(model.requests[-1].messages)


async def test_a_moderator_may_have_anybodys_answer_tried_again(
    discord: DiscordDouble, model: ModelDouble, discord_house: Standing, record: Record
) -> None:
    ann, bea, place = discord.person("Ann"), discord.person("Bea"), discord.channel("general")
    bea.permissions = MANAGE_MESSAGES
    model.answer("First try.", "Second try.")
    answer = await answered(discord, ann, place, "say something")
    await record.turns()
    await discord.press(bea, answer.id, "again")
    await discord.until(lambda: discord.answers(place) == ["Second try."])


async def test_stop_ends_the_answer_where_it_stands(
    discord: DiscordDouble, model: ModelDouble, discord_house: Standing, record: Record
) -> None:
    ann, place, gate = discord.person("Ann"), discord.channel("general"), Gate()
    model.script(Script(["A long story about a ship that ", "never ends."], gate=gate, hold_after=1))
    await discord.say(ann, place, f"{discord.bot.mention} tell me a story")
    await discord.until(lambda: bool(discord.answers(place)))
    post = discord.messages(place)[-1]
    assert buttons(post) == ["stop"]
    pressed = await discord.press(ann, post.id, "stop")

    assert await told(discord, pressed)
    assert await record.turns() == [("stopped", 1)]
    assert post.content.startswith("A long story about a ship that")
    assert "never ends" not in post.content
    assert "stop" not in buttons(post)
    gate.release()


async def test_votes_and_their_reason_are_kept(
    discord: DiscordDouble, model: ModelDouble, discord_house: Standing, record: Record
) -> None:
    ann, bea, place = discord.person("Ann"), discord.person("Bea"), discord.channel("general")
    model.answer("Forty-two.")
    answer = await answered(discord, ann, place, "what is six times nine?")
    await told(discord, await discord.press(bea, answer.id, "up"))
    pressed = await discord.press(ann, answer.id, "down")
    await record.until("SELECT count(*) = 2 FROM votes")
    await told(discord, await discord.submit(pressed, "It is 54."))

    votes = await record.rows("SELECT person_id, up, reason FROM votes ORDER BY up")
    assert votes == [(ann.id, False, "It is 54."), (bea.id, True, "")]


async def test_a_button_is_pressed_after_a_restart(
    discord: DiscordDouble,
    model: ModelDouble,
    house: Opener,
    discord_environment: dict[str, str],
    record: Record,
) -> None:
    ann, place = discord.person("Ann"), discord.channel("general")
    model.answer("Before.", "After.")
    async with house(**discord_environment):
        await discord.connected()
        answer = await answered(discord, ann, place, "say something")
        await record.turns()
    async with house(**discord_environment):
        await discord.connected()
        await discord.press(ann, answer.id, "again")
        await discord.until(lambda: discord.answers(place) == ["After."])
        await discord.until(lambda: buttons(discord.messages(place)[-1])[:1] == ["again"])


async def test_the_buttons_speak_the_language_of_the_question(
    discord: DiscordDouble, model: ModelDouble, discord_house: Standing
) -> None:
    ann, place = discord.person("Ann"), discord.channel("general")
    model.answer("你好。")
    answer = await answered(discord, ann, place, "你好，请问你是谁？")
    labels = [button.get("label", "") for button in answer.components[0]["components"]]
    assert labels[0] == "重新回答"
