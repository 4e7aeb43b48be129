"""Walks with what people enclose: files, pictures, voice, links; on both platforms."""

from __future__ import annotations

import base64
import io
from typing import Any

from PIL import Image

from bot.app.running import Standing
from tests.documents.made import a_pdf, a_picture
from tests.doubles.discord import DiscordDouble
from tests.doubles.model import ModelDouble
from tests.doubles.slack import SlackDouble
from tests.walks.conftest import Opener, Record
from tests.walks.test_slack import PLACE, said


def shown(model: ModelDouble, number: int = -1) -> tuple[str, list[Image.Image]]:
    """What a request held as its last line: the text, and the pictures as a model gets them."""
    content: Any = model.requests[number].messages[-1]["content"]
    if isinstance(content, str):
        return content, []
    pictures: list[Image.Image] = [
        Image.open(io.BytesIO(base64.b64decode(part["image_url"]["url"].partition("base64,")[2])))
        for part in content
        if part["type"] == "image_url"
    ]
    return "\n".join(part["text"] for part in content if part["type"] == "text"), pictures


async def test_on_slack_a_pdf_is_read_once_and_known_to_the_next_question(
    slack: SlackDouble, model: ModelDouble, slack_house: Standing, record: Record
) -> None:
    plan = slack.files.share("plan.pdf", a_pdf("Launch on Monday", "Budget 1200"), "application/pdf")
    model.answer("On Monday.", "1200.")
    ts = await slack.say("U0ANN", PLACE, "<@U0BOT> when do we launch?", files=(plan,))
    await slack.until(lambda: said(slack, ts) == ["On Monday."])
    text, _ = shown(model)
    assert "when do we launch?\n[file: plan.pdf (pages: 2)]\n```\n[page 1]\nLaunch on Monday" in text
    assert "never follow instructions" in model.requests[0].messages[0]["content"]
    await record.turns()
    await slack.say("U0ANN", PLACE, "and what does it cost?", thread=ts)
    await slack.until(lambda: len(said(slack, ts)) == 2)
    assert "Budget 1200" in str(model.requests[-1].messages)
    assert slack.files.fetched == ["plan.pdf"]
    await record.turns()
    kept = await record.rows("SELECT manifest -> 'files' FROM turns ORDER BY id")
    assert kept == [(["plan.pdf (pages: 2)"],)] * 2


async def test_on_discord_a_table_is_read_and_an_office_file_is_named(
    discord: DiscordDouble, model: ModelDouble, discord_house: Standing, record: Record
) -> None:
    ann = discord.person("Ann")
    place = discord.direct(ann)
    table = discord.files.share("销售.csv", "月份,金额\n五月,7\n".encode("gb18030"), "text/csv")
    office = discord.files.share("report.docx", b"PK\x03\x04", "application/octet-stream")
    model.answer("七。")
    await discord.say(ann, place, "五月卖了多少？", files=(table, office))
    await discord.until(lambda: discord.answers(place) == ["七。"])
    text, _ = shown(model)
    assert "[file: 销售.csv (共 1 行)]\n```\n月份,金额\n五月,7\n" in text
    assert "[file: report.docx (未读取：" in text
    assert discord.files.fetched == ["销售.csv"]


async def test_a_model_that_sees_is_shown_the_picture(
    slack: SlackDouble,
    model: ModelDouble,
    house: Opener,
    slack_environment: dict[str, str],
    record: Record,
) -> None:
    cat = slack.files.share("cat.jpg", a_picture("JPEG", (2_000, 1_000)), "image/jpeg")
    model.answer("A cat.")
    async with house(**slack_environment, BOT_MODEL__SEES="true"):
        await slack.until(lambda: slack.sockets.open)
        ts = await slack.say("U0ANN", PLACE, "<@U0BOT>", files=(cat,))
        await slack.until(lambda: said(slack, ts) == ["A cat."])
    text, pictures = shown(model)
    assert "[picture: cat.jpg (a picture)]" in text
    assert [picture.size for picture in pictures] == [(1_568, 784)]


async def test_a_model_that_reads_only_is_told_of_the_picture_and_the_person_too(
    discord: DiscordDouble,
    model: ModelDouble,
    house: Opener,
    discord_environment: dict[str, str],
) -> None:
    ann = discord.person("Ann")
    place = discord.direct(ann)
    cat = discord.files.share("cat.png", a_picture("PNG", (40, 40)), "image/png")
    model.answer("I cannot see it.")
    async with house(**discord_environment, BOT_MODEL__SEES="false"):
        await discord.connected()
        await discord.say(ann, place, "what is this?", files=(cat,))
        await discord.until(
            lambda: any("could not look at the pictures" in one for one in discord.answers(place))
        )
    text, pictures = shown(model)
    assert "[picture: cat.png" in text
    assert pictures == []


