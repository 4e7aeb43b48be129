"""A message that came late, or after replies to it, has its thread looked at; any other has not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.adapters.slack.overtaken import REMEMBERED, Overtaken
from bot.dialogue import Accepted, Author, Channel, ChannelKind, Message, Platform

ROOT = "10.0"


def said(
    ts: str, root: str = ROOT, kind: ChannelKind = ChannelKind.THREAD, *, age: float = 0, calls: bool = True
) -> Message:
    channel = Channel(Platform.SLACK, "T1", "C1", root, kind)
    sent_at = datetime.now(UTC) - timedelta(seconds=age)
    return Message(ts, channel, Author("U1", "Ann"), "hello", sent_at, mentions_bot=calls)


def test_a_mention_that_comes_in_time_was_not_overtaken() -> None:
    assert not Overtaken().may_have(said(ROOT), Accepted.NEW)


@pytest.mark.parametrize("accepted", [Accepted.NEW, Accepted.JOINED, Accepted.KNOWN])
def test_a_late_mention_may_have_been(accepted: Accepted) -> None:
    assert Overtaken().may_have(said(ROOT, age=60), accepted)


def test_a_thread_that_went_on_before_is_looked_at_once() -> None:
    overtaken = Overtaken()
    assert not overtaken.may_have(said("11.0", calls=False), Accepted.IGNORED)
    assert not overtaken.may_have(said("12.0", "12.0"), Accepted.NEW)
    assert overtaken.may_have(said(ROOT), Accepted.NEW)
    assert not overtaken.may_have(said(ROOT), Accepted.KNOWN)


def test_in_direct_messages_and_without_a_mention_order_is_no_matter() -> None:
    overtaken = Overtaken()
    assert not overtaken.may_have(said("1.0", "", ChannelKind.DIRECT, age=60), Accepted.NEW)
    assert not overtaken.may_have(said("11.0", age=60, calls=False), Accepted.NEW)
    assert not overtaken.may_have(said("11.0", age=60), Accepted.REVISED)


def test_what_is_remembered_is_bounded() -> None:
    overtaken = Overtaken()
    for number in range(REMEMBERED + 1):
        overtaken.may_have(said("1.0", f"{number}.0", calls=False), Accepted.IGNORED)
    assert not overtaken.may_have(said("1.0", "0.0"), Accepted.NEW)
    assert overtaken.may_have(said("1.0", "1.0"), Accepted.NEW)
