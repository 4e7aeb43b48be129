"""What the terminal says of a process is true: connected only when it is, stopping with how long and why."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from bot.adapters.local import LocalAdapter
from bot.app.roles import ALL, Role
from bot.app.telling import ready_line, stopping_line, tell_connected
from bot.dialogue import Platform
from bot.ports import Adapter

BOTH = (Platform.SLACK, Platform.DISCORD)


@pytest.mark.parametrize(
    ("roles", "over_http", "told"),
    [
        (ALL, (), "http://x · m · connecting to Slack and Discord"),
        (ALL, (Platform.SLACK,), "http://x · m · connecting to Discord · Slack over HTTP"),
        ({Role.GATEWAY}, (), "http://x · gateway · m · connecting to Slack and Discord"),
        ({Role.WORKER}, (Platform.SLACK,), "http://x · worker · m · answers on Slack and Discord"),
        ({Role.WEB}, (), "http://x · web · m"),
    ],
)
def test_ready_says_what_becomes_of_the_platforms_here(
    roles: frozenset[Role], over_http: tuple[Platform, ...], told: str
) -> None:
    line = ready_line("http://x", frozenset(roles), "m", BOTH, over_http)
    assert line == f"Frontdesk is ready: {told} · Ctrl-C stops it"


def test_what_is_not_there_is_not_named() -> None:
    assert ready_line("", ALL, "", ()) == "Frontdesk is ready: Ctrl-C stops it"


def test_stopping_says_how_long_it_may_take_and_why() -> None:
    assert stopping_line(0, 25.0) == "Stopping …"
    assert stopping_line(1, 2.5).startswith("Stopping: 1 answer is still being written, for up to 2.5 s")
    assert stopping_line(2, 25.0).startswith("Stopping: 2 answers are still being written, for up to 25 s")
    assert "Ctrl-C again" in stopping_line(2, 25.0)


class Socketed(LocalAdapter):
    """An adapter with a connection that comes when it is told to."""

    up = False

    def connected(self) -> bool:
        return True  # nothing is missed, also while nothing is there

    def hears(self) -> bool:
        return self.up


async def test_a_platform_is_said_to_be_connected_once_and_only_when_it_is() -> None:
    slack, discord = Socketed(Platform.SLACK), Socketed(Platform.DISCORD)
    web = LocalAdapter(Platform.WEB)  # nothing to be connected to
    adapters = {adapter.platform: cast("Adapter", adapter) for adapter in (slack, discord, web)}
    said: asyncio.Queue[str] = asyncio.Queue()
    telling = asyncio.create_task(tell_connected(adapters, said.put_nowait))
    async with asyncio.timeout(5):
        discord.up = True
        assert await said.get() == "Discord is connected"
        assert said.empty()
        slack.up = True
        assert await said.get() == "Slack is connected"
        await telling
    assert said.empty()
