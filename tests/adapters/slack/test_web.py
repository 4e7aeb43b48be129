"""Slack's error names become ours."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import pytest

from bot.adapters.slack.web import Busy, Refused, Unsure, Web, quiet
from bot.errors import PermissionMissing, PlatformDown, PlatformError, TokenRefused
from tests.doubles.slack import SlackDouble


@pytest.fixture
async def web(slack: SlackDouble) -> AsyncIterator[Web]:
    made = Web(slack.bot_token, slack.api_url)
    yield made
    await made.close()


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        ("invalid_auth", TokenRefused),
        ("token_revoked", TokenRefused),
        ("missing_scope", PermissionMissing),
        ("channel_not_found", Refused),
        ("a_new_error", Refused),
        ("ratelimited", Busy),
        ("internal_error", Unsure),
        ("fatal_error", Unsure),
    ],
)
async def test_each_refusal_has_a_name(
    slack: SlackDouble, web: Web, error: str, ours: type[PlatformError]
) -> None:
    slack.fail("auth.test", error=error)
    with pytest.raises(ours) as caught:
        await web.call("auth.test")
    assert type(caught.value) is ours


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 503}, {"dropped": True}, {"lost": True}])
async def test_no_clear_answer_is_unsure(slack: SlackDouble, web: Web, fault: dict[str, int]) -> None:
    slack.fail("auth.test", **fault)
    with pytest.raises(Unsure):
        await web.call("auth.test")
    assert len(slack.called("auth.test")) == 1


async def test_the_seconds_to_wait_are_told(slack: SlackDouble, web: Web) -> None:
    slack.fail("auth.test", error="ratelimited", retry_after=7)
    with pytest.raises(Busy) as caught:
        await web.call("auth.test")
    assert caught.value.retry_after == 7


async def test_where_nobody_listens_nothing_was_carried_out() -> None:
    web = Web("xoxb-x", "http://127.0.0.1:9/api/")
    with pytest.raises(PlatformDown) as caught:
        await web.call("auth.test")
    assert not isinstance(caught.value, Unsure)
    await web.close()


async def test_reading_is_tried_again(slack: SlackDouble, web: Web) -> None:
    slack.fail("auth.test", dropped=True)
    slack.fail("auth.test", status=503)
    slack.fail("auth.test", error="ratelimited", retry_after=0)
    assert (await web.read("auth.test"))["team_id"] == "T0001"
    assert len(slack.called("auth.test")) == 4


def test_a_parts_logger_is_made_quiet_once() -> None:
    assert quiet("web") is quiet("web")
    assert quiet("web").level == logging.INFO
    quiet("web").setLevel(logging.DEBUG)  # a level that is set empties what all loggers have worked out
    assert quiet("web").level == logging.DEBUG
    quiet("web").setLevel(logging.INFO)
