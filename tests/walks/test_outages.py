"""Walks through a full disk: nothing is acknowledged that is not kept, what was accepted is answered once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import LiteralString

import psycopg
from structlog.testing import capture_logs

from bot.app.running import Standing
from tests.doubles.model import ModelDouble
from tests.doubles.slack import SlackDouble
from tests.walks.conftest import Record
from tests.walks.test_slack import PLACE, said


@contextmanager
def full_disk(url: str, table: LiteralString) -> Iterator[None]:
    """Have writes to a table fail with the server's own error for a full disk."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_FULL)
        connection.execute(
            f"CREATE TRIGGER is_full BEFORE INSERT OR UPDATE ON {table} EXECUTE FUNCTION full_disk()"
        )
    yield
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP TRIGGER is_full ON {table}")


_FULL = """
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN
    RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100';
END $f$
"""


async def test_with_a_full_disk_slack_gets_no_ack_and_the_log_says_why(
    slack_house: Standing, slack: SlackDouble, model: ModelDouble, database_url: str
) -> None:
    model.answer("There is room again.")
    with capture_logs() as logs:
        with full_disk(database_url, "messages"):
            ts = await slack.say("U0ANN", PLACE, "<@U0BOT> are you there?")
            await slack.until(lambda: any(line["event"] == "slack_message_not_kept" for line in logs))
        assert not any(delivery.acked for delivery in slack.sockets.deliveries)
        told = [line["reason"] for line in logs if line["event"] == "slack_message_not_kept"]
        assert "its disk is full: make room" in told[0]
    async with asyncio.timeout(20):
        while not said(slack, ts):
            await slack.sockets.redeliver()
            await asyncio.sleep(0.1)
    assert said(slack, ts) == ["There is room again."]


async def test_a_disk_that_fills_up_under_an_answer_delays_it_and_no_more(
    slack_house: Standing, slack: SlackDouble, model: ModelDouble, record: Record, database_url: str
) -> None:
    model.answer("Here it is.")
    model.answer("Here it is.")
    with capture_logs() as logs:
        with full_disk(database_url, "pieces"):
            ts = await slack.say("U0ANN", PLACE, "<@U0BOT> are you there?")
            await slack.until(lambda: any(line["event"] == "job_failed" for line in logs), seconds=15)
        assert all(delivery.acked for delivery in slack.sockets.deliveries)
        assert said(slack, ts) == []
    await slack.until(lambda: said(slack, ts) == ["Here it is."], seconds=30)
    assert await record.turns_of(1) == [("done", 1)]  # a try that the full disk ended does not count
