"""The console's server: starts on its port or says why not, and stops without waiting for its readers."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable, Iterator, Mapping

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.errors import SettingError

GRACE_SECONDS = 3

log = structlog.get_logger()


async def serve(
    app: Starlette,
    listener: socket.socket,
    ready: Callable[[str], None] = lambda _: None,
    beside: Mapping[str, ASGIApp] | None = None,
) -> None:
    """
    Serve the console until cancelled, then stop gracefully; `ready` is told the address.

    `listener` is what `bound` gave. What stands `beside` the console, by exact path, has a lock of its own
    and passes the console's by.
    """
    server = _Server(_configuration(_Beside(app, beside) if beside else app))
    running = asyncio.create_task(server.serve(sockets=[listener]))
    address = _address(listener)
    log.info("web_listening", address=address)
    ready(address)
    try:
        await asyncio.shield(running)
    finally:
        server.should_exit = True
        app.state.close()
        await running
        listener.close()


def bound(host: str, port: int, section: str = "BOT_WEB") -> socket.socket:
    """
    Take the address; who connects waits until it is served. `section` is whose settings name it.

    Port 0 takes any free one. Raises `SettingError` where the address cannot be had.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise SettingError(f"{section}__HOST: {host!r} is no address of this machine ({error})") from error
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(256)
    except OSError as error:
        listener.close()
        raise SettingError(_refused(section, host, port, error)) from error
    listener.setblocking(False)
    return listener


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the program, which stops more than this server."""
        yield


class _Beside:
    """Hands the requests for a few paths to others, all else to the console."""

    def __init__(self, app: ASGIApp, others: Mapping[str, ASGIApp]) -> None:
        self._app = app
        self._others = others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._others.get(scope["path"], self._app) if scope["type"] == "http" else self._app
        await app(scope, receive, send)


def _configuration(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        # The guard looks at the true client and the true headers.
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        log_level="warning",
        ws="none",
        lifespan="off",
        http="h11",
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def _refused(section: str, host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"{section}__PORT: port {port} on {host} is in use by another program; "
            f"stop that one, or set {section}__PORT to a free port, such as {_neighbour(port)}"
        )
    if error.errno == errno.EACCES:
        return f"{section}__PORT: port {port} needs more rights than this user has; set it to 1024 or more"
    return f"{section}__HOST: {host} cannot be listened on ({error.strerror}); set it to 127.0.0.1"


def _neighbour(port: int) -> int:
    return port + 1 if port < 65_535 else 8080


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}"
