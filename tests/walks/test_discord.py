"""Walks on Discord: from what a person writes to what a person reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.app.running import Standing
from tests.doubles.discord import DiscordDouble
from tests.doubles.model import Gate, ModelDouble, Script
from tests.walks.conftest import Opener, Record


async def test_a_mention_is_answered_with_a_reply(
    discord: DiscordDouble, model: ModelDouble, discord_house: Standing, record: Record
) -> None:
    ann, place = discord.person("Ann"), discord.channel("general")
    model.answer("Paris, as far as I know.")
    asked = await discord.say(ann, place, f"{discord.bot.mention} what is the capital of France?")
    await discord.until(lambda: discord.answers(place) == ["Paris, as far as I know."])
    assert discord.messages(place)[-1].reply_to == asked
    assert await record.turns() == [("done", 1)]
    system = model.requests[0].messages[0]["content"]
    assert "Ann" in system
    assert "general" in system


async def test_a_reply_to_the_answer_goes_on_with_it(
    discord: DiscordDouble, model: ModelDouble, discord_house: Standing, record: Record
) -> None:
    ann, place = discord.person("Ann"), discord.channel("general")
    model.answer("Hello Ann.", "Tom, you said.")
    await discord.say(ann, place, f"{discord.bot.mention} my cat is called Tom")
    await discord.until(lambda: len(discord.answers(place)) == 1)
    await record.turns()
    answer = discord.messages(place)[-1].id
    await discord.say(ann, place, "what is it called?", reply_to=answer)
    await discord.until(lambda: len(discord.answers(place)) == 2)
    roles = [(line["role"], line["content"]) for line in model.requests[1].messages[1:]]
    assert roles == [
        ("user", "my cat is called Tom"),
        ("assistant", "Hello Ann."),
        ("user", "what is it called?"),
    ]
    assert await record.rows("SELECT count(*) FROM conversations") == [(1,)]


async def test_a_reply_to_an_older_message_leaves_the_other_branch_out(
    discord: DiscordDouble, model: ModelDouble, discord_house: Standing, record: Record
) -> None:
    ann, place = discord.person("Ann"), discord.channel("general")
    model.answer("First.", "Left branch.", "Right branch.")
    await discord.say(ann, place, f"{discord.bot.mention} begin")
    await discord.until(lambda: len(discord.answers(place)) == 1)
    first = discord.messages(place)[-1].id
    for number, text in enumerate(("go left", "go right"), start=2):
        await record.turns()
        await discord.say(ann, place, text, reply_to=first)
        await discord.until(lambda count=number: len(discord.answers(place)) == count)  # type: ignore[misc]
    read = " ".join(line["content"] for line in model.requests[2].messages[1:])
    assert "go right" in read
    assert "First." in read
    assert "go left" not in read
    assert "Left branch." not in read


async def test_a_direct_message_is_answered(
    discord: DiscordDouble, model: ModelDouble, discord_house: Standing
) -> None:
    ann = discord.person("Ann")
    place = discord.direct(ann)
    model.answer("Yes, I am here.", "Still here.")
    await discord.say(ann, place, "are you there?")
    await discord.until(lambda: len(discord.answers(place)) == 1)
    await discord.say(ann, place, "and now?")
    await discord.until(lambda: discord.answers(place) == ["Yes, I am here.", "Still here."])


async def test_in_the_middle_of_a_thread_it_reads_the_thread_first(
    discord: DiscordDouble, model: ModelDouble, discord_house: Standing
) -> None:
    ann, bea, place = discord.person("Ann"), discord.person("Bea"), discord.channel("help")
    starter = await discord.say(ann, place, "the printer on floor 3 is broken")
    thread = await discord.thread(place, "printer", starter)
    await discord.say(bea, thread, "it says PC LOAD LETTER")
    model.answer("Put paper in.", "The tray below.")
    await discord.say(ann, thread, f"{discord.bot.mention} any idea?")
    await discord.until(lambda: discord.answers(thread) == ["Put paper in."])
    asked = model.requests[0].question
    assert asked.index("Ann: the printer") < asked.index("Bea: it says PC") < asked.index("Ann: any idea?")
    await discord.say(ann, thread, "which tray?")
    await discord.until(lambda: len(discord.answers(thread)) == 2)


async def test_it_answers_to_the_nickname_that_the_server_gave_it(
    discord: DiscordDouble, model: ModelDouble, house: Opener, discord_environment: dict[str, str]
) -> None:
    ann, bea, place = discord.person("Ann"), discord.person("Bea"), discord.channel("help")
    discord.bot.nick = "Deskbot"
    async with house(**discord_environment):
        await discord.connected()
        thread = await discord.thread(place, "printer")
        model.answer("Put paper in.", "The lower one.")
        await discord.say(ann, thread, f"{discord.bot.mention} what does the printer want?")
        await discord.until(lambda: discord.answers(thread) == ["Put paper in."])
        await discord.say(bea, thread, "@Ann, which tray did you open?")
        await discord.say(bea, thread, "Deskbot, which tray is right?")
        await discord.until(lambda: len(discord.answers(thread)) == 2)
    assert model.requests[1].question.endswith("Deskbot, which tray is right?")


async def test_a_dropped_gateway_resumes_and_answers_nothing_twice(
    discord: DiscordDouble, model: ModelDouble, discord_house: Standing, record: Record
) -> None:
    ann, place = discord.person("Ann"), discord.channel("general")
    model.answer("One.", "Two.")
    await discord.say(ann, place, f"{discord.bot.mention} first")
    await discord.until(lambda: len(discord.answers(place)) == 1)
    await discord.gateway.drop()
    await discord.say(ann, place, f"{discord.bot.mention} second")
    await discord.until(lambda: len(discord.answers(place)) == 2, seconds=30)
    assert discord.answers(place) == ["One.", "Two."]
    assert await record.turns() == [("done", 1), ("done", 1)]


async def test_what_was_written_while_it_was_away_is_answered(
    discord: DiscordDouble,
    model: ModelDouble,
    house: Opener,
    discord_environment: dict[str, str],
    record: Record,
) -> None:
    ann, place, quiet = discord.person("Ann"), discord.channel("general"), discord.channel("quiet")
    model.reply = lambda body: f"Answer to {body['messages'][-1]['content']}"
    async with house(**discord_environment):
        await discord.connected()
        await discord.say(
            ann, place, f"{discord.bot.mention} first", at=datetime.now(UTC) - timedelta(hours=1)
        )
        await discord.until(lambda: len(discord.answers(place)) == 1)
        await record.turns()
    await discord.say(ann, place, f"{discord.bot.mention} second")
    await discord.say(ann, quiet, f"{discord.bot.mention} third")
    async with house(**discord_environment):
        await discord.until(lambda: discord.answers(quiet) == ["Answer to third"], seconds=20)
        await discord.until(lambda: discord.answers(place)[1:] == ["Answer to second"], seconds=20)
        assert len(await record.turns()) == 3


async def test_a_long_answer_arrives_whole_with_its_fences_closed(
    discord: DiscordDouble, model: ModelDouble, discord_house: Standing
) -> None:
    ann, place = discord.person("Ann"), discord.channel("general")
    code = "\n".join(f"print({number})  # {'x' * 40}" for number in range(60))
    model.answer(f"Here:\n\n```python\n{code}\n```\n\nThat is all.")
    await discord.say(ann, place, f"{discord.bot.mention} code please")
    await discord.until(lambda: any("That is all." in text for text in discord.answers(place)), seconds=40)
    texts = discord.answers(place)
    assert len(texts) > 1
    assert all(text.count("```") % 2 == 0 for text in texts)
    assert all("".join(texts).count(f"print({number})") == 1 for number in range(60))


async def test_nothing_a_model_writes_pings(
    discord: DiscordDouble, model: ModelDouble, discord_house: Standing
) -> None:
    ann, place = discord.person("Ann"), discord.channel("general")
    model.script(Script(["@everyone ", "look, ", f"{ann.mention} ", "and @here"]))
    await discord.say(ann, place, f"{discord.bot.mention} call everybody")
    await discord.until(lambda: any("here" in text for text in discord.answers(place)))
    assert discord.rest.pings == []


async def test_a_second_thought_before_the_first_text_is_part_of_the_question(
    discord: DiscordDouble, model: ModelDouble, discord_house: Standing, record: Record
) -> None:
    ann = discord.person("Ann")
    place, gate = discord.direct(ann), Gate()
    model.script(Script("Never seen.", gate=gate), Script("Both are answered."))
    await discord.say(ann, place, "how is the weather")
    await gate.reached()
    await discord.say(ann, place, "in Berlin, I mean")
    await discord.until(lambda: discord.answers(place) == ["Both are answered."])
    gate.release()
    assert "weather" in model.requests[-1].question
    assert "Berlin" in model.requests[-1].question
    assert len(await record.turns()) == 1
