"""What one person is told in direct messages."""

from __future__ import annotations

import pytest

from bot.adapters.discord.direct import Direct
from bot.dialogue import ChannelKind
from bot.errors import PlatformDown
from bot.ports import Notices
from tests.adapters.discord.conftest import World
from tests.adapters.discord.test_sending import ask
from tests.doubles.discord import Person, Place


async def test_a_post_says_where_it_stands(world: World, anna: Person) -> None:
    post = await Direct(world.adapter._rest).post(anna.id, "hello", "n1")

    [shown] = world.discord.messages(world.discord.direct(anna))
    assert post is not None
    assert (post.message_id, post.channel.id) == (shown.id, shown.place.id)
    assert post.channel.kind is ChannelKind.DIRECT
    assert post.link.endswith(f"/@me/{shown.place.id}/{shown.id}")


async def test_a_notice_comes_in_private_and_once(world: World, anna: Person, place: Place) -> None:
    question = await ask(world, anna, place)

    assert isinstance(world.adapter, Notices)
    assert await world.adapter.notice(question, "I may not write there.")
    assert await world.adapter.notice(question, "I may not write there.")
    [told] = world.discord.answers(world.discord.direct(anna))
    assert told.startswith("I may not write there.")
    assert told.endswith(f"/channels/{place.guild_id}/{place.id}/{question.id}")


async def test_a_notice_to_closed_direct_messages_is_none(world: World, anna: Person, place: Place) -> None:
    anna.takes_direct = False

    assert not await world.adapter.notice(await ask(world, anna, place), "I may not write there.")


async def test_a_notice_that_discord_does_not_serve_is_told(world: World, anna: Person, place: Place) -> None:
    question = await ask(world, anna, place)
    world.discord.refuse("POST", "/users/@me/channels", 503, count=10)

    with pytest.raises(PlatformDown):
        await world.adapter.notice(question, "I may not write there.")
