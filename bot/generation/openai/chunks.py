"""Reads the chunks of a stream, however oddly a server fills them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot.dialogue import Usage
from bot.errors import BackendDown
from bot.generation.openai.refusals import explain

_OPENED = re.compile(r"\s*<(think|thinking|thought|reasoning)>", re.IGNORECASE)
_MAY_OPEN = "<thinking>", "<thought>", "<reasoning>", "<think>"


@dataclass(frozen=True, slots=True)
class Step:
    """One chunk: its text, whether the model thought aloud in it, why it ended, and the bill."""

    text: str = ""
    thought: bool = False
    finish: str = ""
    usage: Usage | None = None


def read_step(chunk: object) -> Step:
    """
    Read a chunk of a stream, or a whole completion from a server that does not stream.

    Raises a `BackendError` for what is no chunk, and for an error object inside one.
    """
    if not isinstance(chunk, Mapping):
        raise BackendDown("the server sent something that is no chat completion")
    _refuse_errors(chunk)
    usage = _usage(chunk.get("usage"))
    choice = _first(chunk.get("choices"))
    if not choice:
        return Step(usage=usage)
    _refuse_errors(choice)
    part = _mapping(choice.get("delta")) or _mapping(choice.get("message"))
    text, thought = _content(part.get("content"))
    thought = thought or bool(part.get("reasoning_content") or part.get("reasoning"))
    return Step(text, thought, str(choice.get("finish_reason") or ""), usage)


class Visible:
    """Lets through what people shall see: no white space in front, no `<think>…</think>` block there."""

    def __init__(self) -> None:
        """Nothing has been said yet."""
        self._held = ""
        self._closing = ""
        self._open = False

    def feed(self, text: str) -> str:
        """Take the next text and return what can be shown of it now."""
        if self._open:
            return text
        self._held += text
        if not self._closing:
            opened = _OPENED.match(self._held)
            if opened is None:
                return "" if self._may_open() else self._release(self._held)
            self._closing = f"</{opened[1].lower()}>"
        _, closed, after = self._held.partition(self._closing)
        if closed and after.strip():
            return self._release(after)
        if not closed:
            self._held = self._held[-len(self._closing) :]  # thoughts may be long, the end may be cut in two
        return ""

    def rest(self) -> str:
        """Return what was held back at the end: the beginning of a tag that never came."""
        return "" if self._open or self._closing else self._release(self._held)

    def _release(self, text: str) -> str:
        self._open, self._held = True, ""
        return text.lstrip()

    def _may_open(self) -> bool:
        begun = self._held.lstrip().lower()
        return any(tag.startswith(begun) for tag in _MAY_OPEN)


def _refuse_errors(part: Mapping[str, object]) -> None:
    error = part.get("error")
    if error:
        raise explain(None, error if isinstance(error, Mapping) else {"message": str(error)})


def _first(choices: object) -> Mapping[str, object]:
    return _mapping(choices[0]) if isinstance(choices, list) and choices else {}


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _content(content: object) -> tuple[str, bool]:
    """Read content that is a text, nothing, or a list of parts of which some are thoughts."""
    if isinstance(content, str):
        return content, False
    if not isinstance(content, list):
        return "", False
    parts = [_mapping(part) for part in content]
    text = "".join(str(part.get("text") or "") for part in parts if part.get("type") == "text")
    return text, any(part.get("type") == "thinking" for part in parts)


def _usage(usage: object) -> Usage | None:
    counts = [_mapping(usage).get(name) for name in ("prompt_tokens", "completion_tokens")]
    read, written = (count if isinstance(count, int) else 0 for count in counts)
    return Usage(read, written) if read or written else None
