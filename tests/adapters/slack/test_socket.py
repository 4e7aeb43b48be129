"""The connection is made anew however it ends."""

from __future__ import annotations

import asyncio

import pytest

from bot.adapters.slack import SlackAdapter
from bot.adapters.slack.listen import Listener
from bot.adapters.slack.socket import serve
from bot.adapters.slack.teams import OneTeam
from bot.adapters.slack.web import Web
from bot.errors import TokenRefused
from tests.adapters.slack.talk import DIRECT, listening
from tests.adapters.slack.together import FakeMarks, together
from tests.doubles.slack import SlackDouble
from tests.fakes import FakeDoor, FakeWords


async def heard_after(slack: SlackDouble, inbox: FakeDoor, connections: int) -> None:
    await slack.until(lambda: slack.sockets.connections >= connections)
    await slack.say("U0ANN", DIRECT, "still there?")
    await slack.until(lambda: any(message.text == "still there?" for message in inbox.messages))


@pytest.mark.parametrize("end", ["drop", "close", "disconnect"])
async def test_however_a_connection_ends_the_next_one_hears(
    slack: SlackDouble, adapter: SlackAdapter, end: str
) -> None:
    inbox = FakeDoor()
    async with listening(slack, adapter, inbox):
        await getattr(slack.sockets, end)()
        await heard_after(slack, inbox, 2)


async def test_what_was_not_acknowledged_comes_over_the_next_connection(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    inbox = FakeDoor()
    async with listening(slack, adapter, inbox):
        await slack.sockets.drop()
        await slack.until(lambda: not slack.sockets.open)
        await slack.say("U0ANN", DIRECT, "said in between")
        await slack.until(lambda: inbox.messages)
    assert [message.text for message in inbox.messages] == ["said in between"]


async def test_each_connection_asks_for_its_own_address(slack: SlackDouble, adapter: SlackAdapter) -> None:
    async with listening(slack, adapter, FakeDoor()):
        await slack.sockets.drop()
        await slack.until(lambda: slack.sockets.connections == 2)
    assert len(slack.called("apps.connections.open")) == 2


async def test_slack_that_does_not_open_connections_is_asked_again(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    slack.fail("auth.test", dropped=True)
    slack.fail("apps.connections.open", status=503)
    inbox = FakeDoor()
    async with listening(slack, adapter, inbox):
        await heard_after(slack, inbox, 1)


async def test_a_connection_without_a_hello_is_given_up(slack: SlackDouble) -> None:
    web = Web(slack.bot_token, slack.api_url)
    listener = Listener(web, OneTeam(web, roles=False), FakeDoor(), FakeWords())
    slack.sockets.hello = False
    task = asyncio.create_task(serve(listener.app, web, slack.app_token, hello_seconds=0.1))
    await slack.until(lambda: slack.sockets.connections >= 2)
    task.cancel()
    await asyncio.wait({task})
    await web.close()


@pytest.mark.parametrize("tokens", [("xoxb-wrong", "xapp-double"), ("xoxb-double", "xapp-wrong")])
async def test_a_wrong_token_is_said_at_once(slack: SlackDouble, tokens: tuple[str, str]) -> None:
    adapter = SlackAdapter(*tokens, slack.api_url, FakeWords())
    with pytest.raises(TokenRefused):
        await adapter.listen(FakeDoor())
    await adapter.close()


async def test_a_connection_that_slack_refreshes_leaves_no_gap_and_one_that_is_lost_does(
    slack: SlackDouble,
) -> None:
    marks = FakeMarks()
    tokens = (slack.bot_token, slack.app_token)
    adapter = SlackAdapter(*tokens, slack.api_url, FakeWords(), together=together(marks))
    async with listening(slack, adapter, FakeDoor()):
        await slack.until(lambda: marks.log.count("close") == 1)
        await slack.sockets.disconnect()
        await slack.until(lambda: slack.sockets.connections == 2 and len(slack.sockets.open) == 1)
        await slack.sockets.drop()
        await slack.until(lambda: marks.log.count("close") == 2)
    assert marks.log.count("read") == 2
    await adapter.close()
