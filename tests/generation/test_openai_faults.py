"""Each fault of a model's server, over the wire: tried again where that helps, told where it does not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

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
    StreamCut,
)
from bot.generation.openai.reading import WordlessAnswer
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


@pytest.fixture
async def silenced(model: ModelDouble) -> AsyncIterator[Bench]:
    bench = Bench(model, first_token_seconds=0.3)
    yield bench
    await bench.backend.close()


@pytest.fixture
async def hasty(model: ModelDouble) -> AsyncIterator[Bench]:
    bench = Bench(model, next_token_seconds=0.4)
    yield bench
    await bench.backend.close()


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
        Script(raw=b"{}", content_type="application/json"),
        Script(raw=b"[]", content_type="application/json"),
        Script(raw=b'{"error": {"message": "boom"}}', content_type="application/json"),
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
    bench.model.script(fault(429, Retry_After="1.5"), fault(503, Retry_After="0.5"))
    bench.model.answer("fine")
    assert await bench.text() == "fine"
    assert bench.waits.seconds == [1.5, 0.5]


async def test_a_longer_retry_after_is_for_the_caller(bench: Bench) -> None:
    bench.model.script(fault(429, Retry_After="7"))
    _, error = await bench.until_it_fails()
    assert isinstance(error, RateLimited)
    assert error.retry_after == 7.0
    assert bench.waits.seconds == []


async def test_silence_before_the_first_token_is_tried_once_more(silenced: Bench) -> None:
    silenced.model.script(SILENT, SILENT)
    text, error = await silenced.until_it_fails()
    assert type(error) is BackendSilent
    assert text == ""
    assert len(silenced.model.requests) == 2
    await silenced.model.requests[0].gone()


async def test_a_server_that_only_keeps_the_connection_alive_is_silent(silenced: Bench) -> None:
    silenced.model.script(*[Script(raw=b": still here\n\n", silent_after=0)] * 2)
    _, error = await silenced.until_it_fails()
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
    hasty.model.script(*[Script("never", thoughts=["let me", " see"], silent_after=0)] * 2)
    began = asyncio.get_running_loop().time()
    text, error = await hasty.until_it_fails()
    assert (text, type(error)) == ("", BackendSilent)
    # After the thoughts the clock was that of the next token, not that of the first one.
    assert asyncio.get_running_loop().time() - began < 5.0
    hasty.model.script(Script("done", thoughts=["let me see"]))
    assert await hasty.text() == "done"


async def test_a_reader_who_takes_his_time_does_not_cut_the_answer(hasty: Bench) -> None:
    gate = Gate()
    hasty.model.script(Script("one two", gate=gate, hold_after=1))
    text = ""
    async for delta in hasty.backend.stream(QUESTION):
        text += delta.text
        if text == "one":
            await asyncio.sleep(0.6)  # longer than the next token may take
            gate.release()
    assert text == "one two"


async def test_errors_hold_neither_key_nor_text(bench: Bench) -> None:
    bench.model.script(fault(422, message="bad input: 'How are you?' with key secret"))
    _, error = await bench.until_it_fails()
    assert "How are you" not in str(error)
    assert "secret" not in str(error)
