"""`bot run` from its start to its stop: the doors of its roles, and the pages."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial

import structlog
from pydantic import SecretStr

from bot.app.parts import model_told
from bot.app.probing import probes
from bot.app.roles import Role, read_roles
from bot.app.running import PLATFORMS, Say, Standing, listening, standing
from bot.app.supervising import cancelled, ending, stop_signal, supervised
from bot.app.telling import ready_line, stopping_line, tell_connected
from bot.config import Settings
from bot.dialogue import Platform
from bot.web.probes import check_metrics_open, probe_app
from bot.web.serve import bound, serve
from bot.web.site import check_open, create_app

log = structlog.get_logger()


async def run_as(settings: Settings, say: Say, role: str) -> None:
    """
    Run in these roles until SIGINT or SIGTERM, which also end a start.

    A second signal does not wait for running answers. Raises `SettingError` for a role that is none.
    """
    roles = read_roles(role)
    stop = asyncio.create_task(stop_signal().wait(), name="stop")
    running = asyncio.create_task(_run(settings, say, roles), name="run")
    try:
        await asyncio.wait({stop, running}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await cancelled([stop, running])
    if not running.cancelled():
        await running


async def _run(settings: Settings, say: Say, roles: frozenset[Role]) -> None:
    """Run until cancelled; the web console's end is ours, a platform's is not."""
    local = (Platform.WEB, Platform.CONSOLE)
    # Both before anything is started, since they may be refused.
    with _bound(settings, roles) as listener, _bound_to_probe(settings) as probed:
        async with standing(settings, local, say, platforms=True, roles=roles) as built:
            serving = asyncio.create_task(_serve(settings, built, say, listener), name="serve")
            async with listening(built), _probed(settings, built, probed):
                telling = asyncio.create_task(_tell_connected(built, say), name="connected")
                try:
                    await asyncio.wait([serving])
                finally:
                    # Nothing new is taken up from now on; the grace of running answers begins.
                    ending(built.work)
                    answers = built.house.leases.count
                    log.info("stopping", answers=answers)
                    say(stopping_line(answers, settings.work.grace_seconds))
                    await cancelled([telling, serving])
            await serving


@contextmanager
def _bound(settings: Settings, roles: frozenset[Role]) -> Iterator[socket.socket | None]:
    """Take the pages' address, where this process serves them."""
    web = settings.web
    if Role.WEB not in roles:
        yield None
        return
    check_open(web.host, _secret(web.token))
    with bound(web.host, web.port) as listener:
        yield listener


async def _tell_connected(built: Standing, say: Say) -> None:
    """Say when each platform is connected that this process holds connections to."""
    called = [name for name in built.heard if name not in _over_http(built)]
    await tell_connected({name: built.adapters[name] for name in called}, say)


@contextmanager
def _bound_to_probe(settings: Settings) -> Iterator[socket.socket | None]:
    """Take the address of the small server for machines, where one is wanted."""
    metrics = settings.metrics
    if metrics.port is None:
        yield None
        return
    check_metrics_open(metrics.host, _secret(metrics.token) or "")
    with bound(metrics.host, metrics.port, "BOT_METRICS") as listener:
        yield listener


@asynccontextmanager
async def _probed(settings: Settings, built: Standing, listener: socket.socket | None) -> AsyncIterator[None]:
    """Answer machines while the block lasts, in processes with pages and without."""
    if listener is None:
        yield
        return
    app = probe_app(probes(settings.metrics, built), settings.metrics.host)
    serving = supervised("probes", partial(serve, app, listener))
    try:
        yield
    finally:
        await cancelled([serving])


async def _serve(settings: Settings, built: Standing, say: Say, listener: socket.socket | None) -> None:
    """Serve the pages until cancelled, or only say that we are ready."""
    if listener is None:
        say(_ready(built, ""))
        await asyncio.Event().wait()
    else:
        await serve_pages(settings, built, listener, lambda address: say(_ready(built, address)))


def _ready(built: Standing, address: str) -> str:
    model = built.backends[0].name if built.backends else ""
    return ready_line(address, built.roles, model, _named(built), _over_http(built))


def _named(built: Standing) -> list[Platform]:
    return [name for name in PLATFORMS if name in built.adapters]


def _over_http(built: Standing) -> list[Platform]:
    return [Platform.SLACK] if built.routes else []


async def serve_pages(settings: Settings, built: Standing, listener: socket.socket, ready: Say) -> None:
    """Serve the pages, and beside them what platforms deliver, until cancelled; `ready` is told where."""
    words, web = built.ground.words, settings.web
    name, small = model_told(settings.model, built.backends)

    def note(language: str) -> str:
        return words.say("web-model-small" if small else "web-model-hosted", language, model=name)

    house, token = built.house, _secret(web.token)
    answers = probes(settings.metrics, built)
    app = create_app(house.door, house.transcripts, words, token, answers, note, web.host)
    await serve(app, listener, ready, {**built.routes, **built.pages})


def _secret(value: SecretStr | None) -> str | None:
    return value.get_secret_value() if value else None
