"""Discord's double: a gateway with one guild, and the REST calls that answering needs."""

from __future__ import annotations

import itertools
import json
import time
import zlib
from typing import Any

from aiohttp import WSMsgType, web

from benchmarks.clock import DONE, SENT, SHOWN, Clock
from benchmarks.http import Exchange
from benchmarks.model import last_number

GUILD, BOT, CHANNEL, THREADS, PEOPLE = "1000", "2000", "3000", 4_000_000, 5_000_000
_EPOCH = 1_420_070_400_000
_JOINED = "2026-01-01T00:00:00+00:00"


class Socket:
    """A websocket that compresses as the client asked."""

    def __init__(self, response: web.WebSocketResponse, compressed: bool) -> None:
        """`compressed` asks for Discord's zlib-stream."""
        self._response = response
        self._deflate = zlib.compressobj() if compressed else None
        self._sequence = itertools.count(1)

    async def send(self, op: int, data: Any, kind: str | None = None) -> None:
        """Send one frame."""
        number = next(self._sequence) if kind else None
        text = json.dumps({"op": op, "d": data, "s": number, "t": kind})
        if self._deflate is None:
            await self._response.send_str(text)
        else:
            packed = self._deflate.compress(text.encode()) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
            await self._response.send_bytes(packed)


class Discord:
    """A guild with a thread for each conversation."""

    name = "Discord"

    def __init__(self, clock: Clock, threads: int) -> None:
        """`threads` are told of when a client connects."""
        self._clock = clock
        self._threads = threads
        self._sockets: list[Socket] = []
        self._numbers = itertools.count(1)
        self._commands: list[dict[str, Any]] = []
        self.calls = 0
        self.gateway_url = ""

    @property
    def connected(self) -> int:
        """How many processes listen."""
        return len(self._sockets)

    def environment(self, address: str) -> dict[str, str]:
        """What a bot has to be told."""
        return {"BOT_DISCORD__TOKEN": "bench", "BOT_DISCORD__API_URL": f"{address}/api/v10"}

    async def ask(self, conversation: int, question: int) -> None:
        """Ask in a conversation's thread, naming the bot."""
        author = _person(PEOPLE + conversation, f"Ann {conversation}")
        place = str(THREADS + conversation)
        message = self._message(place, f"<@{BOT}> question {question} please", author)
        message |= {"guild_id": GUILD, "member": _member(), "mentions": [_me()], "channel_type": 11}
        self._clock.note(question, SENT)
        for socket in self._sockets:
            await socket.send(0, message, "MESSAGE_CREATE")

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one gateway connection."""
        response = web.WebSocketResponse()
        await response.prepare(request)
        socket = Socket(response, request.query.get("compress") == "zlib-stream")
        await socket.send(10, {"heartbeat_interval": 41_250})
        try:
            async for frame in response:
                if frame.type is not WSMsgType.TEXT:
                    break
                asked = json.loads(frame.data)
                if asked["op"] == 1:
                    await socket.send(11, None)
                elif asked["op"] == 2:
                    await self._welcome(socket, asked["d"])
        finally:
            if socket in self._sockets:
                self._sockets.remove(socket)
        return response

    async def _welcome(self, socket: Socket, asked: dict[str, Any]) -> None:
        ready = {
            "v": 10,
            "user": _me(),
            "guilds": [{"id": GUILD, "unavailable": True}],
            "session_id": "bench",
            "resume_gateway_url": self.gateway_url,
            "application": {"id": BOT, "flags": 0},
            "private_channels": [],
            **({"shard": asked["shard"]} if "shard" in asked else {}),
        }
        await socket.send(0, ready, "READY")
        await socket.send(0, _guild(self._threads), "GUILD_CREATE")
        self._sockets.append(socket)

    def call(self, exchange: Exchange) -> None:
        """Answer a REST call."""
        self.calls += 1
        parts = exchange.path.removeprefix("/api/v10/").split("/")
        match (exchange.method, *parts):
            case ("GET", "gateway", "bot"):
                limit = {"total": 1000, "remaining": 999, "reset_after": 1, "max_concurrency": 16}
                exchange.reply({"url": self.gateway_url, "shards": 1, "session_start_limit": limit})
            case ("GET", "users", "@me"):
                exchange.reply(_me())
            case ("PUT", "applications", _, "commands"):
                self._commands = [{"id": "1"} | command for command in json.loads(exchange.body)]
                exchange.reply(self._commands)
            case ("GET", "applications", _, "commands"):
                exchange.reply(self._commands)
            case ("GET", "oauth2" | "applications", *_):
                exchange.reply({"id": BOT, "name": "Frontdesk", "flags": 1 << 18, "owner": _me()} | _APP)
            case ("POST" | "PATCH", "channels", place, "messages", *_):
                exchange.reply(self._posted(exchange, place, parts))
            case ("GET" | "PUT", *_):
                exchange.reply([])
            case _:
                exchange.reply(status=204)

    def _posted(self, exchange: Exchange, place: str, parts: list[str]) -> dict[str, Any]:
        content = str(json.loads(exchange.body).get("content", ""))
        shown, finished = last_number(exchange.body, b"Answer "), last_number(exchange.body, b"finis ")
        if shown >= 0:
            self._clock.note(shown, SHOWN)
        if finished >= 0:
            self._clock.note(finished, DONE)
        message = self._message(place, content, _me())
        return message | ({"id": parts[3]} if exchange.method == "PATCH" else {})

    def _message(self, place: str, content: str, author: dict[str, Any]) -> dict[str, Any]:
        moment = int(time.time() * 1000)
        return {
            "id": str(((moment - _EPOCH) << 22) | next(self._numbers) % (1 << 22)),
            "channel_id": place,
            "type": 0,
            "content": content,
            "author": author,
            "timestamp": _JOINED,
            "edited_timestamp": None,
        } | _PLAIN


_PLAIN: dict[str, Any] = {
    "mentions": [],
    "mention_roles": [],
    "mention_everyone": False,
    "attachments": [],
    "embeds": [],
    "components": [],
    "flags": 0,
    "pinned": False,
    "tts": False,
}
_APP = {
    "description": "",
    "icon": None,
    "bot_public": True,
    "bot_require_code_grant": False,
    "verify_key": "0",
}


_LISTS = ["emojis", "stickers", "features", "voice_states", "presences", "stage_instances"]
_LISTS += ["guild_scheduled_events", "soundboard_sounds"]
_LEVELS = ["verification_level", "default_message_notifications", "explicit_content_filter", "mfa_level"]
_LEVELS += ["premium_tier", "nsfw_level", "system_channel_flags"]


def _person(number: int, name: str) -> dict[str, Any]:
    return {"id": str(number), "username": name.lower(), "global_name": name, "avatar": None} | {
        "discriminator": "0",
        "public_flags": 0,
    }


def _me() -> dict[str, Any]:
    return _person(int(BOT), "Frontdesk") | {"bot": True}


def _member() -> dict[str, Any]:
    return {"roles": [], "joined_at": _JOINED, "deaf": False, "mute": False, "flags": 0, "nick": None}


def _guild(threads: int) -> dict[str, Any]:
    role = {"id": GUILD, "name": "@everyone", "color": 0, "hoist": False, "position": 0, "managed": False}
    role |= {"permissions": str((1 << 10) | (1 << 11) | (1 << 14) | (1 << 16) | (1 << 38)), "flags": 0}
    channel = {"id": CHANNEL, "type": 0, "guild_id": GUILD, "name": "bench", "position": 0, "flags": 0}
    meta = {"archived": False, "archive_timestamp": _JOINED, "auto_archive_duration": 1440, "locked": False}
    thread = {"type": 11, "guild_id": GUILD, "parent_id": CHANNEL, "owner_id": "5000000", "member_count": 2}
    thread |= {"message_count": 1, "thread_metadata": meta, "rate_limit_per_user": 0, "flags": 0}
    numbers = range(THREADS, THREADS + threads)
    described: dict[str, Any] = {name: [] for name in _LISTS} | dict.fromkeys(_LEVELS, 0)
    return described | {
        "id": GUILD,
        "name": "The Guild",
        "icon": None,
        "owner_id": "5000000",
        "roles": [role],
        "afk_timeout": 300,
        "preferred_locale": "en-US",
        "large": True,
        "unavailable": False,
        "member_count": 2,
        "joined_at": _JOINED,
        "members": [_member() | {"user": _me()}],
        "channels": [channel | {"permission_overwrites": [], "topic": None, "nsfw": False}],
        "threads": [thread | {"id": str(number), "name": f"t{number}"} for number in numbers],
    }
