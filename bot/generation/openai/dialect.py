"""How one server wants to be asked: begun with the likely form, changed where the server refuses it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from openai import APIStatusError

from bot.dialogue import Context, Line, Role
from bot.errors import BackendDown, BackendError, ModelMissing
from bot.generation.openai.habits import habits_of, thinking, thinking_room
from bot.generation.openai.letters import alternating, as_items, as_messages, blindfolded
from bot.generation.openai.refusals import read_error, words_of

_MODERN = ("api.openai.com", ".openai.azure.com")
_REFUSALS = re.compile(
    r"(un|not )supported|(does|do)(n't| not) support|unknown|unrecogni[sz]ed|unexpected|not permitted"
    r"|not allowed|forbidden|extra|invalid (param|value)|must be verified"
)
_PICTURES = re.compile(r"image|vision|multi-?modal|picture|content part|content\[?\d*\]?\.?type")
_BLIND = re.compile(
    r"support|not allowed|no vision|unknown variant|(does not|doesn't|cannot|can't) (have|see|process|accept)"
    r"|text[- ]only|mmproj|invalid (type|content)|must be a string|expected (a )?string"
)
_MISSING_EYES = re.compile(r"mmproj|image input")
# What a request can do without, as servers call it in a refusal.
_SPARE = {
    "include_usage": "stream_options", "stream_options": "stream_options", "temperature": "temperature",
    "reasoning_effort": "reasoning_effort", "reasoning.effort": "reasoning", "reasoning": "reasoning",
    "enable_thinking": "enable_thinking", "chat_template_kwargs": "chat_template_kwargs",
    "thinking": "thinking", "store": "store", "reasoning.summary": "reasoning.summary",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wishes:
    """How the owner wants a model asked: by which API, how hard it shall think, and whether to tell of it."""

    responses: bool = False
    effort: str = ""
    tells_thoughts: bool = False
    temperature: float | None = None


class Dialect:
    """Writes requests, and remembers what the server would not take."""

    def __init__(self, base_url: str, wishes: Wishes | None = None) -> None:
        """Guess from the address: OpenAI gave up `max_tokens`, most others know nothing else."""
        self.wishes = wishes or Wishes()
        self.blind = False
        self._base_url = base_url
        self._modern = (urlsplit(base_url).hostname or "").endswith(_MODERN)
        limits = ["max_completion_tokens", "max_tokens"]
        self._limits = limits if self._modern else limits[::-1]
        if self.wishes.responses:
            self._limits = ["max_output_tokens"]
        self._dropped: set[str] = set()
        self._joined = False
        self._folded = False
        self._developer = True

    @property
    def path(self) -> str:
        """Where questions are sent."""
        return "/responses" if self.wishes.responses else "/chat/completions"

    def request(self, model: str, context: Context) -> dict[str, object]:
        """Write the body of a request for a streamed answer."""
        habits = habits_of(model)
        body: dict[str, object] = {"model": model, "stream": True, **self._talk(context, habits.thinks)}
        if self._limits:
            more = thinking_room(habits, self._base_url, self.wishes.effort, context.answer_tokens)
            body[self._limits[0]] = context.answer_tokens + more
        if self.wishes.temperature is not None and habits.cool:
            body["temperature"] = self.wishes.temperature
        if self.wishes.responses:
            body |= {"store": False, **self._reasoning()}
        else:
            body |= thinking(habits, self._base_url, self.wishes.effort)
            body["stream_options"] = {"include_usage": True}
        return {name: value for name, value in body.items() if name not in self._dropped}

    def adapt(self, error: APIStatusError, body: Mapping[str, object]) -> bool:
        """Learn from the refusal of a request; True says that it is worth asking in the new form."""
        if type(read_error(error)) not in {BackendError, BackendDown}:
            return False
        words = words_of(error)
        return self._learn_options(words, body) or self._learn_roles(words, body)

    def minds_pictures(self, error: APIStatusError) -> bool:
        """Say whether a refusal is about the pictures; a model that cannot see is shown none any more."""
        words, told = words_of(error), type(read_error(error))
        if error.status_code == 413:
            return True
        likely = _PICTURES if error.status_code < 500 else _MISSING_EYES
        if told not in {BackendError, BackendDown, ModelMissing} or not likely.search(words):
            return False
        self.blind = bool(_BLIND.search(words))
        return True

    def _reasoning(self) -> dict[str, object]:
        asked = {"effort": self.wishes.effort} if self.wishes.effort else {}
        if self.wishes.tells_thoughts and "reasoning.summary" not in self._dropped:
            asked["summary"] = "auto"
        return {"reasoning": asked} if asked else {}

    def _talk(self, context: Context, thinks: bool) -> dict[str, object]:
        lines = context.lines
        if self._folded:
            lines = tuple(
                Line(Role.PERSON, line.text, line.author, line.pictures) if line.role is Role.SYSTEM else line
                for line in lines
            )
        if self._joined:
            lines = alternating(lines)
        if self.blind:
            lines = blindfolded(lines)
        if self.wishes.responses:
            instructions, items = as_items(lines)
            return {"input": items, **({"instructions": instructions} if instructions else {})}
        developer = self._modern and thinks and self._developer
        return {"messages": as_messages(lines, "developer" if developer else "system")}

    def _learn_options(self, words: str, body: Mapping[str, object]) -> bool:
        for called, name in _SPARE.items():
            sent = name.partition(".")[0] in body and name not in self._dropped
            if sent and _named(called, words) and (name == "stream_options" or _REFUSALS.search(words)):
                self._dropped.add(name)
                return True
        if self._limits and self._limits[0] in words and _REFUSALS.search(words):
            self._limits = self._limits[1:]
            return True
        return False

    def _learn_roles(self, words: str, body: Mapping[str, object]) -> bool:
        if self._developer and "developer" in words and "role" in words:
            self._developer = False
            return True
        if not self._joined and "alternate" in words and "role" in words:
            self._joined = True
            return True
        if not self._folded and "system" in words and "role" in words and "support" in words:
            self._folded = self._joined = True
            return "messages" in body
        return False


def _named(parameter: str, words: str) -> bool:
    """Say whether a refusal names the parameter: a plain word only where it stands in quotes."""
    if "_" in parameter or "." in parameter:
        return parameter in words
    return re.search(rf"['\"`]{parameter}['\"`]", words) is not None
