"""Walks on Discord through the whole house: edits, deletions, and places that cannot be posted in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.app.roles import Role
from bot.app.running import Standing, standing
from bot.config import read_settings
from tests.doubles.discord import DiscordDouble
from tests.doubles.discord_state import MANAGE_GUILD
from tests.doubles.model import Gate, ModelDouble, Script
from tests.walks.conftest import Opener, Record


async def test_a_deleted_question_takes_its_answer_with_it(
    discord: DiscordDouble, model: ModelDouble, discord_house: Standing, record: Record
) -> None:
    ann, place = discord.person("Ann"), discord.channel("general")
    model.answer("Your code is 1234.")
    asked = await discord.say(ann, place, f"{discord.bot.mention} my code is 1234, say it")
    await discord.until(lambda: bool(discord.answers(place)))
    await record.turns()
    await discord.remove(asked)
    await discord.until(lambda: discord.answers(place) == [])
    await record.turns()
    assert await record.rows("SELECT state FROM turns") == [("withdrawn",)]


async def test_a_question_deleted_while_it_is_answered_is_not_answered(
    discord: DiscordDouble, model: ModelDouble, discord_house: Standing, record: Record
) -> None:
    ann, place, gate = discord.person("Ann"), discord.channel("general"), Gate()
    model.script(Script(["Your code is 1234, ", "is it not?"], gate=gate, hold_after=1))
    asked = await discord.say(ann, place, f"{discord.bot.mention} my code is 1234, say it")
    await discord.until(lambda: bool(discord.answers(place)))
    await discord.remove(asked)
    await discord.until(lambda: discord.answers(place) == [])
    await record.turns()
    assert await record.rows("SELECT state FROM turns") == [("withdrawn",)]
    gate.release()


async def test_a_thread_begun_by_a_deleted_question_loses_the_answer(
    discord: DiscordDouble, model: ModelDouble, discord_house: Standing, record: Record
) -> None:
    ann, place = discord.person("Ann"), await discord.opened("general")
    ann.permissions = MANAGE_GUILD
    typed = await discord.command(ann, place, "settings", answers="thread")
    await discord.until(lambda: bool(typed.told))
    model.answer("Your code is 1234.")
    asked = await discord.say(ann, place, f"{discord.bot.mention} my code is 1234, say it")
    await discord.until(lambda: asked in discord.state.places)
    thread = discord.state.places[asked]
    await discord.until(lambda: bool(discord.answers(thread)))
    await record.turns()
    await discord.remove(asked)
    await discord.until(lambda: discord.answers(thread) == [])


async def test_a_deleted_message_is_never_read_again(
    discord: DiscordDouble, model: ModelDouble, discord_house: Standing, record: Record
) -> None:
    ann = discord.person("Ann")
    place = discord.direct(ann)
    model.answer("I see.", "Nothing is left of it.")
    secret = await discord.say(ann, place, "the password is hunter2")
    await discord.until(lambda: len(discord.answers(place)) == 1)
    await record.turns()
    await discord.remove(secret)
    await discord.until(lambda: discord.answers(place) == [])
    await discord.say(ann, place, "what did I tell you?")
    await discord.until(lambda: discord.answers(place) == ["Nothing is left of it."])
    assert "hunter2" not in str(model.requests[-1].messages)


async def test_a_question_deleted_while_nobody_listened_is_not_answered(
    discord: DiscordDouble,
    model: ModelDouble,
    house: Opener,
    discord_environment: dict[str, str],
    record: Record,
) -> None:
    ann, place, gate = discord.person("Ann"), discord.channel("general"), Gate()
    model.script(Script("Never seen.", gate=gate), Script("Never seen either."))
    earlier = datetime.now(UTC) - timedelta(hours=1)
    async with house(**discord_environment):
        await discord.connected()
        asked = await discord.say(ann, place, f"{discord.bot.mention} my code is 1234", at=earlier)
        await gate.reached()
    await discord.remove(asked)
    async with house(**discord_environment):
        await record.until("SELECT count(*) = 1 FROM turns WHERE state = 'withdrawn'")
    assert discord.answers(place) == []
    gate.release()


async def test_a_worker_that_hears_nothing_finds_out_too(
    discord: DiscordDouble,
    model: ModelDouble,
    house: Opener,
    discord_environment: dict[str, str],
    record: Record,
) -> None:
    ann, place, gate = discord.person("Ann"), discord.channel("general"), Gate()
    model.script(Script("Never seen.", gate=gate), Script("Never seen either."))
    earlier = datetime.now(UTC) - timedelta(minutes=5)
    async with house(**discord_environment):
        await discord.connected()
        asked = await discord.say(ann, place, f"{discord.bot.mention} my code is 1234", at=earlier)
        await gate.reached()
    await discord.remove(asked)
    async with standing(read_settings(), (), lambda _: None, platforms=True, roles=[Role.WORKER]):
        await record.until("SELECT count(*) = 1 FROM turns WHERE state = 'withdrawn'")
    assert discord.answers(place) == []
    gate.release()


async def test_an_edited_question_is_answered_anew_in_place(
    discord: DiscordDouble, model: ModelDouble, discord_house: Standing, record: Record
) -> None:
    ann, place, gate = discord.person("Ann"), discord.channel("general"), Gate()
    model.script(
        Script(["It rains in Bern, ", "I think."], gate=gate, hold_after=1), Script("It is sunny in Rome.")
    )
    asked = await discord.say(ann, place, f"{discord.bot.mention} how is the weather in Bern?")
    await discord.until(lambda: bool(discord.answers(place)))
    await discord.change(asked, f"{discord.bot.mention} how is the weather in Rome?")
    await discord.until(lambda: discord.answers(place) == ["It is sunny in Rome."])
    gate.release()


async def test_what_cannot_be_posted_is_told_the_asker_alone_with_the_cure(
    discord: DiscordDouble, model: ModelDouble, discord_house: Standing, record: Record
) -> None:
    ann, place = discord.person("Ann"), discord.channel("general")
    thread = await discord.thread(place, "locked")
    thread.locked = True
    model.answer("Never seen.")
    await discord.say(ann, thread, f"{discord.bot.mention} hello?")
    direct = discord.direct(ann)
    await discord.until(lambda: bool(discord.answers(direct)))
    assert "unlock" in discord.answers(direct)[0]
    assert await record.rows("SELECT kind FROM troubles") != []


async def test_a_removed_bot_notes_when_it_left(
    discord: DiscordDouble, model: ModelDouble, discord_house: Standing, record: Record
) -> None:
    await discord.expel()
    await record.until("SELECT count(*) = 1 FROM workspaces WHERE left_at IS NOT NULL")
