"""Guilds by REST: roles and channels have names, asked for once in a while."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.adapters.discord.guilds import Guilds
from bot.adapters.discord.rest import Rest
from bot.errors import PlatformDown
from tests.doubles.discord import DiscordDouble


@pytest.fixture
async def guilds(discord: DiscordDouble) -> AsyncIterator[Guilds]:
    rest = Rest(discord.token, discord.api_url)
    yield Guilds(rest)
    await rest.close()


async def test_a_guild_has_the_names_of_its_roles_and_channels(
    guilds: Guilds, discord: DiscordDouble
) -> None:
    staff, place = discord.role("Staff"), discord.channel("general")
    elsewhere = discord.channel("elsewhere", guild_id=discord.guild("Other", 0, 1))
    found = await guilds.find(discord.state.guild_id)
    assert found is not None
    role, channel = found.get_role(int(staff.id)), found.get_channel(int(place.id))
    assert (role and role.name, channel and channel.name) == ("Staff", "general")
    assert found.get_channel(int(elsewhere.id)) is None
    assert await guilds.find(discord.state.guild_id) is found
    assert len(discord.calls("GET", f"/guilds/{discord.state.guild_id}")) == 1


async def test_direct_messages_and_a_guild_we_left_have_none(guilds: Guilds, discord: DiscordDouble) -> None:
    assert await guilds.find("") is None
    assert await guilds.find("4711") is None


async def test_a_discord_that_is_away_is_told(guilds: Guilds, discord: DiscordDouble) -> None:
    discord.refuse("GET", "/guilds/", 429)
    with pytest.raises(PlatformDown):
        await guilds.find(discord.state.guild_id)
