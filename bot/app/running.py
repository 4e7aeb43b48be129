"""`bot run`: opens the doors of its roles, and works until it is told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import structlog
from starlette.types import ASGIApp

from bot import __version__
from bot.adapters.local import LocalAdapter
from bot.app.ground import Ground, opened
from bot.app.house import BEAT_SECONDS, House, build
from bot.app.installing import installing
from bot.app.machinery import Machinery
from bot.app.parts import discord_adapter, hosted_backends, on_board_backend, slack_adapter
from bot.app.roles import ALL, Role
from bot.app.supervising import cancelled, supervised
from bot.app.watching import Watch, watching
from bot.config import Settings
from bot.dialogue import Platform
from bot.errors import SettingError
from bot.generation.gate import Gate
from bot.memory.history import HistoryShelf
from bot.memory.marks import Marks
from bot.memory.processes import Processes
from bot.memory.seats import Seats
from bot.memory.turns import LeaseTerms
from bot.memory.workspaces import Workspaces
from bot.ports import Adapter, Backend

log = structlog.get_logger()

PLATFORMS = (Platform.SLACK, Platform.DISCORD)

Say = Callable[[str], None]

_NOTHING: Mapping[str, ASGIApp] = {}
_SILENT_BEATS = 4  # who misses so many is dead for the others


@dataclass(frozen=True, slots=True)
class Standing:
    """A house with its ground and what it talks with; without the role of a worker it has no models."""

    ground: Ground
    house: House
    backends: tuple[Backend, ...]
    adapters: Mapping[Platform, Adapter]
    routes: Mapping[str, ASGIApp]  # what platforms deliver over HTTP, by exact path
    pages: Mapping[str, ASGIApp]  # what people see who install the bot, by exact path
    roles: frozenset[Role]
    machinery: Machinery
    watch: Watch
    work: Sequence[asyncio.Task[None]] = ()  # what takes up answers

    @property
    def heard(self) -> Sequence[Platform]:
        """Name what is listened to here: what comes over HTTP by who serves it, all else by a gateway."""
        spoken = [name for name in self.adapters if name in PLATFORMS]
        served = {Platform.SLACK} if self.routes else set()
        return [name for name in spoken if (Role.WEB if name in served else Role.GATEWAY) in self.roles]


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
        machinery = _machinery(settings, ground, roles, beat, stack)
        await machinery.processes.beat()
        backends = await _backends(settings, ground, stack, say) if Role.WORKER in roles else ()
        shelf, workspaces = HistoryShelf(ground.database, ground.counter), Workspaces(ground.database)
        watch = await stack.enter_async_context(watching(settings.traces, machinery.processes.id))
        adapters: dict[Platform, Adapter] = {name: LocalAdapter(name) for name in local}
        routes, pages = _NOTHING, _NOTHING
        if platforms:
            retried, many = watch.metrics.retried, installing(settings, ground)
            slack = slack_adapter(settings.slack, ground.words, machinery, many, retried)
            if slack is not None:
                adapters[Platform.SLACK] = slack
                stack.push_async_callback(slack.close)
                routes, pages = slack.routes, slack.pages
            discord = discord_adapter(settings.discord, shelf, ground.words, workspaces, machinery, retried)
            if discord is not None:
                adapters[Platform.DISCORD] = discord
                stack.push_async_callback(discord.close)
        house = build(settings, ground, backends, adapters, shelf, workspaces, watch, terms, beat)
        work = _let_work(ground, house, stack)
        yield Standing(ground, house, backends, adapters, routes, pages, roles, machinery, watch, work)


@asynccontextmanager
async def listening(built: Standing) -> AsyncIterator[None]:
    """
    Hand what people write on the platforms to the inbox while the block lasts, as far as the roles go.

    Raises `SettingError` where this process is a gateway alone, and there is nothing to hold.
    """
    if built.roles == {Role.GATEWAY} and not built.heard:
        raise SettingError(
            "--role gateway: no platform speaks into a connection here. Set up Slack with an app-level "
            "token, or Discord (`bot setup`); what Slack delivers over HTTP comes to --role web"
        )
    doors = [supervised(f"listen-{name}", _listener(built, name)) for name in built.heard]
    try:
        yield
    finally:
        # Whoever is no gateway any more has no share of the seats, while its answers still go on.
        given_up = asyncio.create_task(built.machinery.processes.give_up(Role.GATEWAY))
        await cancelled(doors)
        await asyncio.wait([given_up])


def _machinery(
    settings: Settings, ground: Ground, roles: frozenset[Role], beat: float, stack: AsyncExitStack
) -> Machinery:
    """Register this process among the others, and keep what only one of them may hold."""
    processes = Processes(ground.database, roles, __version__, beat)
    seats = Seats(ground.database, processes.id, lambda: processes.count(Role.GATEWAY), _SILENT_BEATS * beat)
    parts = [supervised("processes", processes.run), supervised("seats", seats.run)]
    stack.push_async_callback(cancelled, parts)
    gaps = timedelta(hours=settings.gaps.hours)
    return Machinery(processes, seats, Marks(ground.database), gaps)


def _let_work(ground: Ground, house: House, stack: AsyncExitStack) -> list[asyncio.Task[None]]:
    """
    Begin what goes on by itself, and give what takes up answers.

    At the end the queue stops first, while leases are still kept.
    """
    parts = [supervised("bell", ground.bell.run), supervised("leases", house.leases.run)]
    stack.push_async_callback(cancelled, parts)
    stack.push_async_callback(house.courtesy.close)
    stack.push_async_callback(house.settle)
    working = {"queue": house.queue, "queued": house.queued}
    work = [supervised(name, part.run) for name, part in working.items() if part is not None]
    stack.push_async_callback(cancelled, work)
    return work


async def _backends(
    settings: Settings, ground: Ground, stack: AsyncExitStack, say: Say
) -> tuple[Backend, ...]:
    hosted = hosted_backends(settings.model)
    for backend in hosted:
        stack.push_async_callback(backend.close)
    rooms = [Gate(backend, one.at_once) for backend, one in zip(hosted, settings.model.choices, strict=True)]
    if settings.model.hosted:
        return tuple(rooms)
    say("Starting the model on board …")
    on_board = on_board_backend(settings.model, ground.data_dir)
    stack.push_async_callback(on_board.close)
    await on_board.open()
    return (on_board, *rooms)


def _listener(built: Standing, name: Platform) -> Callable[[], Awaitable[None]]:
    async def listen() -> None:
        await built.adapters[name].listen(built.house.door)

    return listen
