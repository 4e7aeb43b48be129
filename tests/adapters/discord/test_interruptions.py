"""What a gateway may do to a session: each way of closing it, and nothing lost, doubled or out of order."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot.adapters.discord import gateway as ours
from bot.errors import TokenRefused
from tests.adapters.discord.conftest import World
from tests.doubles.discord import Person, Place

# Discord's closing codes after which it forgets the session, and those after which it may be resumed.
NEW_SESSION = (4003, 4007, 4009)
RESUMED = (4000, 4001, 4002, 4005, 4008)


@pytest.mark.parametrize("code", [*NEW_SESSION, *RESUMED])
async def test_after_each_closing_code_what_came_meanwhile_is_heard(
    world: World, anna: Person, place: Place, code: int
) -> None:
    gateway = world.discord.gateway
    async with world.listening():
        await world.hears(anna, place, "before")
        await gateway.drop(keep=code in RESUMED, code=code)
        await world.discord.say(anna, place, "meanwhile")
        await world.discord.until(lambda: bool(gateway.connected))
        await world.discord.say(anna, place, "after")
        await world.until_heard("meanwhile", "after")

    assert world.texts == ["before", "meanwhile", "after"]
    assert (gateway.resumed, gateway.identified) == ((1, 1) if code in RESUMED else (0, 2))


@pytest.mark.parametrize("resumable", [True, False])
async def test_an_invalid_session_is_resumed_where_discord_says_so(
    world: World, anna: Person, place: Place, resumable: bool
) -> None:
    gateway = world.discord.gateway
    async with world.listening():
        await world.hears(anna, place, "before")
        await gateway.invalidate(resumable=resumable)
        await world.discord.until(lambda: gateway.resumed + gateway.identified == 2)
        await world.hears(anna, place, "after")

    assert (gateway.resumed, gateway.identified) == ((1, 1) if resumable else (0, 2))


async def test_a_token_revoked_while_it_listens_is_told(world: World) -> None:
    async with world.listening() as listening:
        await world.discord.connected()
        await world.discord.gateway.drop(keep=False, code=4004)
        async with asyncio.timeout(10):
            with pytest.raises(TokenRefused, match="gateway"):
                await listening


async def test_intents_that_discord_does_not_know_are_tried_again(
    world: World, anna: Person, place: Place
) -> None:
    async with world.listening():
        await world.discord.connected()
        await world.discord.gateway.drop(keep=False, code=4013)
        await world.discord.until(lambda: world.discord.gateway.identified == 2)
        await world.hears(anna, place, "hello")


async def test_an_intent_withdrawn_while_it_listens_is_done_without(
    world: World, anna: Person, place: Place
) -> None:
    async with world.listening():
        await world.discord.connected()
        world.discord.state.content_intent = False
        await world.discord.gateway.drop(keep=False, code=4014)
        await world.discord.until(lambda: bool(world.discord.gateway.connected))
        await world.discord.say(anna, place, f"{world.discord.bot.mention} hello")
        await world.until_heard("hello")


async def test_more_shards_that_discord_asks_for_are_opened(world: World, anna: Person, place: Place) -> None:
    gateway = world.discord.gateway
    async with world.listening():
        await world.hears(anna, place, "before")
        world.discord.rest.shards = 3
        await gateway.drop(keep=False, code=4011)
        await world.discord.say(anna, place, "meanwhile")
        await world.discord.until(lambda: sorted(one.shard for one in gateway.connected) == [0, 1, 2])
        await world.hears(anna, place, "after")

    assert {session.count for session in gateway.sessions.values()} == {3}
    assert world.texts == ["before", "meanwhile", "after"]


async def test_a_ready_that_never_comes_is_not_waited_for(
    world: World, anna: Person, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ours, "_READY_SECONDS", 0.2)
    world.discord.gateway.never_ready = True
    async with world.listening():
        await world.discord.until(lambda: world.discord.gateway.identified == 2)
        world.discord.gateway.never_ready = False
        await world.discord.connected()
        await world.hears(anna, place, "hello")


async def test_a_gateway_that_is_away_for_a_while_is_found_again(
    world: World, anna: Person, place: Place
) -> None:
    gateway = world.discord.gateway
    async with world.listening():
        await world.hears(anna, place, "before")
        gateway.refuses_connections = True
        await gateway.drop(keep=False)
        await world.discord.until(lambda: gateway.refused >= 2, seconds=20)
        await world.discord.say(anna, place, "meanwhile")
        gateway.refuses_connections = False
        await world.until_heard("meanwhile")

    assert world.texts == ["before", "meanwhile"]


async def test_an_event_that_comes_late_or_twice_is_handed_on_like_any_other(
    world: World, anna: Person, place: Place
) -> None:
    async with world.listening():
        await world.hears(anna, place, "newer")
        late = datetime.now(UTC) - timedelta(seconds=20)
        older = await world.discord.say(anna, place, "older", at=late)
        await world.until_heard("older")
        await world.discord._emit("MESSAGE_CREATE", world.discord.state.posts[older])
        await world.hears(anna, place, "last")

    assert world.texts == ["newer", "older", "last"]
