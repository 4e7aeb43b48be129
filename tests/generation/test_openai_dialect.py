"""What a server would not take is left out the next time, over the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.dialogue import Context, Line, Role
from bot.errors import BackendError, ContextTooLong
from bot.generation.openai import OpenAIBackend
from bot.generation.openai.dialect import Dialect
from tests.doubles.model import ModelDouble, Script, fault

QUESTION = Context(
    (
        Line(Role.SYSTEM, "Be kind."),
        Line(Role.PERSON, "Ann: one", "Ann"),
        Line(Role.PERSON, "Bob: two", "Bob"),
    ),
    answer_tokens=50,
)
OLD_LIMIT = fault(
    400,
    "unsupported_parameter",
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens'.",
)
NEW_LIMIT = Script(
    status=422,
    body={"detail": [{"type": "extra_forbidden", "loc": ["body", "max_completion_tokens"], "input": 50}]},
)
NO_OPTIONS = fault(400, "unknown_parameter", "Unknown parameter: 'stream_options'.")


@pytest.fixture
async def model() -> AsyncIterator[ModelDouble]:
    async with ModelDouble() as double:
        yield double


@pytest.fixture
async def backend(model: ModelDouble) -> AsyncIterator[OpenAIBackend]:
    backend = OpenAIBackend("double-1", model.url, "", 8_000, 500, retries=0)
    yield backend
    await backend.close()


async def ask(backend: OpenAIBackend) -> str:
    return "".join([delta.text async for delta in backend.stream(QUESTION)])


async def test_a_refused_limit_is_called_by_its_other_name_from_then_on(
    model: ModelDouble, backend: OpenAIBackend
) -> None:
    model.script(OLD_LIMIT)
    await ask(backend)
    await ask(backend)
    limits = [{key for key in heard.body if key.startswith("max_")} for heard in model.requests]
    assert limits == [{"max_tokens"}, {"max_completion_tokens"}, {"max_completion_tokens"}]


async def test_a_server_that_refuses_both_limits_is_asked_without(
    model: ModelDouble, backend: OpenAIBackend
) -> None:
    model.script(OLD_LIMIT, NEW_LIMIT)
    await ask(backend)
    assert not any(key.startswith("max_") for key in model.requests[2].body)


async def test_stream_options_are_dropped_where_they_are_refused(
    model: ModelDouble, backend: OpenAIBackend
) -> None:
    model.script(NO_OPTIONS)
    assert await ask(backend) == "You said: Bob: two"
    assert "stream_options" in model.requests[0].body
    assert "stream_options" not in model.requests[1].body


async def test_lines_of_one_role_are_joined_for_templates_that_want_them_to_alternate(
    model: ModelDouble, backend: OpenAIBackend
) -> None:
    model.script(fault(500, message="Conversation roles must alternate user/assistant/user/assistant/..."))
    await ask(backend)
    assert [message["role"] for message in model.requests[1].messages] == ["system", "user"]
    assert model.requests[1].question == "Ann: one\n\nBob: two"


async def test_instructions_are_put_into_the_question_where_there_is_no_system_role(
    model: ModelDouble, backend: OpenAIBackend
) -> None:
    model.script(fault(400, message="System role not supported"))
    await ask(backend)
    assert [message["role"] for message in model.requests[1].messages] == ["user"]
    assert model.requests[1].question.startswith("Be kind.\n\nAnn: one")


async def test_a_refusal_that_repeats_is_not_asked_again_for_ever(
    model: ModelDouble, backend: OpenAIBackend
) -> None:
    model.script(*[NO_OPTIONS] * 5)
    with pytest.raises(BackendError):
        await ask(backend)
    assert len(model.requests) == 2


async def test_a_long_context_that_mentions_the_limit_is_still_too_long(
    model: ModelDouble, backend: OpenAIBackend
) -> None:
    model.script(
        fault(
            400,
            message="'max_tokens' is too large: 500. This model's maximum context length is 512 tokens "
            "and your request has 400 input tokens; unsupported.",
        )
    )
    with pytest.raises(ContextTooLong):
        await ask(backend)
    assert len(model.requests) == 1


@pytest.mark.parametrize(
    ("address", "limit"),
    [
        ("https://api.openai.com/v1", "max_completion_tokens"),
        ("https://corner.openai.azure.com/openai/v1", "max_completion_tokens"),
        ("https://api.deepseek.example/v1", "max_tokens"),
        ("http://127.0.0.1:8000/v1", "max_tokens"),
    ],
)
def test_the_limits_first_name_follows_the_address(address: str, limit: str) -> None:
    assert Dialect(address).request("m", QUESTION)[limit] == 50
