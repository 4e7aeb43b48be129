"""The double refuses what Slack refuses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.adapters.slack.web import Refused, Web
from tests.adapters.slack.talk import GENERAL, asked
from tests.doubles.slack import SlackDouble
from tests.doubles.slack_rules import METHODS, documented, faults
from tests.doubles.slack_web import WebApi


@pytest.fixture
async def web(slack: SlackDouble) -> AsyncIterator[Web]:
    made = Web(slack.bot_token, slack.api_url)
    yield made
    await made.close()


@pytest.mark.skipif(not METHODS.exists(), reason="no copy of Slack's documentation on this machine")
def test_every_method_of_the_double_is_documented(slack: SlackDouble) -> None:
    assert [method for method in WebApi(slack.space).methods if documented(method) is None] == []
    assert faults("chat.update", {"channel": "C1", "ts": "1.0", "thread_ts": "1.0"}) == [
        "chat.update does not know thread_ts"
    ]


def test_a_missing_argument_is_a_fault() -> None:
    assert faults("chat.appendStream", {"channel": "C1", "ts": "1.0"}) == [
        "chat.appendStream lacks markdown_text"
    ]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"text": "x" * 4_001}, "msg_too_long"),
        ({"markdown_text": "x" * 12_001}, "msg_too_long"),
        ({"text": "x", "markdown_text": "x"}, "markdown_text_conflict"),
        ({"markdown_text": " "}, "no_text"),
        ({"text": "x", "channel": "C0NOWHERE"}, "channel_not_found"),
    ],
)
async def test_a_post_that_slack_would_refuse_is_refused(
    slack: SlackDouble, web: Web, arguments: dict[str, Any], error: str
) -> None:
    with pytest.raises(Refused) as caught:
        await web.call("chat.postMessage", **{"channel": GENERAL, **arguments})
    assert caught.value.code == error


@pytest.mark.parametrize("missing", ["recipient_team_id", "recipient_user_id", "thread_ts"])
async def test_a_stream_needs_a_thread_and_whoever_reads_it(
    slack: SlackDouble, web: Web, missing: str
) -> None:
    question = await asked(slack)
    whole = {"thread_ts": question.id, "recipient_team_id": "T0001", "recipient_user_id": "U0ANN"}
    whole.pop(missing)
    with pytest.raises(Refused, match=missing):
        await web.call("chat.startStream", channel=GENERAL, markdown_text="x", **whole)
