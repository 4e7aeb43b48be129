"""Slack's double: Socket Mode and the Web API, as far as answering needs them."""

from __future__ import annotations

import itertools
import json
import time
from typing import Any

from aiohttp import WSMsgType, web

from benchmarks.clock import ACKED, DONE, SENT, SHOWN, Clock
from benchmarks.http import Exchange
from benchmarks.model import last_number

TEAM, BOT = "T0BENCH", "U0BOT"


class Slack:
    """A workspace with as many channels as are asked in."""

    name = "Slack"

    def __init__(self, clock: Clock) -> None:
        """Nobody is connected yet."""
        self._clock = clock
        self._sockets: list[web.WebSocketResponse] = []
        self._numbers = itertools.count(1)
        self._envelopes: dict[str, int] = {}
        self._streams: dict[str, int] = {}
        self._threads: dict[int, str] = {}
        self.calls = 0
        self.socket_url = ""

    @property
    def connected(self) -> int:
        """How many processes listen."""
        return len(self._sockets)

    def environment(self, address: str) -> dict[str, str]:
        """What a bot has to be told."""
        return {
            "BOT_SLACK__BOT_TOKEN": "xoxb-bench",
            "BOT_SLACK__APP_TOKEN": "xapp-bench",
            "BOT_SLACK__API_URL": f"{address}/api/",
        }

    async def ask(self, conversation: int, question: int) -> None:
        """Ask in a conversation's thread: first by a mention in its channel, then plainly."""
        stamp = self._stamp()
        event = {
            "type": "message",
            "user": f"U{conversation}",
            "text": f"question {question} please",
            "ts": stamp,
            "channel": f"C{conversation}",
            "channel_type": "channel",
            "event_ts": stamp,
            "team": TEAM,
        }
        self._clock.note(question, SENT)
        if conversation in self._threads:
            await self._deliver(event | {"thread_ts": self._threads[conversation]}, question)
            return
        self._threads[conversation] = stamp
        event["text"] = f"<@{BOT}> {event['text']}"
        await self._deliver(event, question)
        await self._deliver({**event, "type": "app_mention"}, -1)

    async def write(self, person: int, question: int) -> None:
        """Ask in a new thread of a person's direct channel: one event, a conversation of its own."""
        stamp = self._stamp()
        event = {
            "type": "message",
            "user": f"U{person}",
            "text": f"question {question} please",
            "ts": stamp,
            "thread_ts": stamp.replace(".", "1."),
            "channel": f"D{person}",
            "channel_type": "im",
            "event_ts": stamp,
            "team": TEAM,
        }
        self._clock.note(question, SENT)
        await self._deliver(event, question)

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one Socket Mode connection."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "hello", "num_connections": 1})
        self._sockets.append(socket)
        try:
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    question = self._envelopes.pop(json.loads(frame.data).get("envelope_id", ""), -1)
                    if question >= 0:
                        self._clock.note(question, ACKED)
        finally:
            self._sockets.remove(socket)
        return socket

    def call(self, exchange: Exchange) -> None:
        """Answer a call of the Web API."""
        self.calls += 1
        method = exchange.path.rsplit("/", 1)[-1]
        given = {"apps.connections.open": self._open, "users.info": _user, "auth.test": _me}.get(method)
        if given is not None:
            exchange.reply(given(exchange))
            return
        stamp = self._stamp()
        if method == "chat.stopStream" and json.loads(exchange.body)["ts"] not in self._streams:
            exchange.reply({"ok": False, "error": "message_not_in_streaming_state"})
            return
        if method.startswith("chat."):
            stamp = self._read(method, exchange.body) or stamp
        where: dict[str, Any] = (
            {"channel": {"id": "C1", "name": "bench"}} if method == "conversations.info" else {}
        )
        exchange.reply({"ok": True, "channel": "C1", "ts": stamp, "message": {"ts": stamp}} | where)

    def _read(self, method: str, body: bytes) -> str:
        """Note what a post shows; give its ts where it is known."""
        shown, finished = last_number(body, b"Answer "), last_number(body, b"finis ")
        stamp = ""
        if method in {"chat.appendStream", "chat.stopStream"}:
            stamp = str(json.loads(body)["ts"])
            finished = self._streams[stamp] if method == "chat.stopStream" else -1
        elif method == "chat.startStream":
            stamp, finished = self._stamp(), -1
            self._streams[stamp] = shown
        if shown >= 0:
            self._clock.note(shown, SHOWN)
        if finished >= 0:
            self._clock.note(finished, DONE)
        return stamp

    async def _deliver(self, event: dict[str, Any], question: int) -> None:
        number = next(self._numbers)
        payload: dict[str, Any] = {
            "type": "event_callback",
            "team_id": TEAM,
            "event": event,
            "event_id": f"Ev{number}",
        }
        payload |= {"api_app_id": "A0BENCH", "event_time": int(time.time())}
        envelope = {"type": "events_api", "envelope_id": f"envelope-{number}", "payload": payload}
        self._envelopes[f"envelope-{number}"] = question
        # As Slack does, spread over the connections; both forms of one mention may take different ones.
        await self._sockets[number % len(self._sockets)].send_json(
            envelope | {"accepts_response_payload": False}
        )

    def _open(self, _: Exchange) -> dict[str, Any]:
        return {"ok": True, "url": self.socket_url}

    def _stamp(self) -> str:
        return f"{int(time.time())}.{next(self._numbers) % 1_000_000:06d}"


def _user(exchange: Exchange) -> dict[str, Any]:
    profile = {"display_name": "Ann", "real_name": "Ann"}
    return {"ok": True, "user": {"id": "U1", "name": "ann", "tz": "Europe/Berlin", "profile": profile}}


def _me(exchange: Exchange) -> dict[str, Any]:
    return {"ok": True, "user_id": BOT, "bot_id": "B0BOT", "team_id": TEAM, "user": "frontdesk"}
