"""What `bot doctor` says of a model's server."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.dialogue import Finding
from bot.generation.openai import OpenAIBackend, Wishes
from tests.doubles.model import BAD_KEY, DOWN, QUOTA, SILENT, ModelDouble, Script, fault
from tests.fakes import in_english


@pytest.fixture
async def model() -> AsyncIterator[ModelDouble]:
    async with ModelDouble(models=("double-1", "double-2"), key="right") as double:
        yield double


async def look(
    model: ModelDouble, name: str = "double-1", key: str = "right", seconds: float = 10.0
) -> list[Finding]:
    backend = OpenAIBackend(name, model.url, key, 8_000, 500, first_token_seconds=seconds)
    try:
        return [finding async for finding in backend.check(in_english)]
    finally:
        await backend.close()


async def test_all_is_well(model: ModelDouble) -> None:
    server, answers = await look(model)
    assert server.well
    assert model.url in server.text
    assert answers.well
    assert "double-1" in answers.text
    assert model.requests[0].body["max_tokens"] <= 16


async def test_an_unnamed_model_is_told_by_its_name(model: ModelDouble) -> None:
    findings = await look(model, name="")
    assert [finding.well for finding in findings] == [True, True]
    assert "double-1" in findings[1].text


async def test_a_model_that_only_thinks_is_well(model: ModelDouble) -> None:
    model.script(Script("", thoughts=["hm"], finish="length"))
    assert all(finding.well for finding in await look(model))


async def test_a_server_without_a_list_is_judged_by_its_answer(model: ModelDouble) -> None:
    model.lists_models = False
    assert [finding.well for finding in await look(model)] == [True, True]


async def test_a_server_that_is_down_names_the_address(model: ModelDouble) -> None:
    await model.stop()
    (finding,) = await look(model)
    assert not finding.well
    assert model.url in finding.text
    assert "BOT_MODEL__BASE_URL" in finding.cure


async def test_a_wrong_key_names_its_setting_and_is_not_shown(model: ModelDouble) -> None:
    findings = await look(model, key="sk-wrong")
    assert not findings[-1].well
    assert "BOT_MODEL__API_KEY" in findings[-1].cure
    assert "sk-wrong" not in repr(findings)


async def test_a_missing_model_names_those_there_are(model: ModelDouble) -> None:
    finding = (await look(model, name="nope"))[-1]
    assert not finding.well
    assert "nope" in finding.text
    assert "BOT_MODEL__NAME" in finding.cure
    assert "double-1, double-2" in finding.cure


@pytest.mark.parametrize(
    ("script", "hint"),
    [
        (QUOTA, "top up"),
        (SILENT, "BOT_MODEL__FIRST_TOKEN_SECONDS"),
        (DOWN, "BOT_MODEL__BASE_URL"),
        (fault(429), "BOT_MODEL__API_KEY"),
        (fault(400, message="odd"), "BOT_MODEL__NAME"),
        (BAD_KEY, "BOT_MODEL__API_KEY"),
    ],
)
async def test_each_fault_has_a_cure(model: ModelDouble, script: Script, hint: str) -> None:
    model.script(script)
    finding = (await look(model, seconds=0.5 if script is SILENT else 10.0))[-1]
    assert not finding.well
    assert hint in finding.cure
    assert len(model.requests) == 1  # a check tries once


async def test_a_server_is_looked_at_by_the_api_it_is_asked_by(model: ModelDouble) -> None:
    backend = OpenAIBackend("double-1", model.url, "right", 8_000, 500, wishes=Wishes(responses=True))
    findings = [finding async for finding in backend.check(in_english)]
    assert [finding.well for finding in findings] == [True, True]
    assert [heard.path for heard in model.requests] == ["/v1/responses"]
    await backend.close()


async def test_a_server_without_the_responses_api_names_the_setting(model: ModelDouble) -> None:
    model.script(fault(404, message="Not Found"))
    backend = OpenAIBackend("double-1", model.url, "right", 8_000, 500, wishes=Wishes(responses=True))
    finding = [finding async for finding in backend.check(in_english)][-1]
    assert not finding.well
    assert "BOT_MODEL__API" in finding.cure
    await backend.close()
