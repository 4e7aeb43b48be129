"""The number of shards: Discord's word, or the larger one of a process that works already."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.adapters.discord import shards
from bot.adapters.discord.rest import Rest
from bot.adapters.discord.sharing import LocalSeats
from bot.errors import PlatformDown, TokenRefused
from tests.doubles.discord import DiscordDouble


@pytest.fixture
async def rest(discord: DiscordDouble) -> AsyncIterator[Rest]:
    made = Rest(discord.token, discord.api_url)
    yield made
    await made.close()


async def test_discord_says_how_many_there_are(rest: Rest, discord: DiscordDouble) -> None:
    discord.rest.shards, discord.rest.max_concurrency = 4, 2
    plan = await shards.made(rest, LocalSeats())
    assert (plan.count, plan.at_once, plan.kind) == (4, 2, "discord-shard:4")


async def test_more_shards_that_somebody_holds_are_kept_to(rest: Rest, discord: DiscordDouble) -> None:
    discord.rest.shards = 4
    seats = LocalSeats()
    await seats.take("discord-shard:8", 8, 8)
    await seats.take("discord-shard:2", 2, 2)
    assert (await shards.made(rest, seats)).count == 8


async def test_a_discord_that_is_away_is_waited_for(rest: Rest, discord: DiscordDouble) -> None:
    discord.refuse("GET", "/gateway/bot", 429, count=1)
    with pytest.raises(PlatformDown):
        await shards.made(rest, LocalSeats())
    discord.refuse("GET", "/gateway/bot", 429, count=1)
    assert (await shards.awaited(rest, LocalSeats())).count == 1


async def test_a_wrong_token_is_not_tried_again(rest: Rest, discord: DiscordDouble) -> None:
    await rest.my_id()
    discord.refuse("GET", "/gateway/bot", 401)
    with pytest.raises(TokenRefused):
        await shards.awaited(rest, LocalSeats())
