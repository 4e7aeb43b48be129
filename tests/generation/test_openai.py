"""Answers from an OpenAI-compatible server, over the wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from bot.dialogue import Context, Delta, Line, Role, Usage
from bot.errors import (
    KeyRefused,
    ModelMissing,
    SettingError,
)
from bot.generation.openai import OpenAIBackend
from bot.ports import Backend, Checks
from tests.doubles.model import (
    Gate,
    ModelDouble,
    Script,
)
from tests.generation.openai_bench import QUESTION, Bench


@pytest.fixture
async def model() -> AsyncIterator[ModelDouble]:
    async with ModelDouble() as double:
        yield double


@pytest.fixture
async def bench(model: ModelDouble) -> AsyncIterator[Bench]:
    bench = Bench(model)
    yield bench
    await bench.backend.close()


async def test_an_answer_streams_and_ends_with_its_bill(bench: Bench) -> None:
    bench.model.answer(["Fine, ", "thank ", "you"])
    deltas = await bench.all()
    assert "".join(delta.text for delta in deltas) == "Fine, thank you"
    assert isinstance(deltas[-1].usage, Usage)
    assert deltas[-1].usage.completion_tokens > 0
    assert {delta.model for delta in deltas} == {"double-1"}
    assert not any(delta.fresh or delta.limited for delta in deltas)


async def test_text_arrives_while_the_model_still_writes(bench: Bench) -> None:
    gate = Gate()
    bench.model.script(Script(["first", " second"], gate=gate, hold_after=1))
    async with aclosing(bench.backend.stream(QUESTION)) as deltas:
        assert (await anext(deltas)).text == "first"
        await gate.reached()
        gate.release()
        assert (await anext(deltas)).text == " second"


async def test_lines_become_messages_without_a_name_field(bench: Bench) -> None:
    lines = (
        Line(Role.SYSTEM, "s"),
        Line(Role.PERSON, "Ann: a", "Ann"),
        Line(Role.BOT, "b"),
        Line(Role.PERSON, "c"),
    )
    await bench.text(Context(lines, 7))
    heard = await bench.model.asked()
    assert heard.messages == [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "Ann: a"},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": "c"},
    ]
    assert heard.body["max_tokens"] == 7
    assert heard.headers["Authorization"] == "Bearer secret"


async def test_it_keeps_the_ports_promises(bench: Bench) -> None:
    backend: Backend = bench.backend
    assert (backend.name, backend.context_tokens, backend.answer_tokens) == ("double-1", 8_000, 500)
    assert backend.metered
    assert backend.languages == frozenset()
    assert isinstance(bench.backend, Checks)


async def test_an_unnamed_model_is_the_first_that_the_server_lists(model: ModelDouble) -> None:
    model.models = ["alpha", "beta"]
    bench = Bench(model, name="")
    assert bench.backend.name == "default"
    assert (await bench.all())[-1].model == "alpha"
    assert bench.backend.name == "alpha"
    await bench.backend.close()


async def test_an_unnamed_model_of_a_server_without_a_list_is_called_default(model: ModelDouble) -> None:
    model.lists_models, model.models = False, []
    bench = Bench(model, name="")
    await bench.text()
    assert model.requests[0].body["model"] == "default"
    await bench.backend.close()


async def test_an_unnamed_model_is_looked_up_again_when_the_server_changed_it(model: ModelDouble) -> None:
    bench = Bench(model, name="")
    await bench.text()
    model.models = ["newer"]
    _, error = await bench.until_it_fails()
    assert isinstance(error, ModelMissing)
    assert (await bench.all())[-1].model == "newer"
    await bench.backend.close()


async def test_an_answer_at_its_length_limit_says_so(bench: Bench) -> None:
    bench.model.script(Script("half an", finish="length"))
    deltas = await bench.all()
    assert deltas[-1].limited
    assert "".join(delta.text for delta in deltas) == "half an"


async def test_a_missing_bill_is_no_failure(bench: Bench) -> None:
    bench.model.script(Script("fine", usage=False))
    assert (await bench.all())[-1] == Delta(model="double-1")


async def test_a_stream_that_ends_without_done_is_whole_if_it_was_finished(bench: Bench) -> None:
    bench.model.script(Script("fine", done=False, usage=False))
    assert await bench.text() == "fine"


async def test_a_reader_who_leaves_closes_the_connection(bench: Bench) -> None:
    bench.model.script(Script("one two", silent_after=1))
    async with aclosing(bench.backend.stream(QUESTION)) as deltas:
        assert (await anext(deltas)).text == "one"
    await bench.model.requests[0].gone()
    assert not bench.model.requests[0].whole


async def test_a_cancelled_answer_closes_the_connection(bench: Bench) -> None:
    gate = Gate()
    bench.model.script(Script("one", gate=gate))
    task = asyncio.create_task(bench.text())
    await gate.reached()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await bench.model.requests[0].gone()


async def test_a_thinking_block_in_the_text_is_hidden(bench: Bench) -> None:
    bench.model.answer(["<th", "ink>hm, ", "so</thi", "nk>\n\n", "Yes"])
    assert await bench.text() == "Yes"


async def test_a_server_that_does_not_stream_is_read_whole(bench: Bench) -> None:
    body = (
        b'{"choices":[{"message":{"role":"assistant","content":"all at once"},"finish_reason":"stop"}],'
        b'"usage":{"prompt_tokens":3,"completion_tokens":2}}'
    )
    bench.model.script(Script(raw=body, content_type="application/json"))
    deltas = await bench.all()
    assert deltas[0].text == "all at once"
    assert deltas[-1].usage == Usage(3, 2)


async def test_a_server_on_this_machine_is_not_asked_through_a_proxy(
    model: ModelDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    bench = Bench(model)
    assert await bench.text() == "You said: How are you?"
    await bench.backend.close()


async def test_connections_are_used_again(bench: Bench) -> None:
    for _ in range(3):
        await bench.text()
    assert len({heard.port for heard in bench.model.requests}) == 1


async def test_many_answers_run_at_once(bench: Bench) -> None:
    gate = Gate()
    bench.model.script(*[Script("done", gate=gate)] * 50)
    tasks = [asyncio.create_task(bench.text()) for _ in range(50)]
    await bench.model.asked(50)
    gate.release()
    assert await asyncio.gather(*tasks) == ["done"] * 50


async def test_a_key_that_is_none_is_refused_without_a_request(model: ModelDouble) -> None:
    bench = Bench(model, api_key="sk-…")
    _, error = await bench.until_it_fails()
    assert type(error) is KeyRefused
    assert model.requests == []
    await bench.backend.close()


@pytest.mark.parametrize(
    "address", ["http://[", "localhost:8000/v1", "https://", "model.example/v1", "http://a:b/"]
)
def test_an_address_that_is_none_names_its_setting(address: str) -> None:
    with pytest.raises(SettingError, match="BOT_MODEL__BASE_URL"):
        OpenAIBackend("m", address, "", 1_000, 100)
