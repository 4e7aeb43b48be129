"""One Socket Mode connection after the other, watched, so that none is silently dead."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any, Protocol

import structlog
from slack_bolt.adapter.socket_mode.async_internals import send_async_response
from slack_bolt.adapter.socket_mode.internals import build_headers
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.adapters.slack.web import Web, quiet
from bot.errors import PermissionMissing, PlatformError, TokenRefused

log = structlog.get_logger()

HELLO_SECONDS = 10.0
PING_SECONDS = 5.0
LOOK_SECONDS = 0.5
LONGEST_PAUSE = 30.0
GRACE_SECONDS = 3.0  # for acknowledgements on their way over a connection that is being replaced


class Watch(Protocol):
    """Whoever wants to know whether Slack is listened to."""

    def connected(self) -> None:
        """A connection stands."""
        ...

    def disconnected(self) -> None:
        """One that stood brings nothing any more."""
        ...


async def serve(
    app: AsyncApp,
    web: Web,
    app_token: str,
    watch: Watch | None = None,
    hello_seconds: float = HELLO_SECONDS,
) -> None:
    """
    Keep a connection open and hand its envelopes to the app, for ever; `watch` learns whether one stands.

    The SDK's own reconnecting tries an outdated address again and again, so each connection here is
    made from a new one. Raises `TokenRefused` where the app-level token is wrong.
    """
    retiring: set[asyncio.Task[None]] = set()
    loop = asyncio.get_running_loop()
    failures = 0
    try:
        while True:
            began = loop.time()
            socket = await _connect(app, web, app_token, watch, hello_seconds)
            if socket is not None:
                await _watch(socket)
                task = asyncio.create_task(_retire(socket))
                retiring.add(task)
                task.add_done_callback(retiring.discard)
            failures = 0 if loop.time() - began > LONGEST_PAUSE else failures + 1
            if socket is None or failures > 2:
                await asyncio.sleep(min(0.5 * 2.0**failures, LONGEST_PAUSE) * random.uniform(0.5, 1.0))
    finally:
        for task in retiring:
            task.cancel()
        if retiring:
            await asyncio.wait(retiring)


class Socket(SocketModeClient):
    """A connection that ends once and says so, instead of reconnecting by itself."""

    def __init__(self, app: AsyncApp, url: str, proxy: str | None = None, watch: Watch | None = None) -> None:
        """The address comes from `apps.connections.open` and is good for one connection."""
        super().__init__(
            app_token="",
            logger=quiet("socket"),
            web_client=app.client,
            auto_reconnect_enabled=False,
            ping_interval=PING_SECONDS,
        )
        self.proxy = proxy  # after the SDK has looked into the environment, which is decided elsewhere
        self.wss_uri = url
        self._app = app
        self._watch = watch
        self._ended = asyncio.Event()
        self._hello = asyncio.Event()
        self._busy: set[asyncio.Task[Any]] = set()
        self.message_listeners.append(self._note)
        self.socket_mode_request_listeners.append(self._handle)

    async def open(self, seconds: float) -> bool:
        """Connect; False where Slack does not say hello in time."""
        try:
            async with asyncio.timeout(seconds):
                await self.connect()  # type: ignore[no-untyped-call]
                await self._hello.wait()
        except TimeoutError:
            return False
        return True

    async def ended(self) -> None:
        """Wait until Slack asks for a new connection, or this one is closed or silent."""
        while not self._ended.is_set() and await self.is_connected():
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._ended.wait()
            except TimeoutError:
                continue
        if not await self.is_connected():  # else it brings what is on its way until the next one stands
            self._gone()
        log.info("slack_disconnected")

    async def shut(self) -> None:
        """Let what is being kept be acknowledged, then close the connection and end the SDK's tasks."""
        if self._busy:
            _, late = await asyncio.wait(self._busy, timeout=GRACE_SECONDS)
            for task in late:
                task.cancel()
        await self.close()  # type: ignore[no-untyped-call]
        self._gone()

    def _gone(self) -> None:
        watch, self._watch = self._watch, None
        if watch is not None and self._hello.is_set():
            watch.disconnected()

    async def connect_to_new_endpoint(self, force: bool = False) -> None:
        """What the SDK calls when this connection is at its end: who serves makes the next one."""
        self._ended.set()

    async def _note(
        self, _: AsyncBaseSocketModeClient, message: dict[str, Any], __: str | None = None
    ) -> None:
        if message.get("type") == "hello" and not self._hello.is_set():
            self._hello.set()
            if self._watch is not None:
                self._watch.connected()
        elif "envelope_id" in message and not isinstance(message.get("payload"), dict):
            await self._drop(str(message["envelope_id"]))

    async def _handle(self, _: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._busy.add(task)
            task.add_done_callback(self._busy.discard)
        asked = _as_bolt_reads(request)
        if asked is None:
            await self._drop(request.envelope_id)
            return
        response = await self._app.async_dispatch(asked)
        await send_async_response(self, request, response, time.time())

    async def _drop(self, envelope_id: str) -> None:
        """Acknowledge what nobody can read; it would only come again."""
        log.warning("slack_envelope_malformed")
        await self.send_socket_mode_response({"envelope_id": envelope_id})


def _as_bolt_reads(request: SocketModeRequest) -> AsyncBoltRequest | None:
    """None where the payload has not the form that Bolt trusts it to have when it looks for ids."""
    payload = request.payload
    if request.type == "events_api" and not isinstance(payload.get("event"), dict):
        return None
    try:
        return AsyncBoltRequest(mode="socket_mode", body=payload, headers=build_headers(request))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return None


async def _watch(socket: Socket) -> None:
    try:
        await socket.ended()
    except asyncio.CancelledError:
        await socket.shut()
        raise


async def _connect(
    app: AsyncApp, web: Web, app_token: str, watch: Watch | None, hello_seconds: float
) -> Socket | None:
    try:
        url = str((await web.as_app(app_token, "apps.connections.open"))["url"])
    except (TokenRefused, PermissionMissing) as error:
        raise TokenRefused(f"The Slack app-level token is not accepted: {error}") from error
    except (PlatformError, KeyError) as error:
        log.warning("slack_connection_refused", error=str(error))
        return None
    socket = Socket(app, url, web.proxy, watch)
    opened = False
    try:
        opened = await socket.open(hello_seconds)
    finally:
        if not opened:
            await socket.shut()
    log.info("slack_connected" if opened else "slack_no_hello")
    return socket if opened else None


async def _retire(socket: Socket) -> None:
    try:
        await asyncio.sleep(GRACE_SECONDS)
    finally:
        await socket.shut()
