"""Reads the chunks of a chat completion, however oddly a server fills them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.dialogue import Usage
from bot.errors import BackendDown
from bot.generation.openai.refusals import explain


@dataclass(frozen=True, slots=True)
class Step:
    """
    One chunk or event: its text, what was thought aloud in it, why the answer ended, and the bill.

    `alive` says that the server showed work of any kind. `whole` is all of the answer's text, where a
    server tells it once more at the end.
    """

    text: str = ""
    thought: str = ""
    finish: str = ""
    usage: Usage | None = None
    alive: bool = False
    whole: str = ""


def read_step(chunk: object) -> Step:
    """
    Read a chunk of a stream, or a whole completion from a server that does not stream.

    Raises a `BackendError` for what is no chunk, and for an error object inside one.
    """
    if not isinstance(chunk, dict):
        raise BackendDown("the server sent something that is no chat completion")
    refuse_errors(chunk)
    choice = _first(chunk.get("choices"))
    usage = read_usage(chunk.get("usage")) or _stray_usage(chunk, choice)
    if not choice:
        return Step(usage=usage)
    refuse_errors(choice)
    part = mapping(choice.get("delta")) or mapping(choice.get("message"))
    text, thought = _content(part.get("content"))
    text = text or _text(part.get("refusal"))
    thought = thought or _text(part.get("reasoning_content")) or _text(part.get("reasoning"))
    finish = str(choice.get("finish_reason") or "")
    called = bool(part.get("tool_calls") or part.get("function_call"))
    return Step(text, thought, finish, usage, bool(text or thought or finish or called))


def read_usage(usage: object) -> Usage | None:
    """Read a bill, by the names of chat completions or of responses; DeepSeek has its own for the cache."""
    if not usage:
        return None
    told = mapping(usage)
    read = _count(told, "prompt_tokens", "input_tokens")
    written = _count(told, "completion_tokens", "output_tokens")
    if not (read or written):
        return None
    before = mapping(told.get("prompt_tokens_details")) or mapping(told.get("input_tokens_details"))
    after = mapping(told.get("completion_tokens_details")) or mapping(told.get("output_tokens_details"))
    cached = _count(before, "cached_tokens") or _count(told, "prompt_cache_hit_tokens", "cached_tokens")
    return Usage(read, written, min(cached, read), min(_count(after, "reasoning_tokens"), written))


def refuse_errors(part: Mapping[str, object]) -> None:
    """Raise the `BackendError` that an error object in it means."""
    error = part.get("error")
    if error:
        raise explain(None, error if isinstance(error, Mapping) else {"message": str(error)})


def mapping(value: object) -> Mapping[str, object]:
    """Return the value where it is an object of JSON, else an empty one."""
    return value if isinstance(value, dict) else {}  # not Mapping: that costs more than all the rest


def _first(choices: object) -> Mapping[str, object]:
    return mapping(choices[0]) if isinstance(choices, list) and choices else {}


def _stray_usage(chunk: Mapping[str, object], choice: Mapping[str, object]) -> Usage | None:
    """Find the bill where Moonshot and Groq put it."""
    return read_usage(choice.get("usage")) or read_usage(mapping(chunk.get("x_groq")).get("usage"))


def _content(content: object) -> tuple[str, str]:
    """Read content that is a text, nothing, or a list of parts of which some are thoughts."""
    if isinstance(content, str):
        return content, ""
    if not isinstance(content, list):
        return "", ""
    parts = [mapping(part) for part in content]
    text = "".join(_text(part.get("text")) for part in parts if part.get("type") == "text")
    thoughts = (part.get("thinking") for part in parts if part.get("type") == "thinking")
    return text, "".join(_content(thought)[0] for thought in thoughts)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _count(told: Mapping[str, object], *names: str) -> int:
    found = (told.get(name) for name in names)
    return next((count for count in found if isinstance(count, int) and count > 0), 0)
