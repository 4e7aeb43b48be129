"""Walks with a process that is told to stop: what it has begun is ended or handed over, nothing is lost."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

from tests.doubles.model import Gate, ModelDouble, Script
from tests.doubles.slack import BOT_TOKEN, SlackDouble
from tests.doubles.slack_signed import SECRET, SignedDeliveries
from tests.walks.conftest import Record
from tests.walks.program import Program
from tests.walks.test_slack import PLACE, said

WHOLE = "The whole answer, at last."
HELD_UP = 15.0  # seconds that a restart may delay an answer


@pytest.fixture
async def another(environment: dict[str, str], tmp_path: Path) -> AsyncIterator[Program]:
    """A second process beside the first."""
    started = Program({**environment, "BOT_DATA_DIR": str(tmp_path / "another")})
    yield started
    await started.kill()


async def test_an_answer_that_outlives_the_grace_is_handed_over_and_goes_on_in_the_same_post(
    slack: SlackDouble,
    model: ModelDouble,
    program: Program,
    another: Program,
    slack_environment: dict[str, str],
    record: Record,
) -> None:
    gate = Gate()
    model.script(
        Script(["The first half. ", "Then it stops. ", "never"], gate=gate, hold_after=2), Script(WHOLE)
    )
    await program.start(**slack_environment, BOT_WORK__GRACE_SECONDS="0.3")
    await slack.until(lambda: slack.sockets.open)
    ts = await slack.say("U0ANN", PLACE, "<@U0BOT> tell me")
    await gate.reached()
    await slack.until(lambda: slack.answers(PLACE, ts))
    half = [post.ts for post in slack.answers(PLACE, ts)]
    await another.start(**slack_environment)
    await program.says("Slack is connected")
    assert await program.terminate() == 0
    assert program.said("Stopping: 1 answer is still being written, for up to 0.3 s")
    assert program.said("turn_handed_over")
    await slack.until(lambda: said(slack, ts) == [WHOLE], seconds=HELD_UP)
    assert [post.ts for post in slack.answers(PLACE, ts)] == half
    assert await record.turns() == [("done", 1)]  # a try that was handed over does not count
    assert not list(slack.space.streams())
    assert not any(slack.space.statuses.values())
    assert not another.said("job_rescued")


async def test_a_second_ctrl_c_does_not_wait_for_running_answers(
    slack: SlackDouble, model: ModelDouble, program: Program, slack_environment: dict[str, str]
) -> None:
    gate = Gate()
    model.script(Script("never", gate=gate))
    await program.start(**slack_environment, BOT_WORK__GRACE_SECONDS="3600")
    await slack.until(lambda: slack.sockets.open)
    await slack.say("U0ANN", PLACE, "<@U0BOT> tell me")
    await gate.reached()
    program.signal(signal.SIGTERM)
    await program.says("Ctrl-C again ends at once")
    assert await program.interrupt() == -signal.SIGINT


async def test_what_slack_delivers_while_the_process_stops_is_kept_before_it_is_acknowledged(
    slack: SlackDouble, model: ModelDouble, program: Program, record: Record, database_url: str
) -> None:
    signed = {"BOT_SLACK__BOT_TOKEN": BOT_TOKEN, "BOT_SLACK__SIGNING_SECRET": SECRET}
    await program.start("run", "--role", "web", **signed, BOT_SLACK__API_URL=slack.api_url)
    slack.way = way = SignedDeliveries(f"{program.address}/slack/events")
    async with asyncio.timeout(10):
        while (await way.post(b"{}"))[0] == 503:  # noqa: ASYNC110 - only asking tells
            await asyncio.sleep(0.02)
    way.answers.clear()
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        await connection.execute("LOCK TABLE messages IN ACCESS EXCLUSIVE MODE")
        asking = asyncio.create_task(slack.say("U0ANN", "D0ANN", "are you there?"))
        await record.until("SELECT count(*) > 0 FROM pg_locks WHERE NOT granted")
        program.signal(signal.SIGTERM)
        await program.says("Stopping …")
        await connection.rollback()
    await asking
    assert way.answers == [200]
    assert await program.ended() == 0
    assert await record.rows("SELECT text FROM messages") == [("are you there?",)]
    assert not model.requests
