"""Every way to Slack leads through the proxy where one is given, and past the environment's where none is."""

from __future__ import annotations

import pytest

from bot.adapters.slack import SlackAdapter
from bot.dialogue import Piece
from tests.adapters.slack.talk import DIRECT, GENERAL, asked, listening
from tests.doubles.proxy import ForwardProxy
from tests.doubles.slack import SlackDouble
from tests.fakes import FakeDoor, FakeReceipts, FakeWords, pieces_of


async def test_calls_answers_and_the_socket_go_through_it(slack: SlackDouble) -> None:
    door = FakeDoor()
    async with ForwardProxy() as proxy:
        adapter = SlackAdapter(slack.bot_token, slack.app_token, slack.api_url, FakeWords(), proxy=proxy.url)
        async with listening(slack, adapter, door):
            await slack.say("U0ANN", DIRECT, "hello")
            await slack.until(lambda: door.messages)
            question = await asked(slack)
            await adapter.send(question, pieces_of(Piece(0, "Hello", True, True)), FakeReceipts())
            await slack.command("U0ANN", "C0NOWHERE", "hello?")
            await slack.until(lambda: slack.called("response_url"))
        await adapter.close()
    called = {f"/api/{call.method}" for call in slack.calls if call.method != "response_url"}
    assert called | {"/respond/U0ANN", "/socket/ticket-1"} == set(proxy.paths)
    assert {"/api/apps.connections.open", "/api/users.info", "/api/chat.postMessage"} <= called


async def test_the_environments_is_not_asked_here(
    slack: SlackDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    door = FakeDoor()
    adapter = SlackAdapter(slack.bot_token, slack.app_token, slack.api_url, FakeWords())
    async with listening(slack, adapter, door):
        await slack.say("U0ANN", GENERAL, "hello")
        await slack.until(lambda: door.messages)
    await adapter.close()
