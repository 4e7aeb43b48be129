"""Walks where nobody listened for a while: what people wrote is answered all the same, once, and in order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.app.running import Standing
from tests.doubles.model import ModelDouble
from tests.doubles.slack import SlackDouble
from tests.walks.conftest import Opener, Record
from tests.walks.test_slack import PLACE, said

HEARD = "SELECT count(*) = 1 FROM marks WHERE place = ''"
MENTION = "<@U0BOT> "


def forget(slack: SlackDouble) -> None:
    """Have Slack deliver nothing again of what it could not deliver."""
    slack.sockets.deliveries.clear()


def both(slack: SlackDouble, *threads: str) -> Callable[[], bool]:
    return lambda: all(said(slack, ts) for ts in threads)


async def test_what_was_written_during_a_downtime_is_answered_once_and_in_order(
    slack: SlackDouble,
    model: ModelDouble,
    house: Opener,
    slack_environment: dict[str, str],
    record: Record,
) -> None:
    async with house(**slack_environment):
        await slack.until(lambda: slack.sockets.open)
        known = await slack.say("U0ANN", PLACE, MENTION + "before")
        await slack.until(both(slack, known))
        await record.turns()
        await record.until(HEARD)
    asked = await slack.say("U0BEA", PLACE, MENTION + "meanwhile")
    await slack.say("U0ANN", PLACE, "and this?", thread=known)
    gone = await slack.say("U0ANN", PLACE, MENTION + "forget it")
    await slack.delete(PLACE, gone)
    await slack.say("U0ANN", PLACE, "lunch, anybody?")
    await slack.say("U0ANN", "D0ANN", "are you there?")
    forget(slack)
    async with house(**slack_environment):
        await slack.until(lambda: len(said(slack, known)) == 2 and both(slack, asked)())
        await slack.until(lambda: [post for post in slack.answers("D0ANN") if not post.streaming])
        states = await record.turns_of(4)
    assert [state for state, _ in states] == ["done"] * 4
    kept = await record.rows("SELECT text FROM messages WHERE NOT said ORDER BY id")
    assert kept == [("before",), ("meanwhile",), ("and this?",), ("are you there?",)]


async def test_what_was_missed_comes_before_what_is_written_after_it(
    slack: SlackDouble, model: ModelDouble, slack_house: Standing, record: Record
) -> None:
    await record.until(HEARD)
    slack.fail("apps.connections.open", status=503)
    await slack.sockets.drop()
    await slack.until(lambda: not slack.sockets.open)
    await slack.say("U0ANN", "D0ANN", "first")
    forget(slack)
    slow = asyncio.Event()
    slack.fail("users.conversations", hold=slow)
    await slack.until(lambda: slack.sockets.open)
    await slack.say("U0ANN", "D0ANN", "second")
    await record.until("SELECT count(*) = 2 FROM messages WHERE NOT said")
    slow.set()
    await record.turns()
    kept = await record.rows("SELECT text FROM messages WHERE NOT said ORDER BY position")
    assert kept == [("first",), ("second",)]


async def test_of_three_processes_one_fetches(
    slack: SlackDouble,
    model: ModelDouble,
    house: Opener,
    slack_environment: dict[str, str],
    record: Record,
) -> None:
    async with house(**slack_environment):
        await record.until(HEARD)
    ts = await slack.say("U0ANN", PLACE, MENTION + "hello?")
    forget(slack)
    await record.rows("UPDATE marks SET seen_until = now() - interval '1 hour' RETURNING 1")
    slow = asyncio.Event()
    slack.fail("users.conversations", hold=slow)
    async with AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(house(**slack_environment))
        await slack.until(lambda: len(slack.sockets.open) == 3)
        await record.until("SELECT max(started_at) < now() - interval '2 seconds' FROM processes")
        slow.set()
        await slack.until(both(slack, ts))
        assert await record.turns() == [("done", 1)]
        await record.until("SELECT seen_until > now() - interval '20 seconds' FROM marks WHERE place = ''")
    kinds = [call["types"] for call in slack.called("users.conversations")]
    assert kinds == list(dict.fromkeys(kinds))


async def test_what_waited_longer_than_an_hour_is_answered_with_a_word_that_it_is_late(
    slack: SlackDouble,
    model: ModelDouble,
    house: Opener,
    slack_environment: dict[str, str],
    record: Record,
) -> None:
    model.answer("Paris.")
    async with house(**slack_environment):
        await record.until(HEARD)
    await record.rows("UPDATE marks SET seen_until = now() - interval '3 hours' RETURNING 1")
    now = slack.space.stamp
    ts = f"{(datetime.now(UTC) - timedelta(hours=2)).timestamp():.6f}"
    slack.space.stamp = lambda: ts  # type: ignore[method-assign]
    await slack.say("U0ANN", PLACE, MENTION + "what is the capital of France?")
    slack.space.stamp = now  # type: ignore[method-assign]
    forget(slack)
    async with house(**slack_environment):
        await slack.until(both(slack, ts))
        await record.turns()
    assert said(slack, ts) == ["Sorry, this answer comes late.\n\nParis."]
    assert await record.rows("SELECT text FROM messages WHERE said") == [("Paris.",)]


async def test_a_follow_up_that_comes_before_its_mention_is_answered_after_it(
    slack: SlackDouble, model: ModelDouble, slack_house: Standing, record: Record
) -> None:
    deliver, late = slack.sockets.deliver, []

    async def held(event: Any, **more: Any) -> None:
        late.append(event)

    slack.sockets.deliver = held  # type: ignore[method-assign,assignment]
    ts = await slack.say("U0ANN", PLACE, MENTION + "one")
    slack.sockets.deliver = deliver  # type: ignore[method-assign]
    await slack.say("U0ANN", PLACE, "and two?", thread=ts)
    await slack.until(lambda: all(delivery.acked for delivery in slack.sockets.deliveries))
    assert await record.rows("SELECT text FROM messages") == []
    for event in late:
        await deliver(event)
    await record.until("SELECT count(*) = 2 FROM messages WHERE NOT said AND turn_id IS NOT NULL")
    await record.turns()  # one for both, where the second came before the first text
    assert "and two?" in said(slack, ts)[-1]
    kept = await record.rows("SELECT text FROM messages WHERE NOT said ORDER BY position")
    assert kept == [("one",), ("and two?",)]
