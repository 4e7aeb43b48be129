"""Answers from an OpenAI-compatible server, over the wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from bot.dialogue import Context, Delta, Line, Role, Usage
from bot.errors import (
    AnswerRefused,
    BackendDown,
    BackendError,
    BackendSilent,
    ContextTooLong,
    KeyRefused,
    ModelMissing,
    QuotaSpent,
    RateLimited,
    SettingError,
    StreamCut,
)
from bot.generation.openai import OpenAIBackend
from bot.generation.openai.reading import WordlessAnswer
from bot.ports import Backend, Checks
from tests.doubles.model import (
    BAD_KEY,
    DOWN,
    FILTERED,
    GARBAGE,
    NO_MODEL,
    QUOTA,
    SILENT,
    TOO_LONG,
    Gate,
    ModelDouble,
    Script,
    fault,
)

QUESTION = Context((Line(Role.SYSTEM, "Be kind."), Line(Role.PERSON, "How are you?")), answer_tokens=99)


class Waits:
    """Stands in for sleeping and remembers how long it would have been."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


class Bench:
    """A backend on a double, quick to lose patience."""

    def __init__(self, model: ModelDouble, **given: object) -> None:
        self.model = model
        self.waits = Waits()
        settings: dict[str, object] = {
            "name": "double-1", "base_url": model.url, "api_key": "secret", "context_tokens": 8_000,
            "answer_tokens": 500, "first_token_seconds": 5.0, "next_token_seconds": 5.0, "sleep": self.waits,
        }  # fmt: skip
        self.backend = OpenAIBackend(**(settings | given))  # type: ignore[arg-type]

    async def all(self, context: Context = QUESTION) -> list[Delta]:
        return [delta async for delta in self.backend.stream(context)]

    async def text(self, context: Context = QUESTION) -> str:
        return "".join(delta.text for delta in await self.all(context))

    async def until_it_fails(self) -> tuple[str, BackendError]:
        text = ""
        try:
            async for delta in self.backend.stream(QUESTION):
                text += delta.text
        except BackendError as error:
            return text, error
        pytest.fail(f"an answer came: {text}")


@pytest.fixture
async def model() -> AsyncIterator[ModelDouble]:
    async with ModelDouble() as double:
        yield double


@pytest.fixture
async def bench(model: ModelDouble) -> AsyncIterator[Bench]:
    bench = Bench(model)
    yield bench
    await bench.backend.close()


@pytest.fixture
async def hasty(model: ModelDouble) -> AsyncIterator[Bench]:
    bench = Bench(model, first_token_seconds=0.3, next_token_seconds=0.15)
    yield bench
    await bench.backend.close()


async def test_an_answer_streams_and_ends_with_its_bill(bench: Bench) -> None:
    bench.model.answer(["Fine, ", "thank ", "you"])
    deltas = await bench.all()
    assert [delta.text for delta in deltas] == ["Fine, ", "thank ", "you", ""]
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


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (QUOTA, QuotaSpent),
        (FILTERED, AnswerRefused),
        (TOO_LONG, ContextTooLong),
        (BAD_KEY, KeyRefused),
        (fault(403, message="Project has no access to this model"), KeyRefused),
        (NO_MODEL, ModelMissing),
        (fault(400, message="some parameter is odd"), BackendError),
        (Script("", finish="content_filter"), AnswerRefused),
        (Script("", thoughts=["hm"], finish="length"), WordlessAnswer),
        (Script("", error_after=(0, {"message": "filtered", "code": "content_filter"})), AnswerRefused),
    ],
)
async def test_what_no_retry_cures_is_told_at_once(
    bench: Bench, script: Script, kind: type[BackendError]
) -> None:
    bench.model.script(script)
    text, error = await bench.until_it_fails()
    assert type(error) is kind
    assert text == ""
    assert not error.passing
    assert len(bench.model.requests) == 1
    assert bench.waits.seconds == []


@pytest.mark.parametrize(
    "script",
    [
        DOWN,
        GARBAGE,
        fault(500),
        fault(502),
        fault(429, "rate_limit_exceeded"),
        Script("", cut_after=0),
        Script("", finish="stop"),
        Script("", finish=None),
        Script(" \n "),
        Script("", error_after=(0, {"message": "boom", "code": 502})),
        Script(status=502, body="<html>Bad gateway</html>"),
        Script(raw=b"<html>hello</html>", content_type="text/html"),
        Script(raw=b"data: [1]\n\n"),
        Script(raw=b"data: \xff\xfe\n\n"),
        Script(raw=b""),
    ],
)
async def test_what_passes_is_tried_again_before_the_first_text(bench: Bench, script: Script) -> None:
    bench.model.script(script)
    bench.model.answer("fine")
    assert await bench.text() == "fine"
    assert len(bench.model.requests) == 2
    assert 0.3 < bench.waits.seconds[0] < 0.7


