"""Discord's shards over several gateways: each its share, taken over from a dead one, given to a new one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from bot.app.roles import Role
from tests.doubles.discord import DiscordDouble, Place
from tests.walks.conftest import Record
from tests.walks.mortal import IDENTIFY, Mortal

SHARDS = 4


class Street:
    """Gateways of one bot in a guild on every shard."""

    def __init__(self, discord: DiscordDouble, environment: dict[str, str], record: Record) -> None:
        self.discord = discord
        self.houses: list[Mortal] = []
        self._environment = environment
        self._record = record
        self._ann = discord.person("Ann")
        self._said: dict[str, str] = {}
        self.places = [self._place(shard) for shard in range(SHARDS)]
        discord.rest.shards = SHARDS
        discord.rest.max_concurrency = discord.gateway.max_concurrency = 2
        discord.gateway.identify_seconds = IDENTIFY * 0.9

    def _place(self, shard: int) -> Place:
        guild_id = self.discord.guild(f"Guild {shard}", shard, SHARDS)
        return self.discord.channel(f"channel-{shard}", guild_id=guild_id)

    async def opened(self) -> Mortal:
        house = Mortal(self._environment, {Role.GATEWAY})
        self.houses.append(house)
        await house.start()
        return house

    async def heard(self, *shards: int) -> None:
        """Wait until each of the shards is heard by somebody."""
        await self.discord.until(lambda: set(shards or range(SHARDS)) <= set(self.hearing), seconds=15)

    @property
    def hearing(self) -> list[int]:
        return sorted(session.shard for session in self.discord.gateway.connected)

    async def say(self, text: str) -> None:
        """Have the same said in every guild."""
        for place in self.places:
            asked = f"{self.discord.bot.mention} {text} in {place.guild_id}"
            self._said[await self.discord.say(self._ann, place, asked)] = place.guild_id

    async def all_kept(self) -> None:
        """Wait until all is kept that was said, each in its own guild, and nothing else."""
        await self._record.until(f"SELECT count(*) >= {len(self._said)} FROM messages")
        kept = await self._record.rows(
            "SELECT platform_id, workspace, text FROM messages JOIN conversations"
            " ON conversations.id = conversation_id"
        )
        assert {number: guild for number, guild, _ in kept} == self._said
        assert len(kept) == len(self._said)
        assert all(text.endswith(guild) for _, guild, text in kept)


@pytest.fixture
async def street(
    discord: DiscordDouble,
    environment: dict[str, str],
    discord_environment: dict[str, str],
    record: Record,
) -> AsyncIterator[Street]:
    made = Street(discord, environment | discord_environment, record)
    yield made
    await asyncio.gather(*(house.kill() for house in made.houses))


async def test_gateways_share_the_shards_and_take_over_those_of_a_dead_one(street: Street) -> None:
    first = await street.opened()
    await street.opened()
    await street.heard()
    await street.discord.until(lambda: street.hearing == [0, 1, 2, 3])
    await first.kill()
    await street.discord.until(lambda: len(street.hearing) == 2)
    died = time.monotonic()
    await street.say("meanwhile, as the first word ever")
    await street.heard()
    assert time.monotonic() - died < 15
    await street.all_kept()
    await street.say("hello")
    await street.all_kept()
    assert street.discord.gateway.too_soon == []


async def test_a_thawed_gateway_leaves_what_others_took_and_gets_its_share_again(street: Street) -> None:
    frozen = await street.opened()
    await street.opened()
    await street.discord.until(lambda: street.hearing == [0, 1, 2, 3], seconds=15)
    await street.say("hello")
    await street.all_kept()
    frozen.freeze()
    await street.say("meanwhile")
    await street.discord.until(lambda: len(street.hearing) == 6, seconds=15)
    await street.all_kept()
    frozen.thaw()
    await street.say("and now")
    await street.discord.until(lambda: street.hearing == [0, 1, 2, 3], seconds=15)
    await street.say("at last")
    await street.all_kept()
    await frozen.kill()  # it had its half
    await street.discord.until(lambda: len(street.hearing) == SHARDS // 2)
    assert street.discord.gateway.too_soon == []


async def test_more_shards_are_adopted_by_those_that_run(street: Street) -> None:
    street.discord.rest.shards = 2
    await street.opened()
    await street.discord.until(lambda: street.hearing == [0, 1], seconds=15)
    street.discord.rest.shards = SHARDS
    await street.opened()
    await street.discord.until(lambda: street.hearing == [0, 1, 2, 3], seconds=20)
    await street.say("hello")
    await street.all_kept()
    assert {session.count for session in street.discord.gateway.connected} == {SHARDS}
