"""The double's gateway: sessions, sequence numbers, heartbeats, resuming."""

from __future__ import annotations

import json
import secrets
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from tests.doubles.discord_state import State, shard_of

_MESSAGE_CONTENT = 1 << 15
_PRIVILEGED = _MESSAGE_CONTENT | (1 << 1) | (1 << 8)


@dataclass(eq=False)
class Session:
    """One IDENTIFY: its events, delivered or not, with their numbers."""

    intents: int
    shard: int = 0
    count: int = 1
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    events: list[tuple[int, str, dict[str, Any]]] = field(default_factory=list)
    socket: Socket | None = None

    @property
    def content(self) -> bool:
        return bool(self.intents & _MESSAGE_CONTENT)

    def hears(self, guild_id: str) -> bool:
        """Say whether its shard is a guild's; direct messages ("") come on the first one."""
        return self.shard == (shard_of(guild_id, self.count) if guild_id else 0)


class Socket:
    """A websocket that compresses as the client asked."""

    def __init__(self, response: web.WebSocketResponse, compressed: bool) -> None:
        self.response = response
        self._deflate = zlib.compressobj() if compressed else None

    async def send(self, **frame: Any) -> None:
        text = json.dumps({"op": 0, "d": None, "s": None, "t": None} | frame)
        if self._deflate is None:
            await self.response.send_str(text)
        else:
            packed = self._deflate.compress(text.encode()) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
            await self.response.send_bytes(packed)


class Gateway:
    """Takes connections and gives them events; what a test sets here breaks it."""

    def __init__(self, state: State, token: str, changed: Callable[[], None]) -> None:
        self._state = state
        self._token = token
        self._changed = changed
        self.address = ""
        self.sessions: dict[str, Session] = {}
        self.identified = 0
        self.resumed = 0
        self.refused = 0
        self.heartbeat_seconds = 41.25
        self.acks_heartbeats = True
        self.refuses_connections = False
        self.max_concurrency = 16
        self.identify_seconds = 0.0  # how often a rate-limit key may IDENTIFY
        self.too_soon: list[tuple[int, float]] = []  # who did not keep to it, and how soon it was
        self.never_ready = False  # an IDENTIFY gets no answer
        self._passed: dict[int, float] = {}
        self.replays_delivered = 0  # how many delivered events a RESUME brings again

    @property
    def connected(self) -> list[Session]:
        return [session for session in self.sessions.values() if session.socket is not None]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if self.refuses_connections:
            self.refused += 1
            return web.Response(status=503)
        response = web.WebSocketResponse()
        await response.prepare(request)
        socket = Socket(response, request.query.get("compress") == "zlib-stream")
        await socket.send(op=10, d={"heartbeat_interval": int(self.heartbeat_seconds * 1000)})
        session: Session | None = None
        try:
            async for frame in response:
                if frame.type is not WSMsgType.TEXT:
                    break
                session = await self._answer(socket, session, json.loads(frame.data))
        finally:
            if session is not None and session.socket is socket:
                session.socket = None
            self._changed()
        return response

    async def dispatch(self, kind: str, event: Callable[[bool], dict[str, Any]]) -> None:
        """Give an event to every session of its guild's shard; one that is away gets it when it resumes."""
        for session in list(self.sessions.values()):
            told = event(session.content)
            guild_id = told["id"] if kind.startswith("GUILD_") else told.get("guild_id", "")
            if session.hears(guild_id or ""):
                await self._put(session, kind, told)

    async def drop(self, *, keep: bool = True, code: int = WSCloseCode.SERVICE_RESTART) -> None:
        """Close all connections; without `keep` the sessions are forgotten."""
        for session in list(self.sessions.values()):
            socket, session.socket = session.socket, None
            if not keep:
                del self.sessions[session.id]
            if socket is not None:
                await socket.response.close(code=code)

    async def ask_to_reconnect(self) -> None:
        """Send op 7, as Discord does before its own restarts."""
        for session in self.connected:
            if session.socket is not None:
                await session.socket.send(op=7)

    async def invalidate(self, *, resumable: bool = False) -> None:
        """Send op 9: the session is over, unless it may be resumed."""
        for session in self.connected:
            if not resumable:
                del self.sessions[session.id]
            if session.socket is not None:
                await session.socket.send(op=9, d=resumable)

    async def _answer(self, socket: Socket, session: Session | None, frame: dict[str, Any]) -> Session | None:
        if frame["op"] == 1:
            if self.acks_heartbeats:
                await socket.send(op=11)
        elif frame["op"] == 2:
            return await self._identify(socket, frame["d"])
        elif frame["op"] == 6:
            return await self._resume(socket, frame["d"])
        return session

    async def _identify(self, socket: Socket, asked: dict[str, Any]) -> Session | None:
        if asked["token"] != self._token:
            await socket.response.close(code=4004, message=b"Authentication failed.")
            return None
        if asked["intents"] & _PRIVILEGED & ~self._granted():
            await socket.response.close(code=4014, message=b"Disallowed intent(s).")
            return None
        shard, count = asked.get("shard", (0, 1))
        if self._is_too_soon(shard):
            await socket.send(op=9, d=False)
            return None
        self.identified += 1
        if self.never_ready:
            self._changed()
            return None
        session = Session(asked["intents"], shard, count, socket=socket)
        self.sessions[session.id] = session
        await self._put(session, "READY", self._ready(session, asked))
        for guild_id in filter(session.hears, self._state.guilds()):
            await self._put(session, "GUILD_CREATE", self._state.guild(guild_id))
        self._changed()
        return session

    def _is_too_soon(self, shard: int) -> bool:
        key, now = shard % self.max_concurrency, time.monotonic()
        waited = now - self._passed.get(key, 0.0)
        self._passed[key] = now
        if waited < self.identify_seconds:
            self.too_soon.append((shard, waited))
        return waited < self.identify_seconds

    def _granted(self) -> int:
        return _MESSAGE_CONTENT if self._state.content_intent else 0

    def _ready(self, session: Session, asked: dict[str, Any]) -> dict[str, Any]:
        return {
            "v": 10,
            "user": self._state.user(self._state.bot),
            "guilds": [
                {"id": guild_id, "unavailable": True}
                for guild_id in filter(session.hears, self._state.guilds())
            ],
            "session_id": session.id,
            "resume_gateway_url": self.address,
            "application": {"id": self._state.bot.id, "flags": 0},
            "private_channels": [],
            **({"shard": asked["shard"]} if "shard" in asked else {}),
        }

    async def _resume(self, socket: Socket, asked: dict[str, Any]) -> Session | None:
        session = self.sessions.get(asked["session_id"])
        if session is None or asked["token"] != self._token:
            await socket.send(op=9, d=False)
            return None
        session.socket = socket
        self.resumed += 1
        heard = asked["seq"] - self.replays_delivered
        for number, kind, event in session.events:
            if number > heard and kind not in {"READY", "GUILD_CREATE"}:
                await socket.send(op=0, s=number, t=kind, d=event)
        await self._put(session, "RESUMED", {})
        self._changed()
        return session

    async def _put(self, session: Session, kind: str, event: dict[str, Any]) -> None:
        number = len(session.events) + 1
        session.events.append((number, kind, event))
        if session.socket is not None and not session.socket.response.closed:
            try:
                await session.socket.send(op=0, s=number, t=kind, d=event)
            except ConnectionError:
                session.socket = None  # it gets the event when it resumes
