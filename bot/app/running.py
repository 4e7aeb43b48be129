"""`bot run`: opens the doors of its roles, and works until it is told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import structlog
from starlette.types import ASGIApp

from bot import __version__
from bot.adapters.local import LocalAdapter
from bot.app.ground import Ground, opened
from bot.app.house import BEAT_SECONDS, House, build
from bot.app.machinery import Machinery
from bot.app.parts import discord_adapter, hosted_backends, on_board_backend, slack_adapter
from bot.app.roles import ALL, Role
from bot.app.supervising import cancelled, supervised
from bot.config import Settings
from bot.dialogue import Platform
from bot.memory.history import HistoryShelf
from bot.memory.processes import Processes
from bot.memory.seats import Seats
from bot.memory.turns import LeaseTerms
from bot.memory.workspaces import Workspaces
from bot.ports import Adapter, Backend

log = structlog.get_logger()

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Standing:
    """A house with its ground and what it talks with; without the role of a worker it has no models."""

    ground: Ground
    house: House
    backends: tuple[Backend, ...]
    adapters: Mapping[Platform, Adapter]
    routes: Mapping[str, ASGIApp]  # what platforms deliver over HTTP, by exact path
    roles: frozenset[Role]
    machinery: Machinery


@asynccontextmanager
async def standing(
    settings: Settings,
    local: tuple[Platform, ...],
    say: Say,
    *,
    platforms: bool = False,
    roles: Collection[Role] = ALL,
    terms: LeaseTerms | None = None,
    beat: float = BEAT_SECONDS,
) -> AsyncIterator[Standing]:
    """
    Build the house and let it work: a worker answers on `local`, and with `platforms` on Slack and Discord.

    At the end running answers get their grace, then everything is given back in the order it was taken.
    `terms` and `beat` are how long a dead process is waited for.
    """
    roles = frozenset(roles)
    async with AsyncExitStack() as stack:
        ground = await stack.enter_async_context(opened(settings, say))
        machinery = _machinery(ground, roles, beat, stack)
        await machinery.processes.beat()
        backends = await _backends(settings, ground, stack, say) if Role.WORKER in roles else ()
        shelf = HistoryShelf(ground.database, ground.counter)
        workspaces = Workspaces(ground.database)
        adapters: dict[Platform, Adapter] = {name: LocalAdapter(name) for name in local}
        routes: Mapping[str, ASGIApp] = {}
        if platforms:
            slack = slack_adapter(settings.slack, ground.words, machinery)
            discord = discord_adapter(settings.discord, shelf, ground.words, workspaces, machinery)
            routes = slack.routes if slack is not None else {}
            for adapter in (slack, discord):
                if adapter is not None:
                    stack.push_async_callback(adapter.close)
                    adapters[adapter.platform] = adapter
        house = build(settings, ground, backends, adapters, shelf, workspaces, terms, beat)
        parts = [supervised("bell", ground.bell.run), supervised("leases", house.leases.run)]
        stack.push_async_callback(_ended, parts, house)
        if house.queue is not None:
            stack.push_async_callback(cancelled, [supervised("queue", house.queue.run)])
        yield Standing(ground, house, backends, adapters, routes, roles, machinery)


async def _ended(parts: Sequence[asyncio.Task[None]], house: House) -> None:
    """Write down what was only counted, then end what the last answers needed."""
    try:
        await house.settle()
    finally:
        await cancelled(parts)


@asynccontextmanager
async def listening(built: Standing) -> AsyncIterator[None]:
    """Hand what people write on the platforms to the inbox while the block lasts, as far as the roles go."""
    doors = [supervised(f"listen-{name}", _listener(built, name)) for name in _heard(built)]
    try:
        yield
    finally:
        await cancelled(doors)


def _heard(built: Standing) -> list[Platform]:
    """What a platform delivers over HTTP comes to who serves it, all else over a gateway's connection."""
    served = {Platform.SLACK} if built.routes else set()
    role = {name: Role.WEB if name in served else Role.GATEWAY for name in built.adapters}
    return [name for name in built.adapters if role[name] in built.roles]


def _machinery(ground: Ground, roles: frozenset[Role], beat: float, stack: AsyncExitStack) -> Machinery:
    """Register this process among the others, and keep what only one of them may hold."""
    processes = Processes(ground.database, roles, __version__, beat)
    seats = Seats(ground.database, processes.id, lambda: processes.count(Role.GATEWAY))
    parts = [supervised("processes", processes.run), supervised("seats", seats.run)]
    stack.push_async_callback(cancelled, parts)
    return Machinery(processes, seats)


async def _backends(
    settings: Settings, ground: Ground, stack: AsyncExitStack, say: Say
) -> tuple[Backend, ...]:
    hosted = hosted_backends(settings.model)
    for backend in hosted:
        stack.push_async_callback(backend.close)
    if settings.model.hosted:
        return tuple(hosted)
    say("Starting the model on board …")
    on_board = on_board_backend(settings.model, ground.data_dir)
    stack.push_async_callback(on_board.close)
    await on_board.open()
    return (on_board, *hosted)


def _listener(built: Standing, name: Platform) -> Callable[[], Awaitable[None]]:
    async def listen() -> None:
        await built.adapters[name].listen(built.house.door)

    return listen
