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

_SHOWN_MODELS = 5
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


async def check_server(server: Server, name: str, address: str) -> AsyncIterator[Finding]:
    """Look at the server, then at the model; the second is left out where the first cannot be reached."""
    try:
        models = await server.list_models()
    except BackendError as error:
        yield Finding("model server", False, f"{address}: {error}", _cure(error))
        return
    yield Finding("model server", True, f"{address} answers")
    yield await _check_model(server, name, models)


async def _check_model(server: Server, name: str, models: Sequence[str]) -> Finding:
    began = monotonic()
    try:
        async with aclosing(server.stream(_PROBE)) as deltas:
            async for _ in deltas:
                break
    except WordlessAnswer:
        pass  # a model that thinks first has no word left within the probe's few tokens; but it runs
    except BackendError as error:
        return Finding("model", False, f"{name or server.name}: {error}", _cure(error, models))
    return Finding("model", True, f"{server.name} answers ({monotonic() - began:.1f} s to the first word)")


def _cure(error: BackendError, models: Sequence[str] = ()) -> str:
    cures: tuple[tuple[type[BackendError], str], ...] = (
        (KeyRefused, "set BOT_MODEL__API_KEY to a key that is valid for this server and model"),
        (ModelMissing, f"set BOT_MODEL__NAME to a model this server has{_listed(models)}; "
         "if the name is right, BOT_MODEL__BASE_URL may lack its path (it usually ends in /v1)"),
        (QuotaSpent, "top up the account behind BOT_MODEL__API_KEY"),
        (RateLimited, "wait a little, or ask the provider for a higher limit for BOT_MODEL__API_KEY"),
        (BackendSilent, "see whether the server is busy or loading, or raise BOT_MODEL__FIRST_TOKEN_SECONDS"),
        (BackendDown, "start the model's server, or set BOT_MODEL__BASE_URL to its address"),
    )  # fmt: skip
    found = (cure for kind, cure in cures if isinstance(error, kind))
    return next(found, "see the server's own log; the settings are BOT_MODEL__BASE_URL and BOT_MODEL__NAME")


def _listed(models: Sequence[str]) -> str:
    if not models:
        return ""
    more = ", …" if len(models) > _SHOWN_MODELS else ""
    return f" ({', '.join(models[:_SHOWN_MODELS])}{more})"
