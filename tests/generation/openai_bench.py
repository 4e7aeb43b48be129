"""A backend on a double of a model's server, and what to ask it."""

from __future__ import annotations

import pytest

from bot.dialogue import Context, Delta, Line, Role
from bot.errors import BackendError
from bot.generation.openai import OpenAIBackend
from tests.doubles.model import ModelDouble

QUESTION = Context((Line(Role.SYSTEM, "Be kind."), Line(Role.PERSON, "How are you?")), answer_tokens=99)


class Waits:
    """Stands in for sleeping and remembers how long it would have been."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


class Bench:
    """A backend on a double, quick to lose patience."""

    def __init__(self, model: ModelDouble, **given: object) -> None:
        self.model = model
        self.waits = Waits()
        settings: dict[str, object] = {
            "name": "double-1", "base_url": model.url, "api_key": "secret", "context_tokens": 8_000,
            "answer_tokens": 500, "first_token_seconds": 5.0, "next_token_seconds": 5.0, "sleep": self.waits,
        }  # fmt: skip
        self.backend = OpenAIBackend(**(settings | given))  # type: ignore[arg-type]

    async def all(self, context: Context = QUESTION) -> list[Delta]:
        return [delta async for delta in self.backend.stream(context)]

    async def text(self, context: Context = QUESTION) -> str:
        return "".join(delta.text for delta in await self.all(context))

    async def until_it_fails(self) -> tuple[str, BackendError]:
        text = ""
        try:
            async for delta in self.backend.stream(QUESTION):
                text += delta.text
        except BackendError as error:
            return text, error
        pytest.fail(f"an answer came: {text}")
