"""Files of Slack over the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.adapters.slack.files import fetch_file
from bot.adapters.slack.mrkdwn import Known
from bot.adapters.slack.reading import Me, compose, read_message
from bot.adapters.slack.web import Web
from bot.dialogue import Channel, File, Platform
from bot.errors import PermissionMissing, PlatformDown, PostRefused
from tests.doubles.slack import SlackDouble

MOST = 1_000
HERE = Channel(Platform.SLACK, "T0001", "C0GENERAL")


@pytest.fixture
async def web(slack: SlackDouble) -> AsyncIterator[Web]:
    made = Web(slack.bot_token, slack.api_url)
    yield made
    await made.close()


def heard(told: dict[str, object]) -> File:
    """What the adapter makes of a file in an event."""
    body = {"ts": "1700000000.000001", "user": "U0ANN", "files": [told]}
    return compose(body, HERE, Me("U0BOT", "B0BOT", "T0001", "bot"), Known()).files[0]


def test_a_deleted_file_is_an_edit_of_its_message() -> None:
    body = {"ts": "1700000000.000001", "user": "U0ANN", "text": "two"}
    left, gone = {"id": "F2", "name": "b.txt"}, {"id": "F1", "mode": "tombstone"}
    event = {
        "type": "message",
        "subtype": "message_changed",
        "channel": "C0GENERAL",
        "ts": "1700000009.000001",
        "message": body | {"files": [gone, left]},
        "previous_message": body | {"files": [{"id": "F1", "name": "a.txt"}, left]},
    }
    me = Me("U0BOT", "B0BOT", "T0001", "bot")
    heard_now = read_message(event, "T0001", me, Known())
    assert heard_now is not None
    assert [file.name for file in heard_now.files] == ["b.txt"]
    assert heard_now.edited_at is not None
    assert heard_now.edited_at > heard_now.sent_at
    unfurled = event | {"previous_message": event["message"]}
    assert read_message(unfurled, "T0001", me, Known()) is None


async def test_a_file_is_fetched_with_the_bots_token(slack: SlackDouble, web: Web) -> None:
    file = heard(slack.files.share("plan.txt", b"the plan", "text/plain"))
    assert (file.name, file.media_type, file.size) == ("plan.txt", "text/plain", 8)
    assert await fetch_file(web, file, MOST) == b"the plan"


async def test_a_file_of_a_shared_channel_is_looked_up_by_its_id(slack: SlackDouble, web: Web) -> None:
    told = slack.files.share("plan.txt", b"shared", "text/plain", file_access="check_file_info")
    assert "url_private" not in told
    assert await fetch_file(web, heard(told), MOST) == b"shared"


async def test_without_the_scope_it_is_said_that_it_is_missing(slack: SlackDouble, web: Web) -> None:
    shown = heard(slack.files.share("plan.txt", b"the plan"))
    by_id = heard(slack.files.share("more.txt", b"more", file_access="check_file_info"))
    slack.files.scoped = False
    for file in (shown, by_id):
        with pytest.raises(PermissionMissing, match="files:read"):
            await fetch_file(web, file, MOST)


async def test_a_login_page_is_never_taken_for_the_file(slack: SlackDouble, web: Web) -> None:
    told = slack.files.share("plan.txt", b"<html>Sign in</html>", "text/html") | {"mimetype": "text/plain"}
    with pytest.raises(PermissionMissing):
        await fetch_file(web, heard(told), MOST)
    page = heard(slack.files.share("page.html", b"<html>Mine</html>", "text/html"))
    assert await fetch_file(web, page, MOST) == b"<html>Mine</html>"


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/plan.txt",
        "http://files.slack.com/plan.txt",
        "https://files.slack.com.evil.example/x",
        "https://files.slack.com@evil.example/x",
        "file:///etc/passwd",
        "",
    ],
)
async def test_the_token_goes_to_no_other_host(web: Web, address: str) -> None:
    with pytest.raises(PostRefused, match="does not lie at Slack"):
        await fetch_file(web, File("plan.txt", source=address), MOST)


async def test_no_more_than_the_bound_is_fetched(slack: SlackDouble, web: Web) -> None:
    file = heard(slack.files.share("big.txt", b"x" * (MOST + 1), size=3))
    with pytest.raises(PostRefused, match="more than 1000"):
        await fetch_file(web, file, MOST)


async def test_a_deleted_file_is_out_of_reach(slack: SlackDouble, web: Web) -> None:
    gone = File("x", source=f"http://{slack.files.address}/files/F9/x")
    with pytest.raises(PostRefused):
        await fetch_file(web, gone, MOST)


async def test_slack_being_away_may_pass(slack: SlackDouble) -> None:
    web = Web(slack.bot_token, "http://127.0.0.1:9/api/")
    with pytest.raises(PlatformDown):
        await fetch_file(web, File("x", source="http://127.0.0.1:9/files/x"), MOST)
    await web.close()
