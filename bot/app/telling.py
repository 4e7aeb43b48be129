"""What a person at the terminal reads of a process: that it is ready, connected, stopping."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Protocol, runtime_checkable

from bot.app.roles import ALL, Role
from bot.dialogue import Platform
from bot.ports import Adapter

Say = Callable[[str], None]

_LOOK_SECONDS = 0.2


@runtime_checkable
class Hears(Protocol):
    """A platform that speaks to us over connections which we keep open."""

    def connected(self) -> bool:
        """Whether all connections that this process should have stand."""
        ...

    def hears(self) -> bool:
        """Whether it has any."""
        ...


def ready_line(
    address: str,
    roles: frozenset[Role],
    model: str,
    platforms: Sequence[Platform],
    over_http: Collection[Platform] = (),
) -> str:
    """Say that we are ready, by what is there: the pages' address, the roles if not all, model, platforms."""
    played = _joined(sorted(roles)) if roles != ALL else ""
    parts = (address, played, model, *_platforms(roles, platforms, over_http), "Ctrl-C stops it")
    return "Frontdesk is ready: " + " · ".join(part for part in parts if part)


def stopping_line(answers: int, grace: float) -> str:
    """Say how long it may take to stop, and why."""
    if not answers:
        return "Stopping …"
    written = "1 answer is" if answers == 1 else f"{answers} answers are"
    return (
        f"Stopping: {written} still being written, for up to {grace:g} s; what is not done then, another "
        "process or the next start goes on with. Ctrl-C again ends at once."
    )


async def tell_connected(adapters: Mapping[Platform, Adapter], say: Say) -> None:
    """Say of each platform when its connections stand for the first time, and return after the last."""
    waiting = {name: adapter for name, adapter in adapters.items() if isinstance(adapter, Hears)}
    while waiting:
        for name in [name for name, adapter in waiting.items() if adapter.hears() and adapter.connected()]:
            del waiting[name]
            say(f"{name.capitalize()} is connected")
        await asyncio.sleep(_LOOK_SECONDS)


def _platforms(
    roles: frozenset[Role], platforms: Sequence[Platform], over_http: Collection[Platform]
) -> list[str]:
    called = [name for name in platforms if name not in over_http]
    told = []
    if Role.GATEWAY in roles and called:
        told.append(f"connecting to {_joined(name.capitalize() for name in called)}")
    if Role.WEB in roles and over_http:
        told.append(f"{_joined(name.capitalize() for name in over_http)} over HTTP")
    if not told and Role.WORKER in roles and platforms:
        told.append(f"answers on {_joined(name.capitalize() for name in platforms)}")
    return told


def _joined(names: Iterable[str]) -> str:
    return " and ".join(names)
