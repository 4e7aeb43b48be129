"""Slack's side of Socket Mode: envelopes, acknowledgements, and delivery again without them."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from aiohttp import WSMsgType, web

from tests.doubles.slack_state import TEAM


@dataclass
class Delivery:
    """One event on its way; every attempt has an envelope of its own."""

    event_id: str
    payload: dict[str, Any]
    type: str = "events_api"
    envelopes: list[str] = field(default_factory=list)
    acked: bool = False


class Sockets:
    """The connections of one app, and what is on its way to it."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []
        self.tickets: set[str] = set()
        self.open: list[web.WebSocketResponse] = []
        self.connections = 0
        self.hello = True
        self._numbers = count(1)

    def ticket(self) -> str:
        """A new address' secret part, good for one connection."""
        ticket = f"ticket-{next(self._numbers)}"
        self.tickets.add(ticket)
        return ticket

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection until it ends."""
        ticket = request.match_info["ticket"]
        if ticket not in self.tickets:
            return web.Response(status=403)
        self.tickets.discard(ticket)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.open.append(socket)
        self.connections += 1
        try:
            if self.hello:
                await socket.send_json({"type": "hello", "num_connections": len(self.open)})
                await self.redeliver()
            async for message in socket:
                if message.type == WSMsgType.TEXT:
                    self._read(json.loads(message.data))
        finally:
            self.open.remove(socket)
        return socket

    async def deliver(self, event: Any, **more: Any) -> Delivery:
        """Send an event to the newest connection; without one it waits for the next."""
        number = next(self._numbers)
        payload = {
            "type": "event_callback",
            "team_id": TEAM,
            "event": event,
            "event_id": f"Ev{number}",
            **more,
        }
        return await self._begin(Delivery(f"Ev{number}", payload))

    async def send(self, kind: str, payload: dict[str, Any]) -> Delivery:
        """Send an interaction or a command."""
        return await self._begin(Delivery(f"{kind}-{next(self._numbers)}", payload, kind))

    async def _begin(self, delivery: Delivery) -> Delivery:
        self.deliveries.append(delivery)
        await self._send(delivery)
        return delivery

    async def redeliver(self) -> None:
        """Send again what has no acknowledgement."""
        for delivery in self.deliveries:
            if not delivery.acked:
                await self._send(delivery)

    async def repeat(self, delivery: Delivery) -> None:
        """Send an event again although it was acknowledged."""
        await self._send(delivery)

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Ask for a new connection, as Slack does every few hours."""
        for socket in list(self.open):
            await socket.send_json({"type": "disconnect", "reason": reason})

    async def drop(self) -> None:
        """Cut every connection without a word."""
        for socket in list(self.open):
            transport = socket._req.transport if socket._req is not None else None
            if transport is not None:
                transport.abort()

    async def close(self) -> None:
        """End every connection."""
        await asyncio.gather(*(socket.close() for socket in list(self.open)))

    async def _send(self, delivery: Delivery) -> None:
        if not self.open:
            return
        envelope = f"envelope-{next(self._numbers)}"
        attempt = len(delivery.envelopes)
        delivery.envelopes.append(envelope)
        message: dict[str, Any] = {
            "type": delivery.type,
            "envelope_id": envelope,
            "payload": delivery.payload,
            "accepts_response_payload": False,
            "retry_attempt": attempt,
            "retry_reason": "timeout" if attempt else "",
        }
        try:
            await self.open[-1].send_json(message)
        except ConnectionError:
            return

    def _read(self, message: dict[str, Any]) -> None:
        for delivery in self.deliveries:
            if message.get("envelope_id") in delivery.envelopes:
                delivery.acked = True
