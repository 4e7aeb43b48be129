"""What is built of the settings."""

from __future__ import annotations

import pytest

from bot.app.parts import served_on_board, slack_adapter
from bot.config import ModelSettings, SlackSettings
from bot.dialogue import Context, Line, Role
from bot.errors import BackendDown
from bot.generation.builtin import Address
from tests.doubles.model import DOWN, ModelDouble
from tests.doubles.slack import SlackDouble
from tests.fakes import FakeWords, in_english

CONTEXT = Context((Line(Role.SYSTEM, "You are X."), Line(Role.PERSON, "Hello")), 100)


@pytest.mark.parametrize("lists", [{}, {"allow_roles": "desk"}, {"block_roles": "desk"}])
async def test_slack_is_asked_for_roles_only_where_a_list_names_some(lists: dict[str, str]) -> None:
    async with SlackDouble() as slack:
        tokens = {"bot_token": slack.bot_token, "app_token": slack.app_token, "api_url": slack.api_url}
        adapter = slack_adapter(SlackSettings.model_validate(tokens | lists), FakeWords())
        assert adapter is not None
        bad = [finding.text async for finding in adapter.check(in_english) if not finding.well]
        assert [text.split()[0] for text in bad] == (["usergroups:read"] if lists else [])
        await adapter.close()


async def test_a_dead_model_on_board_is_told_at_once_since_it_is_started_again() -> None:
    async with ModelDouble() as model:
        model.script(DOWN, DOWN)
        address = Address(model.url, "none", "double-1", small=True, context_tokens=2_048)
        backend = served_on_board(ModelSettings(), address)
        with pytest.raises(BackendDown):
            async for _ in backend.stream(CONTEXT):
                pass
        await backend.close()
        assert len(model.requests) == 1
