"""The console's server: starts on its port or says why not, and stops without waiting for its readers."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable, Iterator

import structlog
import uvicorn
from starlette.applications import Starlette

from bot.errors import SettingError

GRACE_SECONDS = 3

log = structlog.get_logger()


async def serve(app: Starlette, host: str, port: int, ready: Callable[[str], None] = lambda _: None) -> None:
    """
    Serve the console until cancelled, then stop gracefully; `ready` is told the address.

    Port 0 takes any free one. Raises `SettingError` where the address cannot be had.
    """
    listener = _listen(host, port)
    server = _Server(_configuration(app))
    running = asyncio.create_task(server.serve(sockets=[listener]))
    address = _address(host, listener)
    log.info("web_listening", address=address)
    ready(address)
    try:
        await asyncio.shield(running)
    finally:
        server.should_exit = True
        app.state.close()
        await running
        listener.close()


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the program, which stops more than this server."""
        yield


def _configuration(app: Starlette) -> uvicorn.Config:
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


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise SettingError(f"BOT_WEB__HOST: {host!r} is no address of this machine ({error})") from error
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(256)
    except OSError as error:
        listener.close()
        raise SettingError(_refused(host, port, error)) from error
    listener.setblocking(False)
    return listener


def _refused(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"BOT_WEB__PORT: port {port} on {host} is in use by another program; "
            f"stop that one, or set BOT_WEB__PORT to a free port, such as {_neighbour(port)}"
        )
    if error.errno == errno.EACCES:
        return f"BOT_WEB__PORT: port {port} needs more rights than this user has; set it to 1024 or more"
    return f"BOT_WEB__HOST: {host} cannot be listened on ({error.strerror}); set it to 127.0.0.1"


def _neighbour(port: int) -> int:
    return port + 1 if port < 65_535 else 8080


def _address(host: str, listener: socket.socket) -> str:
    port = listener.getsockname()[1]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}"
