"""The settings of the models that answer."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from bot.config.fields import MaybeAddress, MaybePath, Proxy, Secret, Section, Text


def _read_json(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise ValueError("a JSON list of models is needed, see .env.example") from None


class ModelChoice(Section):
    """One model behind an OpenAI-compatible server."""

    base_url: MaybeAddress = None
    api_key: Secret = None
    name: Text = None
    context_tokens: int = Field(default=16_384, ge=512)
    answer_tokens: int = Field(default=1_024, ge=16)
    api: Literal["chat", "responses"] = "chat"
    effort: Literal["", "none", "minimal", "low", "medium", "high", "xhigh", "max"] = ""
    thinking: Literal["hidden", "folded"] = "hidden"
    temperature: float | None = Field(default=None, ge=0, le=2)
    sees: bool | None = None
    at_once: int = Field(default=256, ge=1, le=5_000)


class ModelSettings(ModelChoice):
    """The model that answers, and those tried in order when it fails."""

    path: MaybePath = None
    fallbacks: Annotated[tuple[ModelChoice, ...], NoDecode, BeforeValidator(_read_json)] = ()
    proxy: Proxy = None
    prices: MaybePath = None
    daily_tokens: int = Field(default=2_000_000, ge=0)
    first_token_seconds: float = Field(default=60.0, gt=0)
    next_token_seconds: float = Field(default=30.0, gt=0)

    @property
    def hosted(self) -> bool:
        """Whether a server answers; otherwise the small model on board does."""
        return self.path is None and bool(self.base_url or self.api_key)

    @property
    def choices(self) -> tuple[ModelChoice, ...]:
        """The models behind servers, in the order they are tried."""
        return (self, *self.fallbacks) if self.hosted else self.fallbacks
