"""The Discord adapter over the wire: heard, answered."""

from __future__ import annotations

from bot.dialogue import ChannelKind, Piece
from tests.adapters.discord.conftest import World
from tests.fakes import FakeReceipts, pieces_of


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
