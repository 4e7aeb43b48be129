"""What is sent to which family of models, and what is learnt where that was wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.dialogue import Context, Line, Role
from bot.errors import BackendError
from bot.generation.openai import Wishes
from bot.generation.openai.dialect import Dialect
from bot.generation.openai.habits import habits_of, thinking
from tests.doubles.model import ModelDouble, Script, fault
from tests.generation.openai_bench import Bench

ASKED = Context((Line(Role.SYSTEM, "s"), Line(Role.PERSON, "a")), 100)
OPENAI, STUDIO, OWN = (
    "https://api.openai.com/v1",
    "https://dashscope-intl.aliyuncs.com/v1",
    "http://10.0.0.7/v1",
)


@pytest.fixture
async def model() -> AsyncIterator[ModelDouble]:
    async with ModelDouble(models=()) as double:
        yield double


def body(name: str, address: str = OWN, **wishes: object) -> dict[str, object]:
    return Dialect(address, Wishes(**wishes)).request(name, ASKED)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["gpt-5-mini", "gpt-5.4", "o3", "o4-mini", "gpt-6-astra"])
def test_openais_reasoning_models_get_room_to_think_and_no_temperature(name: str) -> None:
    sent = body(name, OPENAI, temperature=0.3)
    assert "temperature" not in sent
    assert sent["max_completion_tokens"] == 900
    assert sent["messages"] == [{"role": "developer", "content": "s"}, {"role": "user", "content": "a"}]


@pytest.mark.parametrize("name", ["gpt-4.1", "own-model", "qwen3-max", "gpt-5-chat-latest"])
def test_others_get_neither_room_nor_the_developers_role(name: str) -> None:
    sent = body(name, OPENAI)
    assert sent["max_completion_tokens"] == 100
    assert "developer" not in str(sent["messages"])


def test_a_model_told_not_to_think_needs_no_room_for_it() -> None:
    assert body("gpt-5-mini", OPENAI, effort="none")["max_completion_tokens"] == 100


def test_the_room_to_think_has_a_bound() -> None:
    long = Context(ASKED.lines, 30_000)
    assert Dialect(OPENAI).request("gpt-5", long)["max_completion_tokens"] == 46_384


def test_behind_a_server_of_ones_own_the_system_role_stays_and_no_room_is_taken_for_granted() -> None:
    sent = body("openai/gpt-oss-20b", OWN)
    assert sent["messages"][0]["role"] == "system"  # type: ignore[index]
    assert sent["max_tokens"] == 100


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("deepseek-v4-pro", "https://api.deepseek.com"),
        ("openai/gpt-oss-120b", "https://api.groq.com/openai/v1"),
    ],
)
def test_other_vendors_reasoning_models_get_room_too(name: str, address: str) -> None:
    assert body(name, address)["max_tokens"] == 900


def test_a_temperature_is_sent_where_it_is_taken() -> None:
    assert body("gpt-4.1", OPENAI, temperature=0.3)["temperature"] == 0.3
    assert "temperature" not in body("gpt-4.1", OPENAI)


@pytest.mark.parametrize(
    ("name", "address", "effort", "sent"),
    [
        ("gpt-5-mini", OPENAI, "", {}),
        ("gpt-5-mini", OPENAI, "low", {"reasoning_effort": "low"}),
        ("unheard-of", OWN, "low", {"reasoning_effort": "low"}),
        ("qwen-plus", STUDIO, "high", {"enable_thinking": True}),
        ("qwen-plus", STUDIO, "none", {"enable_thinking": False}),
        ("Qwen/Qwen3-8B", OWN, "none", {"chat_template_kwargs": {"enable_thinking": False}}),
        ("deepseek-v4-pro", OWN, "none", {"thinking": {"type": "disabled"}}),
        ("deepseek-v4-pro", OWN, "max", {"thinking": {"type": "enabled"}, "reasoning_effort": "max"}),
        ("glm-4.6", OWN, "none", {"thinking": {"type": "disabled"}}),
    ],
)
def test_effort_is_said_in_each_vendors_words(
    name: str, address: str, effort: str, sent: dict[str, object]
) -> None:
    assert thinking(habits_of(name), address, effort) == sent


@pytest.mark.parametrize(
    ("wishes", "refusal", "name"),
    [
        (
            Wishes(temperature=0.3),
            fault(400, "unsupported_value", "'temperature' does not support 0.3 with this model."),
            "temperature",
        ),
        (
            Wishes(effort="low"),
            fault(400, "unsupported_parameter", "Unrecognized request argument supplied: reasoning_effort"),
            "reasoning_effort",
        ),
        (
            Wishes(responses=True),
            Script(status=422, body={"detail": [{"type": "extra_forbidden", "loc": ["body", "store"]}]}),
            "store",
        ),
        (
            Wishes(responses=True, effort="low"),
            fault(400, "unsupported_parameter", "'reasoning.effort' is not supported with this model."),
            "reasoning",
        ),
    ],
)
async def test_a_refused_parameter_is_left_out_from_then_on(
    model: ModelDouble, wishes: Wishes, refusal: Script, name: str
) -> None:
    bench = Bench(model, wishes=wishes)
    model.script(refusal)
    assert await bench.text() == "You said: How are you?"
    assert await bench.text() == "You said: How are you?"
    assert [name in heard.body for heard in model.requests] == [True, False, False]
    await bench.backend.close()


async def test_a_word_that_is_also_a_parameters_name_teaches_nothing(model: ModelDouble) -> None:
    bench = Bench(model, wishes=Wishes(responses=True, effort="low"), retries=0)
    model.script(
        fault(400, message="This is not supported: thinking and reasoning of that sort, in store now.")
    )
    with pytest.raises(BackendError):
        await bench.text()
    assert len(model.requests) == 1
    await bench.backend.close()


async def test_a_server_that_refuses_everything_is_asked_a_bounded_number_of_times(
    model: ModelDouble,
) -> None:
    names = "'temperature' reasoning_effort stream_options max_tokens max_completion_tokens developer role"
    bench = Bench(model, name="own", wishes=Wishes(temperature=0.1, effort="low"), retries=0)
    model.script(*[fault(400, message=f"Unsupported, alternate system: {names}")] * 30)
    with pytest.raises(BackendError):
        await bench.text()
    assert len(model.requests) < 12
    await bench.backend.close()