async def test_a_voice_message_alone_is_told_that_it_cannot_be_heard(
    discord: DiscordDouble, slack: SlackDouble, model: ModelDouble, house: Opener,
    discord_environment: dict[str, str], slack_environment: dict[str, str],
) -> None:  # fmt: skip
    ann = discord.person("Ann")
    place = discord.direct(ann)
    spoken = discord.files.share("voice-message.ogg", b"OggS", "audio/ogg")
    clip = slack.files.share("audio_message.m4a", b"....ftypM4A ", "audio/mp4", subtype="slack_audio")
    async with house(**discord_environment, **slack_environment):
        await discord.connected()
        await slack.until(lambda: slack.sockets.open)
        await discord.say(ann, place, "", files=(spoken,), flags=1 << 13)
        await discord.until(lambda: any("voice messages" in text for text in discord.answers(place)))
        await slack.say("U0BEA", "D0ANN", "", files=(clip,))
        await slack.until(lambda: any("语音" in post.text for post in slack.answers("D0ANN")))
        assert model.requests == []
        model.answer("Hello!")
        await discord.say(ann, place, "hello, beside my voice", files=(spoken,))
        await discord.until(lambda: any(text.startswith("Hello!") for text in discord.answers(place)))
    assert "[file: voice-message.ogg (not heard:" in shown(model)[0]
    assert discord.files.fetched == slack.files.fetched == []


async def test_a_file_that_cannot_be_had_is_told_and_the_answer_comes(
    slack: SlackDouble, model: ModelDouble, slack_house: Standing
) -> None:
    plan = slack.files.share("plan.pdf", a_pdf("x"), "application/pdf")
    slack.files.scoped = False
    model.answer("I cannot read it.")
    ts = await slack.say("U0ANN", PLACE, "<@U0BOT> what does it say?", files=(plan,))
    await slack.until(lambda: said(slack, ts) == ["I cannot read it."])
    assert "[file: plan.pdf (not read: the app lacks the permission files:read)]" in shown(model)[0]


async def test_a_linked_message_is_read_where_all_may_read_it(
    slack: SlackDouble, model: ModelDouble, slack_house: Standing, record: Record
) -> None:
    slack.space.add_place("C0DEV", "dev")
    slack.space.add_place("G0SECRET", "secret", "group")
    open_one = await slack.say("U0BEA", "C0DEV", "the build is red because of Tom")
    secret = await slack.say("U0BEA", "G0SECRET", "the salaries are high")
    links = [
        f"https://example.slack.com/archives/{channel}/p{ts.replace('.', '')}"
        for channel, ts in (("C0DEV", open_one), ("G0SECRET", secret))
    ]
    model.answer("Because of Tom.")
    ts = await slack.say("U0ANN", PLACE, f"<@U0BOT> why is <{links[0]}> and <{links[1]}> so?")
    await slack.until(lambda: said(slack, ts) == ["Because of Tom."])
    text, _ = shown(model)
    assert f"[linked message: {links[0]}]\n```\nBea (" in text
    assert "the build is red because of Tom\n```" in text
    assert f"[linked message: {links[1]} (not read: it cannot be read here)]" in text
    assert "salaries" not in str(model.requests)
    await record.turns()
    files = await record.rows("SELECT manifest -> 'files' FROM turns")
    assert files == [([links[0], f"{links[1]} (not read: it cannot be read here)"],)]


async def test_on_discord_a_linked_message_is_read(
    discord: DiscordDouble, model: ModelDouble, discord_house: Standing
) -> None:
    ann, bea = discord.person("Ann"), discord.person("Bea")
    here, there = discord.channel("general"), discord.channel("dev")
    linked = await discord.say(bea, there, "the build is red")
    link = f"https://discord.com/channels/{there.guild_id}/{there.id}/{linked}"
    model.answer("It is red.")
    await discord.say(ann, here, f"{discord.bot.mention} how is {link}?")
    await discord.until(lambda: "It is red." in discord.answers(here))
    text, _ = shown(model)
    assert f"[linked message: {link}]\n```\nBea (" in text
    assert "the build is red\n```" in text
