"""Files of Discord over the wire."""

from __future__ import annotations

import pytest

from bot.dialogue import Channel, File, Platform
from bot.errors import PostRefused
from tests.adapters.discord.conftest import World

MOST = 1_000
HERE = Channel(Platform.DISCORD, "", "1")


async def shared(world: World, data: bytes, name: str = "plan.txt", **more: object) -> File:
    """Let somebody send a file to the bot; gives what the adapter heard of it."""
    discord = world.discord
    ann = discord.person("Ann")
    file = discord.files.share(name, data, "text/plain", **more)
    async with world.listening():
        await discord.say(ann, discord.direct(ann), "look", files=(file,))
        await world.until_heard("look")
    return world.heard[-1].files[0]


async def test_a_file_is_fetched(world: World) -> None:
    file = await shared(world, b"the plan")
    assert (file.name, file.media_type, file.size) == ("plan.txt", "text/plain", 8)
    assert await world.adapter.fetch(HERE, file, MOST) == b"the plan"


async def test_an_address_that_ran_out_is_asked_for_again(world: World) -> None:
    file = await shared(world, b"the plan")
    world.discord.files.run_out()
    assert await world.adapter.fetch(HERE, file, MOST) == b"the plan"
    assert len(world.discord.files.fetched) == 1


async def test_a_file_whose_message_is_gone_is_out_of_reach(world: World) -> None:
    file = await shared(world, b"the plan")
    world.discord.files.run_out()
    world.discord.state.posts.clear()
    with pytest.raises(PostRefused):
        await world.adapter.fetch(HERE, file, MOST)


async def test_no_more_than_the_bound_is_fetched(world: World) -> None:
    file = await shared(world, b"x" * (MOST + 1), size=3)
    with pytest.raises(PostRefused, match="more than 1000"):
        await world.adapter.fetch(HERE, file, MOST)


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/a",
        "http://cdn.discordapp.com/a",
        "https://cdn.discordapp.com.evil.example/a",
        "",
    ],
)
async def test_nothing_is_fetched_from_other_hosts(world: World, address: str) -> None:
    with pytest.raises(PostRefused, match="does not lie at Discord"):
        await world.adapter.fetch(HERE, File("a.txt", source=address), MOST)
