"""Pictures: who is shown them, how, and what happens where a server will not look."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.dialogue import Context, Line, Picture, Role
from bot.errors import BackendError
from bot.generation.openai.letters import alternating
from tests.doubles.model import ModelDouble, Script, fault
from tests.generation.openai_bench import Bench

CAT = Picture("cat.jpg", "image/jpeg", b"meow")
SHOWN = Context((Line(Role.SYSTEM, "s"), Line(Role.PERSON, "what is it?", pictures=(CAT,))), 50)
ADDRESS = "data:image/jpeg;base64,bWVvdw=="


@pytest.fixture
async def model() -> AsyncIterator[ModelDouble]:
    async with ModelDouble() as double:
        yield double


@pytest.fixture
async def bench(model: ModelDouble) -> AsyncIterator[Bench]:
    bench = Bench(model, sees=True)
    yield bench
    await bench.backend.close()


async def test_a_picture_goes_as_a_data_address_beside_its_text(bench: Bench) -> None:
    deltas = await bench.all(SHOWN)
    assert "".join(delta.text for delta in deltas) == "You said: what is it?"
    assert bench.model.requests[0].pictures == [ADDRESS]
    assert not any(delta.unseen for delta in deltas)


@pytest.mark.parametrize(
    "refusal",
    [
        fault(400, message="Failed to deserialize: unknown variant `image_url`, expected `text`"),
        fault(400, "invalid_image_input", "This model does not support image inputs."),
        fault(400, message="own-7b is not a multimodal model and does not support image"),
        fault(404, message="No endpoints found that support image input"),
        fault(500, message="image input is not supported - hint: you may need to provide the mmproj"),
        fault(422, message="Input should be a valid string: content part type image_url is not supported"),
    ],
)
async def test_a_server_that_cannot_see_is_asked_without_and_shown_none_any_more(
    bench: Bench, refusal: Script
) -> None:
    bench.model.script(refusal)
    deltas = await bench.all(SHOWN)
    assert any(delta.unseen for delta in deltas)
    assert "".join(delta.text for delta in deltas) == "You said: what is it?"
    assert [heard.pictures for heard in bench.model.requests] == [[ADDRESS], []]
    assert not bench.backend.sees
    assert any(delta.unseen for delta in await bench.all(SHOWN))
    assert bench.model.requests[2].pictures == []


@pytest.mark.parametrize(
    "refusal",
    [
        fault(400, "image_parse_error", "The image could not be read."),
        fault(413, message="Payload too large"),
    ],
)
async def test_one_bad_picture_does_not_blind_the_model(bench: Bench, refusal: Script) -> None:
    bench.model.script(refusal)
    assert any(delta.unseen for delta in await bench.all(SHOWN))
    assert bench.backend.sees
    await bench.all(SHOWN)
    assert bench.model.requests[-1].pictures == [ADDRESS]


async def test_other_refusals_are_not_blamed_on_the_pictures(model: ModelDouble) -> None:
    bench = Bench(model, sees=True, retries=0)
    model.script(fault(400, message="some parameter is odd"))
    with pytest.raises(BackendError):
        await bench.all(SHOWN)
    assert len(model.requests) == 1
    await bench.backend.close()


@pytest.mark.parametrize(
    ("name", "told", "sees"),
    [
        ("gpt-5-mini", None, True),
        ("openai/gpt-4o", None, True),
        ("o3-mini", None, False),
        ("gpt-oss:20b", None, False),
        ("deepseek-v4-pro", None, False),
        ("deepseek-flash", None, True),
        ("qwen3-vl-plus", None, True),
        ("Qwen/Qwen3.5-27B", None, True),
        ("qwen3-max", None, False),
        ("glm-4.6v", None, True),
        ("own-model", None, False),
        ("own-model", True, True),
        ("gpt-5-mini", False, False),
    ],
)
async def test_the_name_tells_who_sees_unless_it_is_set(
    model: ModelDouble, name: str, told: bool | None, sees: bool
) -> None:
    bench = Bench(model, name=name, sees=told)
    assert bench.backend.sees is sees
    await bench.backend.close()


def test_joined_lines_keep_their_pictures() -> None:
    (line,) = alternating((Line(Role.PERSON, "a", pictures=(CAT,)), Line(Role.PERSON, "b", pictures=(CAT,))))
    assert (line.text, line.pictures) == ("a\n\nb", (CAT, CAT))
