"""Settings that were just typed are tried before they are written down."""

from __future__ import annotations

import pytest

from bot.app.trying import tried
from bot.dialogue import Finding
from bot.errors import SettingError
from bot.memory.sealing import new_key
from tests.doubles.slack import SlackDouble
from tests.doubles.slack_teams import CLIENT_ID, CLIENT_SECRET


async def found(slack: SlackDouble, **given: str) -> list[Finding]:
    values = {
        "BOT_SLACK__CLIENT_ID": CLIENT_ID,
        "BOT_SLACK__CLIENT_SECRET": CLIENT_SECRET,
        "BOT_SLACK__SIGNING_SECRET": "s",
        "BOT_SLACK__API_URL": slack.api_url,
        "BOT_SLACK__BOT_TOKEN": "",
        "BOT_WEB__PUBLIC_URL": "https://bot.example",
        "BOT_SECRETS__KEY": new_key(),
    }
    return [finding async for finding in tried("slack", values | given)]


async def test_an_app_to_install_is_tried_without_any_workspace() -> None:
    async with SlackDouble() as slack:
        assert [finding.well for finding in await found(slack)] == [True, True, True]
        findings = await found(slack, BOT_SLACK__CLIENT_SECRET="wrong")
        assert [finding.well for finding in findings] == [False, True, True]


async def test_what_is_no_key_is_told() -> None:
    async with SlackDouble() as slack:
        with pytest.raises(SettingError, match="BOT_SECRETS__KEY"):
            await found(slack, BOT_SECRETS__KEY="short")
