"""How one server wants to be asked: begun with the likely form, changed where the server refuses it."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from openai import APIStatusError

from bot.dialogue import Context, Role
from bot.errors import BackendDown, BackendError
from bot.generation.openai.refusals import read_error, words_of

_MODERN = ("api.openai.com", ".openai.azure.com")
_REFUSALS = re.compile(
    r"(un|not )supported|unknown|unrecogni[sz]ed|unexpected|not permitted|not allowed"
    r"|forbidden|extra|invalid param"
)


class Dialect:
    """Writes requests, and remembers what the server would not take."""

    def __init__(self, base_url: str) -> None:
        """Guess from the address: OpenAI gave up `max_tokens`, most others know nothing else."""
        host = urlsplit(base_url).hostname or ""
        limits = ["max_completion_tokens", "max_tokens"]
        self._limits = limits if host.endswith(_MODERN) else limits[::-1]
        self._usage = True
        self._joined = False
        self._folded = False

    def request(self, model: str, context: Context) -> dict[str, object]:
        """Write the body of a request for a streamed answer."""
        body: dict[str, object] = {"model": model, "messages": self._messages(context), "stream": True}
        if self._usage:
            body["stream_options"] = {"include_usage": True}
        if self._limits:
            body[self._limits[0]] = context.answer_tokens
        return body

    def adapt(self, error: APIStatusError) -> bool:
        """Learn from a refusal; True says that the same question is worth asking in the new form."""
        if type(read_error(error)) not in {BackendError, BackendDown}:
            return False
        words = words_of(error)
        return self._learn_options(words) or self._learn_roles(words)

    def _learn_options(self, words: str) -> bool:
        if self._usage and ("stream_options" in words or "include_usage" in words):
            self._usage = False
            return True
        if self._limits and self._limits[0] in words and _REFUSALS.search(words):
            self._limits = self._limits[1:]
            return True
        return False

    def _learn_roles(self, words: str) -> bool:
        if not self._joined and "alternate" in words and "role" in words:
            self._joined = True
            return True
        if not self._folded and "system" in words and "role" in words and "support" in words:
            self._folded = self._joined = True
            return True
        return False

    def _messages(self, context: Context) -> list[dict[str, str]]:
        messages: list[dict[str, str]] = []
        for line in context.lines:
            role = Role.PERSON if self._folded and line.role is Role.SYSTEM else line.role
            if self._joined and messages and messages[-1]["role"] == role.value:
                messages[-1]["content"] += f"\n\n{line.text}"
            else:
                messages.append({"role": role.value, "content": line.text})
        return messages
