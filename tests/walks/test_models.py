"""Walks with a model that thinks, asked by the Responses API, and with the answer's cost on record."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from tests.doubles.model import ModelDouble, Script
from tests.doubles.slack import SlackDouble
from tests.walks.conftest import Opener, Record
from tests.walks.test_slack import PLACE, said

PRICES = """
[here]
date = 2026-11-23
source = "this test"
[here.models]
"double-1" = { input = 1, output = 1000 }
"""


async def test_a_thinking_model_answers_with_its_thoughts_folded_and_its_cost_on_record(
    slack: SlackDouble,
    model: ModelDouble,
    house: Opener,
    slack_environment: dict[str, str],
    record: Record,
    tmp_path: Path,
) -> None:
    prices = tmp_path / "prices.toml"
    prices.write_text(PRICES, "utf-8")
    wishes = {
        "BOT_MODEL__API": "responses",
        "BOT_MODEL__THINKING": "folded",
        "BOT_MODEL__EFFORT": "low",
        "BOT_MODEL__PRICES": str(prices),
    }
    model.script(Script("Paris.", thoughts=["A capital ", "is asked for."]), Script("Two million."))
    async with house(**slack_environment, **wishes):
        await slack.until(lambda: slack.sockets.open)
        ts = await slack.say("U0ANN", PLACE, "<@U0BOT> what is the capital of France?")
        await slack.until(lambda: said(slack, ts))
        await slack.say("U0ANN", PLACE, "<@U0BOT> and how many live there?", thread=ts)
        await slack.until(lambda: len(said(slack, ts)) == 2)
        await record.turns_of(2)
    first, second = said(slack, ts)
    assert first.startswith("Paris.")
    assert "A capital is asked for." in first
    assert second == "Two million."
    heard = model.requests[1]
    assert heard.path == "/v1/responses"
    assert heard.body["reasoning"] == {"effort": "low", "summary": "auto"}
    assert "A capital" not in str(heard.body)  # thoughts are never read again
    kept = await record.rows("SELECT text FROM messages WHERE said ORDER BY position")
    assert kept == [("Paris.",), ("Two million.",)]
    rows = await record.rows(
        "SELECT prompt_tokens, completion_tokens, reasoning_tokens, cost FROM turns ORDER BY id"
    )
    for read, written, thought, cost in rows:
        assert cost == (Decimal(read) + 1000 * Decimal(written)) / 1_000_000
        assert thought <= written
    assert rows[0][2] > 0
    ((day,),) = await record.rows("SELECT cost FROM spending")
    assert day == sum(row[3] for row in rows)
