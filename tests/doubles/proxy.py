"""A forward proxy on loopback for plain HTTP and WebSockets; it says what went through it."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType, web


class ForwardProxy:
    """`async with ForwardProxy() as proxy:` then point a client at `proxy.url`; `paths` are in order."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.url = ""

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", self._pass_on)
        self._session = ClientSession()
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()
        await self._runner.cleanup()

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        self.paths.append(request.path)
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._pass_socket_on(request)
        headers = {name: value for name, value in request.headers.items() if name.lower() != "host"}
        body = await request.read()
        async with self._session.request(request.method, request.url, headers=headers, data=body) as found:
            kept = {
                name: found.headers[name]
                for name in ("Content-Type", "X-OAuth-Scopes")
                if name in found.headers
            }
            return web.Response(body=await found.read(), status=found.status, headers=kept)

    async def _pass_socket_on(self, request: web.Request) -> web.StreamResponse:
        near = web.WebSocketResponse()
        async with self._session.ws_connect(request.url) as far:
            await near.prepare(request)
            await asyncio.gather(_pump(near, far), _pump(far, near))
        return near


async def _pump(
    source: web.WebSocketResponse | ClientWebSocketResponse,
    sink: web.WebSocketResponse | ClientWebSocketResponse,
) -> None:
    async for message in source:
        if message.type == WSMsgType.TEXT:
            await sink.send_str(message.data)
    await sink.close()
