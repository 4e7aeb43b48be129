"""What `bot doctor` says of Discord."""

from __future__ import annotations

from bot.adapters.discord import DiscordAdapter, invite_link
from bot.dialogue import Finding
from bot.ports import Adapter, Checks, History
from tests.adapters.discord.conftest import FakeChoices, FakeMarks, World
from tests.fakes import FakeWords, in_english


async def findings(adapter: DiscordAdapter) -> dict[str, Finding]:
    return {finding.subject: finding async for finding in adapter.check(in_english)}


def test_the_adapter_keeps_its_ports(world: World) -> None:
    adapter: Adapter = world.adapter

    assert isinstance(adapter, History)
    assert isinstance(adapter, Checks)


async def test_all_is_well(world: World) -> None:
    found = await findings(world.adapter)

    assert all(finding.well for finding in found.values())
    assert found["Discord invite link"].text == invite_link(world.discord.bot.id)
    assert "Discord server The Guild" in found


def test_the_invite_link_asks_for_what_is_needed_and_no_more() -> None:
    assert invite_link("42") == (
        "https://discord.com/oauth2/authorize?client_id=42"
        "&scope=bot+applications.commands&permissions=309237746688"
    )


async def test_commands_of_another_version_are_told(world: World) -> None:
    async with world.listening():
        await world.discord.until(lambda: world.discord.rest.interactions.registered == 1)
    assert (await findings(world.adapter))["Discord commands"].well
    world.discord.rest.interactions.commands.pop()
    found = (await findings(world.adapter))["Discord commands"]

    assert not found.well
    assert "applications.commands" in found.cure


async def test_a_wrong_token_is_told_with_its_cure(world: World) -> None:
    adapter = DiscordAdapter("wrong", world.discord.api_url, FakeMarks(), FakeWords(), FakeChoices())
    found = await findings(adapter)
    await adapter.close()

    assert list(found) == ["Discord token"]
    assert not found["Discord token"].well
    assert "BOT_DISCORD__TOKEN" in found["Discord token"].cure
    assert "wrong" not in found["Discord token"].text


async def test_a_missing_intent_is_told_with_what_is_lost(world: World) -> None:
    world.discord.state.content_intent = False
    found = (await findings(world.adapter))["Discord message content intent"]

    assert not found.well
    assert "Message Content Intent" in found.cure


async def test_missing_permissions_are_named(world: World) -> None:
    world.discord.state.permissions = str((1 << 10) | (1 << 11))
    found = (await findings(world.adapter))["Discord server The Guild"]

    assert not found.well
    assert "read message history" in found.text
    assert "send messages in threads" in found.text
    assert "oauth2/authorize" in found.cure


async def test_a_bot_that_is_nowhere_is_told_to_be_invited(world: World) -> None:
    world.discord.state.in_guild = False
    found = await findings(world.adapter)

    assert not found["Discord servers"].well
    assert "oauth2/authorize" in found["Discord servers"].cure


async def test_a_discord_that_cannot_be_reached_is_told(world: World) -> None:
    world.discord.refuse("GET", "/users/@me", 503, count=20)
    found = await findings(world.adapter)

    assert list(found) == ["Discord"]
    assert not found["Discord"].well