async def test_tries_end_and_their_waits_grow(bench: Bench) -> None:
    bench.model.script(*[DOWN] * 4)
    _, error = await bench.until_it_fails()
    assert type(error) is BackendDown
    assert len(bench.model.requests) == 4
    first, second, third = bench.waits.seconds
    assert first < second < third


async def test_a_server_that_is_not_there_is_down(model: ModelDouble, bench: Bench) -> None:
    await model.stop()
    _, error = await bench.until_it_fails()
    assert type(error) is BackendDown
    await model.start()
    assert await bench.text() == "You said: How are you?"


async def test_retry_after_is_honoured(bench: Bench) -> None:
    bench.model.script(fault(429, Retry_After="7"), fault(503, Retry_After="0.5"))
    bench.model.answer("fine")
    assert await bench.text() == "fine"
    assert bench.waits.seconds == [7.0, 0.5]


async def test_a_retry_after_over_a_minute_is_for_the_caller(bench: Bench) -> None:
    bench.model.script(fault(429, Retry_After="61"))
    _, error = await bench.until_it_fails()
    assert isinstance(error, RateLimited)
    assert error.retry_after == 61.0
    assert bench.waits.seconds == []


async def test_silence_before_the_first_token_is_tried_once_more(hasty: Bench) -> None:
    hasty.model.script(SILENT, SILENT)
    text, error = await hasty.until_it_fails()
    assert type(error) is BackendSilent
    assert text == ""
    assert len(hasty.model.requests) == 2
    await hasty.model.requests[0].gone()


async def test_a_server_that_only_keeps_the_connection_alive_is_silent(hasty: Bench) -> None:
    hasty.model.script(*[Script(raw=b": still here\n\n", silent_after=0)] * 2)
    _, error = await hasty.until_it_fails()
    assert type(error) is BackendSilent


async def test_silence_in_mid_stream_is_a_cut(hasty: Bench) -> None:
    hasty.model.script(Script("one two three", silent_after=2))
    text, error = await hasty.until_it_fails()
    assert type(error) is StreamCut
    assert text == "one two"
    assert len(hasty.model.requests) == 1


@pytest.mark.parametrize(
    "script",
    [
        Script("one two three", cut_after=2),
        Script(["one", " two"], finish=None),
        Script(["one", " two"], error_after=(2, {"message": "overloaded", "code": 529})),
        Script(["one", " two"], finish="insufficient_system_resource"),
    ],
)
async def test_what_breaks_off_after_text_is_a_cut_and_not_tried_again(bench: Bench, script: Script) -> None:
    bench.model.script(script)
    text, error = await bench.until_it_fails()
    assert type(error) is StreamCut
    assert text == "one two"
    assert len(bench.model.requests) == 1


async def test_a_filter_that_stops_an_answer_midway_is_told_as_such(bench: Bench) -> None:
    bench.model.script(Script("one two", finish="content_filter"))
    text, error = await bench.until_it_fails()
    assert (text, type(error)) == ("one two", AnswerRefused)


async def test_thoughts_are_signs_of_life_and_are_not_shown(hasty: Bench) -> None:
    gate = Gate()
    hasty.model.script(Script("done", thoughts=["let me see"], gate=gate))
    reading = asyncio.create_task(hasty.text())
    await gate.reached()
    gate.release()
    assert await reading == "done"


async def test_a_reader_who_takes_his_time_does_not_cut_the_answer(hasty: Bench) -> None:
    gate = Gate()
    hasty.model.script(Script("one two", gate=gate, hold_after=1))
    text = ""
    async for delta in hasty.backend.stream(QUESTION):
        text += delta.text
        if text == "one":
            await asyncio.sleep(0.2)  # longer than the next token may take
            gate.release()
    assert text == "one two"


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


async def test_errors_hold_neither_key_nor_text(bench: Bench) -> None:
    bench.model.script(fault(422, message="bad input: 'How are you?' with key secret"))
    _, error = await bench.until_it_fails()
    assert "How are you" not in str(error)
    assert "secret" not in str(error)
