"""Asked by the Responses API, over the wire: what is sent, what comes back, and every fault as by chat."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.dialogue import Context, Line, Picture, Role
from bot.errors import AnswerRefused, BackendDown, BackendError, BackendSilent, StreamCut
from bot.generation.openai import Wishes
from bot.generation.openai.chunks import Step
from bot.generation.openai.reading import WordlessAnswer
from bot.generation.openai.responses import read_event
from tests.doubles.model import DOWN, GARBAGE, ModelDouble, Script, fault
from tests.generation.openai_bench import QUESTION, Bench

RESPONSES = Wishes(responses=True)
SAID = {"type": "message", "content": [{"type": "output_text", "text": "all"}]}
WHOLE = {"object": "response", "status": "completed", "output": [{"type": "reasoning"}, SAID]}


@pytest.fixture
async def model() -> AsyncIterator[ModelDouble]:
    async with ModelDouble() as double:
        yield double


@pytest.fixture
async def bench(model: ModelDouble) -> AsyncIterator[Bench]:
    bench = Bench(model, wishes=RESPONSES)
    yield bench
    await bench.backend.close()


async def test_an_answer_streams_and_ends_with_its_bill(bench: Bench) -> None:
    bench.model.script(Script(["Fine, ", "thank ", "you"], thoughts=["polite", "ness"]))
    deltas = await bench.all()
    assert "".join(delta.text for delta in deltas) == "Fine, thank you"
    usage = deltas[-1].usage
    assert usage is not None
    assert usage.prompt_tokens > 0
    assert usage.reasoning_tokens == 2


async def test_nothing_is_stored_and_instructions_stand_apart(bench: Bench) -> None:
    lines = (Line(Role.SYSTEM, "s"), Line(Role.PERSON, "a"), Line(Role.BOT, "b"), Line(Role.PERSON, "c"))
    assert await bench.text(Context(lines, 70)) == "You said: c"
    heard = await bench.model.asked()
    assert heard.path == "/v1/responses"
    assert heard.body == {
        "model": "double-1",
        "stream": True,
        "store": False,
        "instructions": "s",
        "input": [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": "b"},
            {"role": "user", "content": "c"},
        ],
        "max_output_tokens": 70,
    }


async def test_a_picture_is_an_input_image(model: ModelDouble) -> None:
    bench = Bench(model, wishes=RESPONSES, sees=True)
    picture = Picture("cat.png", "image/png", b"\x89PNG")
    await bench.text(Context((Line(Role.PERSON, "what is it?", pictures=(picture,)),), 70))
    (message,) = (await model.asked()).messages
    assert message["content"] == [
        {"type": "input_text", "text": "what is it?"},
        {"type": "input_image", "image_url": "data:image/png;base64,iVBORw=="},
    ]
    await bench.backend.close()


async def test_effort_and_thoughts_are_asked_for_and_left_out_where_refused(model: ModelDouble) -> None:
    bench = Bench(model, wishes=Wishes(responses=True, effort="low", tells_thoughts=True))
    model.script(
        fault(400, "unsupported_value", "Your organization must be verified to use 'reasoning.summary'."),
        Script("Fine.", thoughts=["hm"]),
    )
    deltas = await bench.all()
    assert [heard.body["reasoning"] for heard in model.requests] == [
        {"effort": "low", "summary": "auto"},
        {"effort": "low"},
    ]
    assert "".join(delta.thought for delta in deltas) == "hm"
    await bench.backend.close()


async def test_an_answer_at_its_limit_says_so(bench: Bench) -> None:
    bench.model.script(Script("half an", finish="length"))
    assert (await bench.all())[-1].limited


@pytest.mark.parametrize(
    ("script", "kind", "text"),
    [
        (Script("One", finish="content_filter"), AnswerRefused, "One"),
        (Script("", thoughts=["hm"], finish="length"), WordlessAnswer, ""),
        (Script("One two", cut_after=1), StreamCut, "One"),
        (Script("One two", finish=None), StreamCut, "One two"),
        (Script("One two", error_after=(1, {"code": "server_error", "message": "x"})), StreamCut, "One"),
        (Script("", error_after=(0, {"code": "invalid_prompt", "message": "x"})), AnswerRefused, ""),
        (GARBAGE, BackendDown, ""),
        (DOWN, BackendDown, ""),
    ],
)
async def test_faults_are_told(
    model: ModelDouble, script: Script, kind: type[BackendError], text: str
) -> None:
    bench = Bench(model, wishes=RESPONSES, retries=0)
    model.script(script)
    said, error = await bench.until_it_fails()
    assert (said, type(error)) == (text, kind)
    await bench.backend.close()


async def test_a_silent_model_is_not_waited_for(model: ModelDouble) -> None:
    bench = Bench(model, wishes=RESPONSES, retries=0, first_token_seconds=0.2)
    model.script(Script("x", silent_after=0))
    _, error = await bench.until_it_fails()
    assert type(error) is BackendSilent
    await bench.backend.close()


@pytest.mark.parametrize(
    ("event", "step"),
    [
        ({"type": "response.output_text.delta", "delta": "hi"}, Step("hi", alive=True)),
        ({"type": "response.refusal.delta", "delta": "no"}, Step("no", alive=True)),
        ({"type": "response.reasoning_text.delta", "delta": "hm"}, Step(thought="hm", alive=True)),
        ({"type": "response.function_call_arguments.delta", "delta": "{"}, Step(alive=True)),
        ({"type": "response.output_text.delta", "delta": None}, Step()),
        ({"type": "keepalive"}, Step()),
        ({}, Step()),
        ({"type": "response.cancelled", "response": {}}, Step(finish="error", alive=True)),
        ({"type": "response.completed", "response": None}, Step(finish="stop", alive=True)),
        (WHOLE, Step(finish="stop", alive=True, whole="all")),
    ],
)
def test_events_are_read_however_they_are_filled(event: object, step: Step) -> None:
    assert read_event(event) == step


@pytest.mark.parametrize(
    "bad",
    [
        None,
        [],
        "x",
        {"type": "error", "message": "x"},
        {"type": "response.failed", "response": {}},
        {"error": "x"},
    ],
)
def test_what_is_none_or_failed_is_raised(bad: object) -> None:
    with pytest.raises(BackendError):
        read_event(bad)


async def test_a_text_that_only_the_end_tells_is_said(bench: Bench) -> None:
    bench.model.script(
        Script(
            raw=b'{"object":"response","status":"completed","output":[{"type":"message",'
            b'"content":[{"type":"output_text","text":"all at once"}]}]}',
            content_type="application/json",
        )
    )
    assert await bench.text() == "all at once"


async def test_the_question_is_heard_the_same_way(bench: Bench) -> None:
    await bench.text(QUESTION)
    assert (await bench.model.asked()).question == "How are you?"
