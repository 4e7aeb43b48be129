"""Slack's user groups are roles, and never worth a message."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from bot.adapters.slack import SlackAdapter
from bot.adapters.slack.groups import Groups
from bot.adapters.slack.web import Web
from tests.adapters.slack.talk import DIRECT, GENERAL, listening
from tests.doubles.slack import SlackDouble
from tests.fakes import FakeDoor, FakeWords


@pytest.fixture
async def web(slack: SlackDouble) -> AsyncIterator[Web]:
    made = Web(slack.bot_token, slack.api_url)
    yield made
    await made.close()


async def heard_by(slack: SlackDouble, *, roles: bool) -> FakeDoor:
    """Hear Ann in a channel and in private, by an adapter to which roles matter or not."""
    tokens = (slack.bot_token, slack.app_token, slack.api_url)
    adapter, inbox = SlackAdapter(*tokens, FakeWords(), roles=roles), FakeDoor()
    async with listening(slack, adapter, inbox):
        await slack.say("U0ANN", GENERAL, f"<@{slack.bot}> hello")
        await slack.say("U0ANN", DIRECT, "hello")
        await slack.until(lambda: len(inbox.messages) == 2)
    await adapter.close()
    return inbox


async def test_an_author_comes_with_the_ids_and_handles_of_their_groups(slack: SlackDouble) -> None:
    inbox = await heard_by(slack, roles=True)
    assert [message.author.roles for message in inbox.messages] == [("S0DESK", "desk")] * 2
    assert [message.author.name for message in inbox.messages] == ["Ann"] * 2
    assert len(slack.called("usergroups.list")) == 1


async def test_nobody_asks_for_groups_where_roles_do_not_matter(slack: SlackDouble) -> None:
    inbox = await heard_by(slack, roles=False)
    assert [message.author.roles for message in inbox.messages] == [(), ()]
    assert slack.called("usergroups.list") == []


async def test_who_is_in_several_groups_has_all_and_who_is_in_none_has_none(
    slack: SlackDouble, web: Web
) -> None:
    slack.space.groups["S0LEAD"] = ("leads", ["U0ANN"])
    groups = Groups(web)
    assert await groups.roles_of("U0ANN") == ("S0DESK", "desk", "S0LEAD", "leads")
    assert await groups.roles_of("U0BEA") == ()


async def test_a_look_up_that_fails_is_logged_and_lets_the_message_through(slack: SlackDouble) -> None:
    slack.fail("usergroups.list", error="missing_scope")
    with capture_logs() as logs:
        inbox = await heard_by(slack, roles=True)
    assert [message.author.roles for message in inbox.messages] == [(), ()]
    assert [line["error"] for line in logs if line["event"] == "slack_groups_unknown"] == [
        "PermissionMissing"
    ]
    assert len(slack.called("usergroups.list")) == 1


async def test_a_slow_answer_is_not_waited_for_long(slack: SlackDouble, web: Web) -> None:
    held = asyncio.Event()
    slack.fail("usergroups.list", hold=held)
    assert await asyncio.wait_for(Groups(web, patience=0.1).roles_of("U0ANN"), 2) == ()
    held.set()


async def test_what_was_known_before_stays_when_a_later_look_up_fails(slack: SlackDouble, web: Web) -> None:
    groups = Groups(web, kept=0.0)
    assert await groups.roles_of("U0ANN") == ("S0DESK", "desk")
    slack.space.groups["S0DESK"] = ("desk", [])
    slack.fail("usergroups.list", error="internal_error", status=400)
    assert await groups.roles_of("U0ANN") == ("S0DESK", "desk")


async def test_groups_are_asked_for_again_once_they_are_old(slack: SlackDouble, web: Web) -> None:
    groups = Groups(web, kept=0.0)
    await groups.roles_of("U0ANN")
    slack.space.groups["S0DESK"] = ("desk", ["U0BEA"])
    assert await groups.roles_of("U0ANN") == ()
    assert await groups.roles_of("U0BEA") == ("S0DESK", "desk")
