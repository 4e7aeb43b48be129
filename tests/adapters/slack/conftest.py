"""A workspace and an adapter that speaks to it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.adapters.slack import SlackAdapter
from tests.doubles.slack import SlackDouble
from tests.fakes import FakeWords

PACE = 0.05


@pytest.fixture
async def slack() -> AsyncIterator[SlackDouble]:
    async with SlackDouble() as double:
        yield double


@pytest.fixture
async def adapter(slack: SlackDouble) -> AsyncIterator[SlackAdapter]:
    made = SlackAdapter(slack.bot_token, slack.app_token, slack.api_url, FakeWords(), pace=PACE)
    yield made
    await made.close()
