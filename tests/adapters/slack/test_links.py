"""Linked messages on Slack: who may have them read, and what is read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from bot.adapters.slack.links import LinkReader
from bot.adapters.slack.names import Names
from bot.adapters.slack.reading import Me
from bot.adapters.slack.web import Web
from bot.dialogue import Author, Channel, ChannelKind, Message, Platform
from bot.errors import PlatformDown
from tests.doubles.slack import SlackDouble

ME = Me("U0BOT", "B0BOT", "T0001", "frontdesk")
GENERAL, DIRECT, DEV, SECRET = "C0GENERAL", "D0ANN", "C0DEV", "G0SECRET"


@pytest.fixture
async def web(slack: SlackDouble) -> AsyncIterator[Web]:
    slack.space.add_place(DEV, "dev")
    slack.space.add_place(SECRET, "secret", "group")
    slack.space.place(SECRET).members = ("U0BEA", "U0BOT")
    made = Web(slack.bot_token, slack.api_url)
    yield made
    await made.close()


@pytest.fixture
def reader(web: Web) -> LinkReader:
    return LinkReader(web, Names(web))


def link_to(channel: str, ts: str, thread: str = "") -> str:
    more = f"?thread_ts={thread}&cid={channel}" if thread else ""
    return f"https://example.slack.com/archives/{channel}/p{ts.replace('.', '')}{more}"


def asking(text: str, channel: str = GENERAL, asker: str = "U0ANN") -> Message:
    kind = ChannelKind.DIRECT if channel.startswith("D") else ChannelKind.OPEN
    place = Channel(Platform.SLACK, "T0001", channel, kind=kind)
    return Message("9.9", place, Author(asker, "Ann"), text, datetime.now(UTC), mentions_bot=True)


async def texts(reader: LinkReader, question: Message) -> list[list[str]]:
    return [[one.text for one in found.messages] for found in await reader.read(question, ME)]


async def test_a_message_of_the_same_channel_is_read(slack: SlackDouble, reader: LinkReader) -> None:
    ts = await slack.say("U0BEA", GENERAL, "the *door* code is 7, <@U0ANN>")
    found = await reader.read(asking(f"what does {link_to(GENERAL, ts)} mean?"), ME)
    assert found[0].link == link_to(GENERAL, ts)
    assert found[0].messages[0].text == "the **door** code is 7, @Ann"
    assert found[0].messages[0].author.name == "Bea"


async def test_a_thread_is_read_from_its_first_message(slack: SlackDouble, reader: LinkReader) -> None:
    ts = await slack.say("U0BEA", DEV, "the build is red")
    await slack.say("U0ANN", DEV, "I am looking", thread=ts)
    assert await texts(reader, asking(link_to(DEV, ts))) == [["the build is red", "I am looking"]]


async def test_of_a_reply_the_reply_alone_is_read(slack: SlackDouble, reader: LinkReader) -> None:
    ts = await slack.say("U0BEA", DEV, "the build is red")
    await slack.say("U0ANN", DEV, "I am looking", thread=ts)
    reply = await slack.say("U0BEA", DEV, "found it", thread=ts)
    assert await texts(reader, asking(link_to(DEV, reply, ts))) == [["found it"]]


async def test_a_private_channel_is_not_read_into_a_channel(slack: SlackDouble, reader: LinkReader) -> None:
    ts = await slack.say("U0BEA", SECRET, "salaries")
    assert await texts(reader, asking(link_to(SECRET, ts), asker="U0BEA")) == [[]]


async def test_in_a_direct_message_the_askers_own_channels_are_read(
    slack: SlackDouble, reader: LinkReader
) -> None:
    ts = await slack.say("U0BEA", SECRET, "salaries")
    assert await texts(reader, asking(link_to(SECRET, ts), DIRECT, "U0BEA")) == [["salaries"]]
    assert await texts(reader, asking(link_to(SECRET, ts), DIRECT, "U0ANN")) == [[]]


async def test_a_guest_gets_only_channels_they_are_in(slack: SlackDouble, reader: LinkReader) -> None:
    slack.space.add_person("U0GUEST", "Guy", "", "")
    slack.space.people["U0GUEST"]["is_restricted"] = True
    slack.space.place(DEV).members = ("U0ANN", "U0BOT")
    slack.space.place(GENERAL).members = ("U0ANN", "U0BEA", "U0BOT")
    ts = await slack.say("U0ANN", DEV, "for us")
    assert await texts(reader, asking(link_to(DEV, ts), DIRECT, "U0GUEST")) == [[]]
    assert await texts(reader, asking(link_to(DEV, ts))) == [["for us"]]
    slack.space.place(GENERAL).members = ("U0ANN", "U0BEA", "U0GUEST", "U0BOT")
    assert await texts(reader, asking(link_to(DEV, ts))) == [[]]
    slack.space.place(DEV).members = ("U0ANN", "U0GUEST", "U0BOT")
    assert await texts(reader, asking(link_to(DEV, ts))) == [["for us"]]


async def test_a_reader_of_another_workspace_keeps_other_channels_shut(
    slack: SlackDouble, reader: LinkReader
) -> None:
    slack.space.place(GENERAL).members = ("U0ANN", "U9STRANGER", "U0BOT")
    slack.space.place(DEV).members = ("U0ANN", "U0BOT")
    ts = await slack.say("U0ANN", DEV, "for us")
    assert await texts(reader, asking(link_to(DEV, ts))) == [[]]


@pytest.mark.parametrize(
    "error", ["not_in_channel", "channel_not_found", "missing_scope", "thread_not_found"]
)
async def test_what_slack_does_not_show_is_named_without_a_word_more(
    slack: SlackDouble, reader: LinkReader, error: str
) -> None:
    ts = await slack.say("U0BEA", DEV, "the build is red")
    slack.fail("conversations.replies", error=error)
    found = await reader.read(asking(link_to(DEV, ts)), ME)
    assert [(one.link, one.messages) for one in found] == [(link_to(DEV, ts), ())]


async def test_a_deleted_message_is_not_readable(reader: LinkReader) -> None:
    assert await texts(reader, asking(link_to(GENERAL, "1700000000.000001"))) == [[]]


async def test_at_most_three_links_are_read_and_each_once(slack: SlackDouble, reader: LinkReader) -> None:
    stamps = [await slack.say("U0BEA", GENERAL, f"number {n}") for n in range(5)]
    text = " ".join(link_to(GENERAL, ts) for ts in [stamps[0], *stamps])
    assert await texts(reader, asking(text)) == [["number 0"], ["number 1"], ["number 2"]]


@pytest.mark.parametrize(
    "text",
    [
        "see https://example.com/archives/C0DEV/p1700000000000001",
        "https://example.slack.com/files/U1/F1/x",
        "https://example.slack.com.evil.example/archives/C0DEV/p1700000000000001",
        "no link",
    ],
)
async def test_other_links_are_none(slack: SlackDouble, reader: LinkReader, text: str) -> None:
    assert await reader.read(asking(text), ME) == []
    assert not slack.calls


async def test_slack_being_away_is_told(slack: SlackDouble, reader: LinkReader) -> None:
    ts = await slack.say("U0BEA", GENERAL, "hello")
    slack.fail("conversations.replies", error="ratelimited", retry_after=0, times=9)
    with pytest.raises(PlatformDown):
        await reader.read(asking(link_to(GENERAL, ts)), ME)
