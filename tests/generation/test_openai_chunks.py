"""Chunks as servers really fill them, and what is shown of a text that begins with thoughts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.dialogue import Usage
from bot.errors import BackendDown, BackendError
from bot.generation.openai.chunks import Step, read_step
from bot.generation.openai.thoughts import Visible


def chunk(delta: object, **more: object) -> dict[str, object]:
    return {"choices": [{"index": 0, "delta": delta, **more}]}


@pytest.mark.parametrize(
    ("given_chunk", "step"),
    [
        (chunk({"role": "assistant"}), Step()),
        (chunk({"role": "assistant", "content": ""}), Step()),
        (chunk({"content": None}), Step()),
        (chunk(None, finish_reason="stop"), Step(finish="stop", alive=True)),
        (chunk({"content": "hi"}, finish_reason=""), Step("hi", alive=True)),
        (chunk({"content": "hi"}, finish_reason=None), Step("hi", alive=True)),
        (chunk({"reasoning_content": "hm"}), Step(thought="hm", alive=True)),
        (chunk({"reasoning": "hm", "content": ""}), Step(thought="hm", alive=True)),
        (
            chunk({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]}),
            Step(thought="hm", alive=True),
        ),
        (chunk({"content": [{"type": "text", "text": "hi"}, "odd"]}), Step("hi", alive=True)),
        (chunk({"content": 7}), Step()),
        ({"choices": []}, Step()),
        ({"choices": None}, Step()),
        ({"choices": ["odd"]}, Step()),
        ({}, Step()),
        ({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4}}, Step(usage=Usage(3, 4))),
        ({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": None}}, Step(usage=Usage(3, 0))),
        ({"choices": [], "usage": {"prompt_tokens": "3"}}, Step()),
        ({"choices": [], "usage": []}, Step()),
        (
            {"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]},
            Step("hi", finish="stop", alive=True),
        ),
        ({"choices": [{"text": "old", "finish_reason": None}]}, Step()),
        ({"error": None, "choices": []}, Step()),
    ],
)
def test_a_chunk_is_read_however_it_is_filled(given_chunk: object, step: Step) -> None:
    assert read_step(given_chunk) == step


@pytest.mark.parametrize("odd", [None, [], "text", 7])
def test_what_is_no_chunk_is_a_failure_of_the_server(odd: object) -> None:
    with pytest.raises(BackendDown):
        read_step(odd)


@pytest.mark.parametrize(
    "bad",
    [
        {"error": {"message": "x", "code": 500}},
        {"error": "x"},
        {"choices": [{"delta": {}, "finish_reason": "error", "error": {"code": 502, "message": "upstream"}}]},
    ],
)
def test_an_error_inside_a_chunk_is_raised(bad: object) -> None:
    with pytest.raises(BackendError):
        read_step(bad)


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["choices", "delta", "content", "usage", "error", "message", "code", "finish_reason", "text"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(json)
def test_no_json_breaks_the_reading(value: object) -> None:
    try:
        step = read_step(value)
    except BackendError:
        return
    assert isinstance(step.text, str)
    assert isinstance(step.finish, str)


def shown(*parts: str) -> str:
    visible = Visible()
    return "".join([*(visible.feed(part) for part in parts), visible.rest()])


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (["Hello"], "Hello"),
        (["\n\nHello"], "Hello"),
        (["<think>hm</think>Hello"], "Hello"),
        (["<think>", "hm", "</think>", "\n\n", "Hello"], "Hello"),
        (["  <THINK>hm</think> Hello"], "Hello"),
        (["<thinking>a</thinking>b"], "b"),
        (["<think>a </thin", "g> b</think> c"], "c"),
        (["<think>never closed"], ""),
        (["<think></think>"], ""),
        (["<th"], "<th"),
        (["<", "b>bold</b>"], "<b>bold</b>"),
        (["The tag <think> is hidden"], "The tag <think> is hidden"),
        (["<think>a</think>b<think>c</think>"], "b<think>c</think>"),
        (["   "], ""),
    ],
)
def test_only_thoughts_at_the_beginning_are_hidden(parts: list[str], text: str) -> None:
    assert shown(*parts) == text


words = st.sampled_from(
    ["<", "think", ">", "</", "thinking", " ", "\n", "a", "<think>", "</think>", "İ", "中"]
)


@given(st.lists(words, max_size=12).map("".join), st.data())
def test_how_a_text_is_cut_into_chunks_changes_nothing(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    parts = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert shown(*parts) == shown(text)


@given(st.lists(words, max_size=12).map("".join).filter(lambda text: not text.lstrip().startswith("<th")))
def test_a_text_without_thoughts_in_front_is_shown_whole(text: str) -> None:
    assert shown(text) == text.lstrip()
