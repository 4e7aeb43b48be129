"""Reads the events of OpenAI's Responses API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bot.errors import BackendDown
from bot.generation.openai.chunks import Step, mapping, read_usage, refuse_errors
from bot.generation.openai.refusals import explain

_TEXTS = frozenset({"response.output_text.delta", "response.refusal.delta"})
_THOUGHTS = frozenset({"response.reasoning_summary_text.delta", "response.reasoning_text.delta"})
_PARAGRAPHS = frozenset({"response.reasoning_summary_text.done", "response.reasoning_text.done"})
_ENDS = frozenset({"response.completed", "response.incomplete", "response.failed", "response.cancelled"})
_INCOMPLETE = {"max_output_tokens": "length", "content_filter": "content_filter"}


def read_event(event: object) -> Step:
    """
    Read an event of a stream, or a whole response from a server that does not stream.

    Raises a `BackendError` for what is none, for a failed response, and for an error.
    """
    if not isinstance(event, dict):
        raise BackendDown("the server sent something that is no response")
    kind = str(event.get("type") or "")
    if kind == "error" and not event.get("error"):
        raise explain(None, event)
    refuse_errors(event)
    if kind in _ENDS:
        return _end(mapping(event.get("response")), kind.removeprefix("response."))
    if event.get("object") == "response":
        return _end(event, str(event.get("status") or ""))
    return _part(kind, event.get("delta"))


def _part(kind: str, delta: object) -> Step:
    text = delta if isinstance(delta, str) else ""
    if kind in _TEXTS:
        return Step(text, alive=bool(text))
    if kind in _THOUGHTS:
        return Step(thought=text, alive=bool(text))
    if kind in _PARAGRAPHS:
        return Step(thought="\n", alive=True)
    # Items that begin and end, and the arguments of functions nobody offered: signs of life.
    return Step(alive=kind.startswith("response."))


def _end(response: Mapping[str, object], status: str) -> Step:
    refuse_errors(response)
    if status == "failed":
        raise BackendDown("the server says that the response failed, and not why")
    if status == "incomplete":
        reason = str(mapping(response.get("incomplete_details")).get("reason") or "")
        finish = _INCOMPLETE.get(reason, "error")
    else:
        finish = "stop" if status == "completed" else "error"
    usage = read_usage(response.get("usage"))
    return Step("", "", finish, usage, True, "".join(_texts(response.get("output"))))


def _texts(output: object) -> Iterator[str]:
    for item in map(mapping, output if isinstance(output, list) else []):
        content = item.get("content") if item.get("type") == "message" else None
        for part in map(mapping, content if isinstance(content, list) else []):
            text = part.get("text") or part.get("refusal")
            if isinstance(text, str):
                yield text
