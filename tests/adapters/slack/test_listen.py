"""What is heard is kept before it is acknowledged."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot.adapters.slack import SlackAdapter
from bot.dialogue import ChannelKind
from bot.errors import StoreDown, TokenRefused
from tests.doubles.slack import SlackDouble
from tests.fakes import FakeInbox, FakeWords


@asynccontextmanager
async def listening(slack: SlackDouble, adapter: SlackAdapter, inbox: FakeInbox) -> AsyncIterator[None]:
    task = asyncio.create_task(adapter.listen(inbox))
    try:
        await slack.until(lambda: slack.sockets.open or task.done())
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
    if not task.cancelled():
        task.result()


async def test_a_mention_that_comes_twice_is_one_message(slack: SlackDouble, adapter: SlackAdapter) -> None:
    inbox = FakeInbox()
    async with listening(slack, adapter, inbox):
        ts = await slack.say("U0ANN", "C0GENERAL", f"<@{slack.bot}> hello", files=("plan.pdf",))
        await slack.until(lambda: all(delivery.acked for delivery in slack.sockets.deliveries))
    assert len(slack.sockets.deliveries) == 2
    (message,) = inbox.messages
    assert (message.id, message.text, message.author.name) == (ts, "hello", "Ann")
    assert message.channel.root == ts
    assert message.channel.kind is ChannelKind.OPEN
    assert message.files == ("plan.pdf",)
    assert message.mentions_bot


async def test_what_cannot_be_kept_is_not_acknowledged_and_comes_again(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    inbox = FakeInbox()
    inbox.error = StoreDown("no database")
    async with listening(slack, adapter, inbox):
        await slack.say("U0ANN", "D0ANN", "hello")
        await slack.until(lambda: slack.called("users.info"))
        inbox.error = None
        await slack.sockets.redeliver()
        await slack.until(lambda: slack.sockets.deliveries[0].acked)
    assert len(slack.sockets.deliveries[0].envelopes) >= 2
    assert [message.text for message in inbox.messages] == ["hello"]


async def test_a_wrong_app_token_is_said_at_once(slack: SlackDouble) -> None:
    adapter = SlackAdapter(slack.bot_token, "xapp-wrong", slack.api_url, FakeWords())
    with pytest.raises(TokenRefused):
        await adapter.listen(FakeInbox())
    await adapter.close()
