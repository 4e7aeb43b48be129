"""What `bot doctor` asks a model's server, and the cure for each answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from time import monotonic
from typing import Protocol

from bot.dialogue import Context, Delta, Finding, Line, Role
from bot.errors import (
    BackendDown,
    BackendError,
    BackendSilent,
    KeyRefused,
    ModelMissing,
    QuotaSpent,
    RateLimited,
)
from bot.generation.openai.reading import WordlessAnswer
from bot.ports import Tell

_SHOWN_MODELS = 5
_CURES: tuple[tuple[type[BackendError], str], ...] = (
    (KeyRefused, "check-model-cure-key"),
    (QuotaSpent, "check-model-cure-quota"),
    (RateLimited, "check-model-cure-busy"),
    (BackendSilent, "check-model-cure-silent"),
    (BackendDown, "check-model-cure-down"),
)
_PROBE = Context((Line(Role.PERSON, "Say OK."),), answer_tokens=16)


class Server(Protocol):
    """What is looked at."""

    @property
    def name(self) -> str:
        """The model's name."""
        ...

    async def list_models(self) -> tuple[str, ...]:
        """List the models the server has."""
        ...

    def stream(self, context: Context) -> AsyncGenerator[Delta]:
        """Generate."""
        ...


async def check_server(
    server: Server, name: str, address: str, tell: Tell, responses: bool = False
) -> AsyncIterator[Finding]:
    """
    Look at the server, then at the model; the second is left out where the first cannot be reached.

    `responses` says that it is asked by an API that not every server has.
    """
    subject = tell("check-model-server")
    try:
        models = await server.list_models()
    except BackendError as error:
        yield Finding(subject, False, f"{address}: {error}", _cure(error, tell))
        return
    yield Finding(subject, True, tell("check-model-server-well", address=address))
    yield await _check_model(server, name, models, tell, responses)


async def _check_model(
    server: Server, name: str, models: Sequence[str], tell: Tell, responses: bool
) -> Finding:
    subject = tell("check-model")
    began = monotonic()
    try:
        async with aclosing(server.stream(_PROBE)) as deltas:
            async for _ in deltas:
                break
    except WordlessAnswer:
        pass  # a model that thinks first has no word left within the probe's few tokens; but it runs
    except BackendError as error:
        return Finding(
            subject, False, f"{name or server.name}: {error}", _cure(error, tell, models, responses)
        )
    seconds = f"{monotonic() - began:.1f}"
    return Finding(subject, True, tell("check-model-well", model=server.name, seconds=seconds))


def _cure(error: BackendError, tell: Tell, models: Sequence[str] = (), responses: bool = False) -> str:
    if isinstance(error, ModelMissing):
        key = "check-model-cure-responses" if responses else "check-model-cure-missing"
        return tell(key, models=_listed(models))
    found = (key for kind, key in _CURES if isinstance(error, kind))
    return tell(next(found, "check-model-cure-other"))


def _listed(models: Sequence[str]) -> str:
    if not models:
        return ""
    more = ", …" if len(models) > _SHOWN_MODELS else ""
    return f" ({', '.join(models[:_SHOWN_MODELS])}{more})"
