"""The double's REST calls: what discord.py and the adapter make use of, with limits and refusals at will."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from tests.doubles.discord_door import Call, Door, Refusal, Trouble
from tests.doubles.discord_files import described
from tests.doubles.discord_interactions import InteractionsDouble
from tests.doubles.discord_state import DIRECT, FORUM, THREAD, Person, Place, Post, State

_NONCE_SECONDS = 180.0
Emit = Callable[[str, Post], Awaitable[None]]


class RestDouble(Door):
    """Answers `/api/v10`; keeps every call, and what Discord's description objects to."""

    def __init__(self, state: State, token: str, emit: Emit, changed: Callable[[], None]) -> None:
        super().__init__(token, changed)
        self._state = state
        self._emit = emit
        self._nonces: dict[tuple[str, str], tuple[float, str]] = {}
        self.pings: list[str] = []
        self.typing: list[tuple[str, float]] = []
        self.interactions = InteractionsDouble(state, emit)
        self.gateway_address = ""
        self.max_concurrency = 16
        self.shards = 1

    def routes(self) -> list[web.RouteDef]:
        table: list[tuple[str, str, Callable[..., Awaitable[Any]]]] = [
            ("GET", "/gateway/bot", self._gateway),
            ("GET", "/users/@me", self._me),
            ("GET", "/users/@me/guilds", self._guilds),
            ("POST", "/users/@me/channels", self._open_direct),
            ("GET", "/oauth2/applications/@me", self._application),
            ("GET", "/applications/@me", self._application),
            ("GET", "/guilds/{guild_id}/members/{user_id}", self._member),
            ("GET", "/guilds/{guild_id}", self._guild),
            ("GET", "/guilds/{guild_id}/channels", self._channels),
            ("GET", "/channels/{channel_id}", self._channel),
            ("POST", "/channels/{channel_id}/typing", self._typing),
            ("GET", "/channels/{channel_id}/messages", self._messages),
            ("POST", "/channels/{channel_id}/messages", self._create),
            ("GET", "/channels/{channel_id}/messages/{message_id}", self._message),
            ("PATCH", "/channels/{channel_id}/messages/{message_id}", self._edit),
            ("DELETE", "/channels/{channel_id}/messages/{message_id}", self._delete),
            ("POST", "/channels/{channel_id}/messages/{message_id}/threads", self._begin_thread),
            ("PATCH", "/channels/{channel_id}", self._reopen),
            *self.interactions.routes(),
        ]
        return [web.route(method, f"/api/v10{path}", self.wrap(path, act)) for method, path, act in table]

    # What each call does.

    async def _gateway(self, request: web.Request, body: Any) -> dict[str, Any]:
        limit = {
            "total": 1000,
            "remaining": 999,
            "reset_after": 14_400_000,
            "max_concurrency": self.max_concurrency,
        }
        return {"url": self.gateway_address, "shards": self.shards, "session_start_limit": limit}

    async def _me(self, request: web.Request, body: Any) -> dict[str, Any]:
        return self._state.user(self._state.bot) | {"mfa_enabled": False, "locale": "en-US"}

    async def _guilds(self, request: web.Request, body: Any) -> list[dict[str, Any]]:
        guilds = self._state.guilds().items() if self._state.in_guild else []
        return [
            {
                "id": guild_id,
                "name": name,
                "icon": None,
                "banner": None,
                "owner": False,
                "permissions": self._state.permissions,
                "features": [],
            }
            for guild_id, name in guilds
        ]

    async def _guild(self, request: web.Request, body: Any) -> dict[str, Any]:
        return described(self._state, self._guild_id(request))

    async def _channels(self, request: web.Request, body: Any) -> list[dict[str, Any]]:
        guild_id = self._guild_id(request)
        found = [place for place in self._state.places.values() if place.guild_id == guild_id]
        return [self._state.channel(place) for place in found if place.kind != THREAD]

    def _guild_id(self, request: web.Request) -> str:
        guild_id = request.match_info["guild_id"]
        if guild_id not in self._state.guilds():
            raise Refusal(404, 10004, "Unknown Guild")
        return guild_id

    async def _application(self, request: web.Request, body: Any) -> dict[str, Any]:
        flags = (1 << 18) if self._state.content_intent else 0
        return {
            "id": self._state.bot.id,
            "name": self._state.bot.name,
            "icon": None,
            "description": "",
            "type": None,
            "verify_key": "0" * 64,
            "flags": flags,
            "flags_new": str(flags),
            "redirect_uris": [],
            "interactions_endpoint_url": None,
            "role_connections_verification_url": None,
            "owner": self._state.user(self._state.bot),
            "approximate_guild_count": 1,
            "approximate_user_install_count": 0,
            "approximate_user_authorization_count": 0,
            "explicit_content_filter": 0,
            "team": None,
            "eligible_oauth2_scopes": ["bot"],
            "bot_public": True,
            "bot_require_code_grant": False,
        }

    async def _member(self, request: web.Request, body: Any) -> dict[str, Any]:
        person = self._state.people.get(request.match_info["user_id"])
        if person is None:
            raise Refusal(404, 10007, "Unknown Member")
        return self._state.member(person) | {"user": self._state.user(person)}

    async def _channel(self, request: web.Request, body: Any) -> dict[str, Any]:
        return self._state.channel(self._place(request))

    async def _open_direct(self, request: web.Request, body: Any) -> dict[str, Any]:
        person = self._state.people[str(body["recipient_id"])]
        known = [place for place in self._state.places.values() if place.recipient is person]
        place = known[0] if known else Place(person.name, DIRECT, recipient=person)
        self._state.places[place.id] = place
        return self._state.channel(place)

    async def _typing(self, request: web.Request, body: Any) -> None:
        self.typing.append((self._place(request).id, time.monotonic()))

    async def _messages(self, request: web.Request, body: Any) -> list[dict[str, Any]]:
        found = self._state.in_place(self._place(request))
        limit = min(int(request.query.get("limit", "50")), 100)
        if "after" in request.query:
            found = [post for post in found if int(post.id) > int(request.query["after"])][:limit]
        else:
            before = int(request.query.get("before", "9" * 20))
            found = [post for post in found if int(post.id) < before][-limit:]
        return [self._shown(post) for post in reversed(found)]

    async def _message(self, request: web.Request, body: Any) -> dict[str, Any]:
        return self._shown(self._post(request))

    async def _create(self, request: web.Request, body: dict[str, Any]) -> dict[str, Any]:
        place = self._place(request)
        if place.locked:
            raise Refusal(400, 160005, "Thread is locked")
        if place.recipient is not None and not place.recipient.takes_direct:
            raise Refusal(403, 50007, "Cannot send messages to this user")
        if place.kind == FORUM:
            raise Refusal(400, 50008, "Cannot send messages in a non-text channel")
        content = _checked(body)
        nonce = str(body.get("nonce") or "")
        if len(nonce) > 25:
            raise Refusal(400, 50035, "Invalid Form Body")
        if (known := self._by_nonce(place, nonce)) and body.get("enforce_nonce"):
            return self._shown(known) | {"nonce": nonce}
        post = Post(self._state.bot, place, content, nonce=nonce, flags=body.get("flags") or 0)
        post.components = body.get("components") or []
        place.archived = False
        if reference := body.get("message_reference"):
            self._refer(post, reference)
        self._state.posts[post.id] = post
        self._nonces[place.id, nonce] = (time.monotonic(), post.id)
        self._count_pings(post, body.get("allowed_mentions"))
        await self._emit("MESSAGE_CREATE", post)
        return self._shown(post) | ({"nonce": nonce} if nonce else {})

    def _refer(self, post: Post, reference: dict[str, Any]) -> None:
        if str(reference["message_id"]) in self._state.posts:
            post.kind, post.reply_to = 19, str(reference["message_id"])
        elif reference.get("fail_if_not_exists", True):
            raise Refusal(400, 50035, "Unknown message")

    def _by_nonce(self, place: Place, nonce: str) -> Post | None:
        made_at, post_id = self._nonces.get((place.id, nonce), (0.0, ""))
        if not nonce or time.monotonic() - made_at > _NONCE_SECONDS:
            return None
        return self._state.posts.get(post_id)

    async def _edit(self, request: web.Request, body: dict[str, Any]) -> dict[str, Any]:
        post = self._post(request)
        if post.author is not self._state.bot:
            raise Refusal(403, 50005, "Cannot edit a message authored by another user")
        if post.place.archived:
            raise Refusal(400, 50083, "Thread is archived")
        if "components" in body:
            post.components = body["components"] or []
        post.history.append(post.content)
        post.content = _checked(body)
        post.edited_at = datetime.now(UTC)
        self._count_pings(post, body.get("allowed_mentions"))
        await self._emit("MESSAGE_UPDATE", post)
        return self._shown(post)

    async def _delete(self, request: web.Request, body: Any) -> None:
        post = self._post(request)
        del self._state.posts[post.id]

    async def _begin_thread(self, request: web.Request, body: dict[str, Any]) -> dict[str, Any]:
        post = self._post(request)
        if self._state.may_not_thread:
            raise Refusal(403, 50013, "Missing Permissions")
        if post.id in self._state.places:
            raise Refusal(400, 160004, "A thread has already been created for this message")
        place = Place(body["name"], THREAD, guild_id=post.place.guild_id, parent_id=post.place.id, id=post.id)
        self._state.places[place.id] = place
        starter = Post(post.author, place, "", kind=21, reply_to=post.id)
        self._state.posts[starter.id] = starter
        return self._state.channel(place)

    async def _reopen(self, request: web.Request, body: dict[str, Any]) -> dict[str, Any]:
        place = self._place(request)
        if place.locked:
            raise Refusal(403, 50013, "Missing Permissions")
        place.archived = bool(body.get("archived", place.archived))
        return self._state.channel(place)

    def _shown(self, post: Post) -> dict[str, Any]:
        return self._state.message(post, content=self._state.content_intent)

    def _place(self, request: web.Request) -> Place:
        place = self._state.places.get(request.match_info["channel_id"])
        if place is None:
            raise Refusal(404, 10003, "Unknown Channel")
        if place.unreadable:
            raise Refusal(403, 50001, "Missing Access")
        return place

    def _post(self, request: web.Request) -> Post:
        place = self._place(request)
        post = self._state.posts.get(request.match_info["message_id"])
        if post is None or post.place is not place:
            raise Refusal(404, 10008, "Unknown Message")
        return post

    def _count_pings(self, post: Post, allowed: dict[str, Any] | None) -> None:
        """Note whom this post makes a device ring for."""
        kinds = ("everyone", "users", "roles") if allowed is None else allowed.get("parse", ())
        if "everyone" in kinds:
            self.pings += re.findall(r"@everyone|@here", post.content)
        if "users" in kinds:
            self.pings += re.findall(r"<@!?\d+>", post.content)
        if "roles" in kinds:
            self.pings += re.findall(r"<@&\d+>", post.content)
        replied = True if allowed is None else allowed.get("replied_user", False)
        if post.reply_to and replied and not post.history:
            self.pings.append("reply")


def _checked(body: dict[str, Any]) -> str:
    content = str(body.get("content") or "").strip()
    if len(content) > 2_000:
        raise Refusal(400, 50035, "Invalid Form Body: content must be 2000 or fewer in length")
    if not content:
        raise Refusal(400, 50006, "Cannot send an empty message")
    return content


__all__ = ["Call", "Person", "RestDouble", "Trouble"]
