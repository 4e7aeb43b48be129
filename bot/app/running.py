"""`bot run`: serves the console, listens on the platforms, and answers, until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from pydantic import SecretStr
from starlette.types import ASGIApp

from bot.adapters.local import LocalAdapter
from bot.app.ground import Ground, opened
from bot.app.house import BEAT_SECONDS, House, build
from bot.app.parts import discord_adapter, hosted_backends, on_board_backend, slack_adapter
from bot.config import Settings
from bot.dialogue import Platform
from bot.errors import PlatformError, StoreError
from bot.memory import migrations
from bot.memory.history import HistoryShelf
from bot.memory.turns import LeaseTerms
from bot.memory.workspaces import Workspaces
from bot.ports import Adapter, Backend
from bot.web.serve import bound, serve
from bot.web.site import check_open, create_app

log = structlog.get_logger()

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Standing:
    """A house with its ground and what it talks with."""

    ground: Ground
    house: House
    backends: tuple[Backend, ...]
    adapters: Mapping[Platform, Adapter]
    routes: Mapping[str, ASGIApp]  # what platforms deliver over HTTP, by exact path


async def run(settings: Settings, say: Say) -> None:
    """Run until SIGINT or SIGTERM, which also end a start; a second one does not wait for running answers."""
    stop = asyncio.create_task(stop_signal().wait(), name="stop")
    running = asyncio.create_task(_run(settings, say), name="run")
    try:
        await asyncio.wait({stop, running}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await cancelled([stop, running])
    if not running.cancelled():
        await running


@asynccontextmanager
async def standing(
    settings: Settings,
    local: tuple[Platform, ...],
    say: Say,
    *,
    platforms: bool = False,
    terms: LeaseTerms | None = None,
    beat: float = BEAT_SECONDS,
) -> AsyncIterator[Standing]:
    """
    Build the house and let it work: answer on `local`, and with `platforms` on Slack and Discord too.

    At the end running answers get a few seconds, then everything is given back in the order it was taken.
    `terms` and `beat` are how long a dead process is waited for.
    """
    async with AsyncExitStack() as stack:
        ground = await stack.enter_async_context(opened(settings, say))
        backends = await _backends(settings, ground, stack, say)
        shelf = HistoryShelf(ground.database, ground.counter)
        workspaces = Workspaces(ground.database)
        adapters: dict[Platform, Adapter] = {name: LocalAdapter(name) for name in local}
        routes: Mapping[str, ASGIApp] = {}
        if platforms:
            slack = slack_adapter(settings.slack, ground.words)
            discord = discord_adapter(settings.discord, shelf, ground.words, workspaces)
            routes = slack.routes if slack is not None else {}
            for adapter in (slack, discord):
                if adapter is not None:
                    stack.push_async_callback(adapter.close)
                    adapters[adapter.platform] = adapter
        house = build(settings, ground, backends, adapters, shelf, workspaces, terms, beat)
        bell = supervised("bell", ground.bell.run)
        leases = supervised("leases", house.leases.run)
        stack.push_async_callback(cancelled, [leases, bell])
        queue = supervised("queue", house.queue.run)
        stack.push_async_callback(cancelled, [queue])
        yield Standing(ground, house, backends, adapters, routes)


@asynccontextmanager
async def listening(built: Standing) -> AsyncIterator[None]:
    """Hand what people write on the platforms to the inbox while the block lasts."""
    doors = [supervised(f"listen-{name}", _listener(built, name)) for name in built.adapters]
    try:
        yield
    finally:
        await cancelled(doors)


def supervised(name: str, run: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
    """Keep something running until cancelled; what it dies of is logged and it is begun again."""

    async def keep() -> None:
        pause = 1.0
        while True:
            try:
                await run()
            except PlatformError as error:
                log.error("platform_refused", part=name, kind=type(error).__name__, reason=str(error))
                return
            except Exception as error:
                log.exception("part_failed", part=name, kind=type(error).__name__, again_in=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 30.0)

    return asyncio.create_task(keep(), name=name)


async def cancelled(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Cancel tasks and wait until they have ended."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)


def stop_signal() -> asyncio.Event:
    """Tell of the first SIGINT or SIGTERM by an event; the second one ends the process at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def told(number: signal.Signals) -> None:
        stop.set()
        loop.remove_signal_handler(number)
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told, number)
    return stop


async def _run(settings: Settings, say: Say) -> None:
    """Run until cancelled; the web console's end is ours, a platform's is not."""
    web_settings = settings.web
    # Before anything is started, since it may be refused.
    check_open(web_settings.host, _secret(web_settings.token))
    with bound(web_settings.host, web_settings.port) as listener:
        async with standing(settings, (Platform.WEB, Platform.CONSOLE), say, platforms=True) as built:
            web = asyncio.create_task(serve_web(settings, built, say, listener), name="web")
            async with listening(built):
                try:
                    await asyncio.wait([web])
                finally:
                    log.info("stopping")
                    await cancelled([web])
            await web


def _secret(value: SecretStr | None) -> str | None:
    return value.get_secret_value() if value else None


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


async def serve_web(settings: Settings, built: Standing, say: Say, listener: socket.socket) -> None:
    """Serve the console, and beside it what platforms deliver over HTTP, until cancelled."""
    words, web = built.ground.words, settings.web
    model = built.backends[0]

    def note(language: str) -> str:
        key = "web-model-small" if model.languages else "web-model-hosted"
        return words.say(key, language, model=model.name)

    async def health() -> Mapping[str, bool | str]:
        try:
            async with built.ground.database.transaction():
                await asyncio.to_thread(migrations.check, built.ground.url)
        except StoreError as error:
            return {"database": False, "reason": type(error).__name__}
        return {"database": True}

    app = create_app(
        built.house.door,
        built.house.transcripts,
        words,
        _secret(web.token),
        health,
        note,
        web.host,
    )
    names = [str(name) for name in built.adapters if name in {Platform.SLACK, Platform.DISCORD}]

    def ready(address: str) -> None:
        also = f" · {' and '.join(name.capitalize() for name in names)}" if names else ""
        say(f"Frontdesk is ready: {address} · {model.name}{also} · Ctrl-C stops it")

    await serve(app, listener, ready, built.routes)
