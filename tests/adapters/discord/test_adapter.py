"""The Discord adapter over the wire: heard, answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import yarl

from bot.adapters.discord import DiscordAdapter
from bot.dialogue import Channel, ChannelKind, Piece, Platform
from bot.ports import Named
from tests.adapters.discord.conftest import FakeChoices, FakeMarks, Inbox, World
from tests.doubles.discord import DiscordDouble
from tests.fakes import FakeReceipts, FakeWords, pieces_of


class Proxy:
    """An HTTP proxy in front of one server: passes bytes on, and keeps what was asked for."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.address = ""
        self.asked: list[str] = []

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target_reader, target_writer = await asyncio.open_connection("127.0.0.1", self._port)

        async def back() -> None:
            while chunk := await target_reader.read(65_536):
                writer.write(chunk)

        answers = asyncio.create_task(back())
        try:
            while chunk := await reader.read(65_536):
                self.asked += [line for line in chunk.decode("latin-1").split("\r\n") if "HTTP/1.1" in line]
                target_writer.write(chunk)
        except ConnectionError:
            pass
        finally:
            answers.cancel()
            for one in (target_writer, writer):
                one.close()


@pytest.fixture
async def proxy(discord: DiscordDouble) -> AsyncIterator[Proxy]:
    found = Proxy(yarl.URL(discord.api_url).port or 0)
    server = await asyncio.start_server(found.meet, "127.0.0.1", 0)
    found.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield found
    server.close()


async def test_a_mention_is_heard_and_answered_with_a_reply(world: World) -> None:
    discord = world.discord
    anna = discord.person("Anna")
    place = discord.channel("general")
    async with world.listening():
        asked = await discord.say(anna, place, f"{discord.bot.mention} what is the time?")
        await world.until_heard("what is the time?")
        question = world.heard[0]
        await world.adapter.send(question, pieces_of(Piece(0, "Noon.", done=True)), FakeReceipts())

    assert question.channel.kind is ChannelKind.OPEN
    assert question.mentions_bot
    assert discord.answers(place) == ["Noon."]
    assert discord.messages(place)[-1].reply_to == asked


async def test_it_knows_what_the_bot_is_called_in_each_place(world: World) -> None:
    discord, adapter = world.discord, world.adapter
    discord.bot.nick = "Deskbot"
    here = Channel(Platform.DISCORD, discord.state.guild_id, "1")
    direct = Channel(Platform.DISCORD, "", "2", kind=ChannelKind.DIRECT)
    assert isinstance(adapter, Named)
    assert adapter.names(here) == ()
    async with world.listening():
        await discord.say(discord.person("Anna"), discord.channel("general"), "hello")
        await world.until_heard("hello")
        assert adapter.names(here) == ("frontdesk", "Frontdesk", "Deskbot")
        assert adapter.names(direct) == ("frontdesk", "Frontdesk")


async def test_calls_gateway_and_interactions_go_through_a_proxy(
    discord: DiscordDouble, proxy: Proxy
) -> None:
    adapter = DiscordAdapter(
        discord.token, discord.api_url, FakeMarks(), FakeWords(), FakeChoices(), proxy.address
    )
    world = World(discord, adapter, Inbox(), FakeMarks(), FakeChoices())
    anna, place = discord.person("Anna"), discord.channel("general")
    async with world.listening():
        await discord.connected()
        await discord.say(anna, place, "hello")
        await world.until_heard("hello")
        await world.adapter.send(world.heard[0], pieces_of(Piece(0, "Noon.", done=True)), FakeReceipts())
        typed = await discord.command(anna, place, "help")
        await discord.until(lambda: bool(typed.told))
    await adapter.close()

    for part in ("/gateway/?", "/messages", "/callback", "/users/@me"):
        assert any("://127.0.0.1" in line and part in line for line in proxy.asked), part
