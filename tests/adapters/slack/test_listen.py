"""What is heard is kept before it is acknowledged."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.adapters.slack import SlackAdapter
from bot.dialogue import Accepted, ChannelKind, Message
from bot.errors import StoreDown
from tests.adapters.slack.talk import DIRECT, GENERAL, listening
from tests.doubles.slack import SlackDouble
from tests.fakes import FakeDoor


def all_acked(slack: SlackDouble) -> bool:
    return all(delivery.acked for delivery in slack.sockets.deliveries)


async def test_a_mention_that_comes_twice_is_one_message(slack: SlackDouble, adapter: SlackAdapter) -> None:
    inbox = FakeDoor()
    async with listening(slack, adapter, inbox):
        ts = await slack.say("U0ANN", GENERAL, f"<@{slack.bot}> hello", files=("plan.pdf",))
        await slack.until(lambda: all_acked(slack))
    assert len(slack.sockets.deliveries) == 2
    (message,) = inbox.messages
    assert (message.id, message.text, message.author.name) == (ts, "hello", "Ann")
    assert (message.channel.root, message.channel.name) == (ts, "general")
    assert message.channel.kind is ChannelKind.OPEN
    assert [file.name for file in message.files] == ["plan.pdf"]
    assert message.mentions_bot


async def test_a_mention_waits_for_its_twin_that_has_the_files(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    inbox = FakeDoor()
    async with listening(slack, adapter, inbox):
        event = {
            "user": "U0ANN",
            "text": f"<@{slack.bot}> look",
            "channel": GENERAL,
            "ts": "1763913600.000100",
        }
        await slack.sockets.deliver({**event, "type": "app_mention"})
        files = [{"id": "F1", "name": "plan.pdf"}]
        await slack.sockets.deliver({**event, "type": "message", "channel_type": "channel", "files": files})
        await slack.until(lambda: all_acked(slack))
    assert [[file.name for file in message.files] for message in inbox.messages] == [["plan.pdf"]]


async def test_a_mention_without_a_twin_is_heard_too(slack: SlackDouble, adapter: SlackAdapter) -> None:
    inbox = FakeDoor()
    async with listening(slack, adapter, inbox):
        event = {"user": "U0ANN", "text": f"<@{slack.bot}> hi", "channel": GENERAL, "ts": "1763913600.000100"}
        await slack.sockets.deliver({**event, "type": "app_mention"})
        await slack.until(lambda: all_acked(slack))
    assert [message.text for message in inbox.messages] == ["hi"]


@pytest.mark.parametrize("error", [StoreDown("no database"), RuntimeError("a fault of ours")])
async def test_what_cannot_be_kept_is_not_acknowledged_and_comes_again(
    slack: SlackDouble, adapter: SlackAdapter, error: Exception
) -> None:
    tried = asyncio.Event()

    class Door(FakeDoor):
        async def accept(self, message: Message) -> Accepted:
            tried.set()
            return await super().accept(message)

    inbox = Door()
    inbox.error = error
    async with listening(slack, adapter, inbox):
        await slack.say("U0ANN", DIRECT, "hello")
        await tried.wait()
        await slack.say("U0BEA", "C0GENERAL", "a later event is not held up")
        assert not slack.sockets.deliveries[0].acked
        inbox.error = None
        await slack.sockets.redeliver()
        await slack.until(lambda: all_acked(slack))
    assert len(slack.sockets.deliveries[0].envelopes) == 2
    assert [message.text for message in inbox.messages if message.channel.id == DIRECT] == ["hello"]


async def test_the_ack_comes_after_the_message_is_kept(slack: SlackDouble, adapter: SlackAdapter) -> None:
    kept, reached = asyncio.Event(), asyncio.Event()

    class SlowDoor(FakeDoor):
        async def accept(self, message: Message) -> Accepted:
            reached.set()
            await kept.wait()
            return await super().accept(message)

    async with listening(slack, adapter, SlowDoor()):
        await slack.say("U0ANN", DIRECT, "hello")
        await reached.wait()
        await slack.sockets.deliver({"type": "reaction_added"})  # acknowledged meanwhile
        await slack.until(lambda: slack.sockets.deliveries[1].acked)
        assert not slack.sockets.deliveries[0].acked
        kept.set()
        await slack.until(lambda: all_acked(slack))


async def test_a_message_that_is_delivered_again_changes_nothing(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    inbox = FakeDoor()
    async with listening(slack, adapter, inbox):
        await slack.say("U0ANN", DIRECT, "hello")
        await slack.until(lambda: all_acked(slack))
        slack.sockets.deliveries[0].acked = False
        await slack.sockets.redeliver()
        await slack.until(lambda: all_acked(slack))
    assert len(inbox.messages) == 1


async def test_messages_of_a_channel_stay_in_order(slack: SlackDouble, adapter: SlackAdapter) -> None:
    inbox = FakeDoor()
    slow = asyncio.Event()
    slack.fail("users.info", hold=slow)  # the first author's name takes long
    async with listening(slack, adapter, inbox):
        await slack.say("U0ANN", GENERAL, "first")
        await slack.say("U0BEA", GENERAL, "second")
        await slack.until(lambda: slack.called("users.info"))
        slow.set()
        await slack.until(lambda: all_acked(slack))
    assert [message.text for message in inbox.messages] == ["first", "second"]


@pytest.mark.parametrize(
    "event",
    [
        {"type": "message", "user": "U1"},
        {"type": "message", "channel": 7, "user": ["x"], "text": {"a": 1}, "ts": "x"},
        {"type": "message", "channel": "C1", "user": "U1", "text": "x", "ts": "never"},
        {"type": "app_mention", "channel": "C1", "user": "U1", "ts": None},
        {"type": "reaction_added", "item": {}},
        {"type": ["odd"]},
        {},
        "no event",
        None,
    ],
)
async def test_what_cannot_be_understood_is_acknowledged_and_named_only(
    slack: SlackDouble, adapter: SlackAdapter, event: Any
) -> None:
    inbox = FakeDoor()
    with capture_logs() as logs:
        async with listening(slack, adapter, inbox):
            await slack.sockets.deliver(event)
            await slack.until(lambda: all_acked(slack))
    assert inbox.messages == []
    assert any(line["event"].startswith(("slack_event_", "slack_envelope_")) for line in logs)


@pytest.mark.parametrize("payload", [[], "text", {"type": "odd"}])
async def test_an_odd_envelope_is_acknowledged(
    slack: SlackDouble, adapter: SlackAdapter, payload: Any
) -> None:
    async with listening(slack, adapter, FakeDoor()):
        delivery = await slack.sockets.deliver({})
        delivery.payload, delivery.acked = payload, False
        await slack.sockets.redeliver()
        await slack.until(lambda: delivery.acked)


async def test_an_edit_is_heard_as_the_same_message(slack: SlackDouble, adapter: SlackAdapter) -> None:
    heard: list[Message] = []

    class Ears(FakeDoor):
        async def accept(self, message: Message) -> Accepted:
            heard.append(message)
            return Accepted.NEW

    async with listening(slack, adapter, Ears()):
        ts = await slack.say("U0ANN", DIRECT, "helo")
        await slack.rewrite(DIRECT, ts, "hello")
        await slack.until(lambda: all_acked(slack))
    first, second = heard
    assert first.key == second.key
    assert (second.text, second.edited_at is not None) == ("hello", True)


async def test_no_text_and_no_token_gets_into_the_log(
    slack: SlackDouble, adapter: SlackAdapter, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with capture_logs() as logs:
        async with listening(slack, adapter, FakeDoor()):
            await slack.say("U0ANN", DIRECT, "very secret words")
            await slack.until(lambda: all_acked(slack))
    written = json.dumps(logs, default=str) + caplog.text
    assert "secret" not in written
    assert slack.bot_token not in written
