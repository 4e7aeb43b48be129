"""
Streams as vendors send them, replayed over the wire.

The recordings are written by ourselves after each vendor's documentation, which their first line names.
"""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.dialogue import Usage
from bot.errors import AnswerRefused, BackendDown, BackendError, RateLimited, StreamCut
from bot.generation.openai import Wishes
from tests.doubles.model import ModelDouble, Script
from tests.generation.openai_bench import QUESTION, Bench

RECORDINGS = Path(__file__).parent.parent / "recordings" / "models"


@dataclass(frozen=True)
class Told:
    """What a stream comes to."""

    text: str
    thought: str = ""
    usage: Usage | None = None
    limited: bool = False
    error: type[BackendError] | None = None


VENDORS = {
    "openai-chat": Told("Frogs sing — 青蛙会唱歌 🐸.", usage=Usage(1210, 84, 1024, 64)),
    "openai-chat-tools": Told("I look it up."),
    "openai-responses": Told(
        "Half past nine — 九点半.", "**Reading** the clock\n", Usage(75, 1186, 32, 1024)
    ),
    "openai-responses-tools": Told("First I ask", usage=Usage(75, 1186, 32, 1024), limited=True),
    "openai-responses-filtered": Told("", error=AnswerRefused),
    "openai-responses-failed": Told("", error=RateLimited),
    "openai-responses-error": Told("", error=BackendDown),
    "deepseek": Told("您好！", "The user is polite.", Usage(300, 40, 256, 30)),
    "deepseek-overloaded": Told("It begins", error=StreamCut),
    "qwen": Told("答案是四十二。", "先想一想", Usage(22, 60, 0, 50)),
    "qwen-refused": Told("我", error=AnswerRefused),
    "llama-cpp": Told("Yes, it is.", "Hm.", Usage(31, 9), limited=True),
    "llama-cpp-error": Told("", error=BackendDown),
    "mistral": Told("There are three.", "Counting letters.", Usage(15, 30)),
    "groq": Told("Rome.", "Quick one.", Usage(70, 21)),
    "azure-filtered": Told("One can", error=AnswerRefused),
    "zhipu-sensitive": Told("", error=AnswerRefused),
    "ollama": Told("Hello there", "\nSmall talk.\n"),
    "vllm-error": Told("So far", error=StreamCut),
    "openrouter": Told("", error=BackendDown),
    "moonshot": Told("好的", usage=Usage(19, 3)),
}


@pytest.fixture
async def model() -> AsyncIterator[ModelDouble]:
    async with ModelDouble() as double:
        yield double


def recorded(name: str) -> bytes:
    return (RECORDINGS / f"{name}.sse").read_bytes()


async def replayed(model: ModelDouble, name: str, raw: bytes, step: int = 0, *, folded: bool = True) -> Told:
    model.script(Script(raw=raw, raw_step=step))
    wishes = Wishes(responses="responses" in name, tells_thoughts=folded)
    bench = Bench(model, wishes=wishes, retries=0)
    text, thought, usage, limited, error = "", "", None, False, None
    try:
        async for delta in bench.backend.stream(QUESTION):
            text, thought = text + delta.text, thought + delta.thought
            usage, limited = delta.usage or usage, limited or delta.limited
    except BackendError as failure:
        error = type(failure)
    finally:
        await bench.backend.close()
    return Told(text, thought, usage, limited, error)


def test_each_recording_is_expected_and_names_its_source() -> None:
    assert {path.stem for path in RECORDINGS.glob("*.sse")} == set(VENDORS)
    assert all(recorded(name).startswith(b": after ") for name in VENDORS)


@pytest.mark.parametrize("name", VENDORS)
async def test_a_vendors_stream_is_read(model: ModelDouble, name: str) -> None:
    assert await replayed(model, name, recorded(name)) == VENDORS[name]


@pytest.mark.parametrize("name", ["openai-chat", "openai-responses", "deepseek", "mistral"])
async def test_where_the_network_cuts_it_changes_nothing(model: ModelDouble, name: str) -> None:
    raw = recorded(name).replace(b"\n", b"\r\n")
    assert await replayed(model, name, raw, step=7) == VENDORS[name]


@pytest.mark.parametrize("name", ["openai-responses", "deepseek", "mistral", "ollama"])
async def test_hidden_thoughts_are_nowhere(model: ModelDouble, name: str) -> None:
    told = await replayed(model, name, recorded(name), folded=False)
    assert (told.text, told.thought) == (VENDORS[name].text, "")


@pytest.mark.parametrize("name", ["openai-chat", "openai-chat-tools", "moonshot"])
async def test_a_stream_without_its_last_line_is_whole(model: ModelDouble, name: str) -> None:
    raw = recorded(name).removesuffix(b"data: [DONE]\n\n").rstrip(b"\n")
    assert await replayed(model, name, raw) == VENDORS[name]


@pytest.mark.parametrize("name", ["openai-chat", "openai-responses", "qwen"])
async def test_a_stream_cut_within_a_letter_is_no_whole_answer(model: ModelDouble, name: str) -> None:
    raw = recorded(name)
    place = next(
        place
        for place in range(raw.index(b'content": "') if b"choices" in raw else 0, len(raw))
        if raw[place] >= 0xE0
    )
    told = await replayed(model, name, raw[: place + 1])
    assert told.error in {StreamCut, BackendDown}
    assert "�" not in told.text


async def test_a_stream_that_was_packed_on_the_way_is_read(model: ModelDouble) -> None:
    packed = gzip.compress(recorded("deepseek"))
    model.script(Script(raw=packed, raw_step=50, headers={"Content-Encoding": "gzip"}))
    bench = Bench(model, retries=0)
    assert await bench.text() == VENDORS["deepseek"].text
    await bench.backend.close()
