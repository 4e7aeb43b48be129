"""The double's interactions: what people press, type and send in, and how the bot answered each."""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.doubles.discord_door import Refusal
from tests.doubles.discord_state import Person, Place, Post, State, snowflake

_ACK_SECONDS = 3.0
_TOKEN_SECONDS = 900.0
_EPHEMERAL = 1 << 6
_COMMAND, _COMPONENT, _FORM = 2, 3, 5
Emit = Callable[[str, Post], Awaitable[None]]


@dataclass(eq=False)
class Interaction:
    """One thing that somebody did, and what the bot made of it."""

    kind: int
    person: Person
    place: Place
    data: dict[str, Any]
    post: Post | None = None
    locale: str = "en-US"
    id: str = field(default_factory=snowflake)
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    begun: float = field(default_factory=time.monotonic)
    answered: int = 0  # the type of the callback
    seconds: float = 0.0  # until it was acknowledged
    thinking: bool = False
    told: list[str] = field(default_factory=list)  # what the person alone is shown
    form: dict[str, Any] | None = None
    shown: Post | None = None  # what all are shown
    private: bool = False


class InteractionsDouble:
    """Takes the bot's answers as Discord does: once, in time, by a token that ends."""

    def __init__(self, state: State, emit: Emit) -> None:
        self._state = state
        self._emit = emit
        self.all: dict[str, Interaction] = {}
        self.commands: list[dict[str, Any]] = []
        self.registered = 0
        self.ack_seconds = _ACK_SECONDS

    def routes(self) -> list[tuple[str, str, Callable[..., Awaitable[Any]]]]:
        hook = "/webhooks/{webhook_id}/{webhook_token}"
        return [
            ("GET", "/applications/{application_id}/commands", self._known),
            ("PUT", "/applications/{application_id}/commands", self._register),
            ("POST", "/interactions/{interaction_id}/{interaction_token}/callback", self._callback),
            ("POST", hook, self._follow),
            ("GET", f"{hook}/messages/@original", self._original),
            ("PATCH", f"{hook}/messages/@original", self._change),
            ("DELETE", f"{hook}/messages/@original", self._delete),
        ]

    def event(self, interaction: Interaction) -> dict[str, Any]:
        """Say how it looks at the gateway."""
        place, state = interaction.place, self._state
        self.all[interaction.token] = interaction
        described: dict[str, Any] = {
            "id": interaction.id,
            "application_id": state.bot.id,
            "type": interaction.kind,
            "token": interaction.token,
            "version": 1,
            "data": interaction.data,
            "locale": interaction.locale,
            "channel_id": place.id,
            "channel": state.channel(place),
            "app_permissions": state.app_permissions,
            "attachment_size_limit": 10_485_760,
            "entitlements": [],
            "authorizing_integration_owners": {"0": place.guild_id or "0"},
            "context": 0 if place.guild_id else 1,
        }
        if interaction.post is not None and interaction.kind == _COMPONENT:
            described["message"] = state.message(interaction.post)
        if not place.guild_id:
            return described | {"user": state.user(interaction.person)}
        member = state.member(interaction.person) | {"user": state.user(interaction.person)}
        member["permissions"] = str(interaction.person.permissions)
        guild = {"id": place.guild_id, "locale": "en-US", "features": []}
        return described | {
            "guild_id": place.guild_id,
            "guild_locale": "en-US",
            "guild": guild,
            "member": member,
        }

    # The application's commands.

    async def _known(self, request: web.Request, body: Any) -> list[dict[str, Any]]:
        return [self._kept(command) for command in self.commands]

    async def _register(self, request: web.Request, body: list[dict[str, Any]]) -> list[dict[str, Any]]:
        self.registered += 1
        self.commands = [dict(command, id=snowflake()) for command in body]
        return [self._kept(command) for command in self.commands]

    def _kept(self, command: dict[str, Any]) -> dict[str, Any]:
        added = {
            "application_id": self._state.bot.id,
            "version": snowflake(),
            "default_member_permissions": None,
            "description": "",
            "nsfw": False,
            "dm_permission": True,
            "integration_types": [0],
        }
        kept = added | {key: value for key, value in command.items() if value != []}
        if kept["default_member_permissions"] is not None:
            kept["default_member_permissions"] = str(kept["default_member_permissions"])
        return kept

    # The answers.

    async def _callback(self, request: web.Request, body: dict[str, Any]) -> dict[str, Any] | None:
        interaction = self.all.get(request.match_info["interaction_token"])
        if interaction is None or time.monotonic() - interaction.begun > self.ack_seconds:
            raise Refusal(404, 10062, "Unknown interaction")
        if interaction.answered:
            raise Refusal(400, 40060, "Interaction has already been acknowledged.")
        interaction.answered = body["type"]
        interaction.seconds = time.monotonic() - interaction.begun
        data = body.get("data") or {}
        if body["type"] == 9:
            interaction.form = data
        elif body["type"] in {4, 5}:
            interaction.private = bool((data.get("flags") or 0) & _EPHEMERAL)
            interaction.thinking = body["type"] == 5
        if body["type"] == 4:
            await self._show(interaction, data.get("content") or "")
        return self._described(interaction) if "with_response" in request.query else None

    async def _show(self, interaction: Interaction, content: str) -> None:
        if not content or len(content) > 2_000:
            raise Refusal(400, 50035, "Invalid Form Body")
        if interaction.private:
            interaction.told.append(content)
            return
        post = Post(self._state.bot, interaction.place, content, kind=20)
        self._state.posts[post.id] = interaction.shown = post
        await self._emit("MESSAGE_CREATE", post)

    def _described(self, interaction: Interaction) -> dict[str, Any]:
        told: dict[str, Any] = {"id": interaction.id, "type": interaction.kind}
        told["response_message_loading"] = interaction.thinking
        told["response_message_ephemeral"] = interaction.private
        if interaction.answered == 9:
            return {"interaction": told}
        shown = interaction.shown or Post(self._state.bot, interaction.place, "…", kind=20)
        told["response_message_id"] = shown.id
        if interaction.answered != 4:
            return {"interaction": told}
        resource = {"type": 4, "message": self._state.message(shown)}
        return {"interaction": told, "resource": resource}

    async def _original(self, request: web.Request, body: Any) -> dict[str, Any]:
        interaction = self._open(request)
        if interaction.shown is None:
            raise Refusal(404, 10008, "Unknown Message")
        return self._state.message(interaction.shown)

    async def _change(self, request: web.Request, body: dict[str, Any]) -> dict[str, Any]:
        interaction = self._open(request)
        interaction.thinking = False
        await self._show(interaction, body.get("content") or "")
        return self._state.message(interaction.shown or Post(self._state.bot, interaction.place, "told"))

    async def _delete(self, request: web.Request, body: Any) -> None:
        interaction = self._open(request)
        if interaction.shown is not None:
            self._state.posts.pop(interaction.shown.id, None)

    async def _follow(self, request: web.Request, body: dict[str, Any]) -> dict[str, Any]:
        interaction = self._open(request)
        if (body.get("flags") or 0) & _EPHEMERAL:
            interaction.told.append(body["content"])
        return self._state.message(Post(self._state.bot, interaction.place, body["content"]))

    def _open(self, request: web.Request) -> Interaction:
        interaction = self.all.get(request.match_info["webhook_token"])
        if interaction is None or time.monotonic() - interaction.begun > _TOKEN_SECONDS:
            raise Refusal(401, 50027, "Invalid Webhook Token")
        if not interaction.answered:
            raise Refusal(404, 10015, "Unknown Webhook")
        return interaction


def press(person: Person, post: Post, name: str) -> Interaction:
    """Press a button that stands under a post."""
    custom_id = f"frontdesk:{name}"
    buttons = [button for row in post.components for button in row["components"]]
    assert custom_id in [button["custom_id"] for button in buttons], f"{custom_id} is not under the post"
    data = {"custom_id": custom_id, "component_type": 2, "id": 1}
    return Interaction(_COMPONENT, person, post.place, data, post)


def command(person: Person, place: Place, name: str, options: dict[str, str]) -> Interaction:
    """Type a command."""
    given = [{"name": option, "type": 3, "value": value} for option, value in options.items()]
    data = {"id": snowflake(), "name": name, "type": 1, "options": given}
    return Interaction(_COMMAND, person, place, data)


def menu(person: Person, state: State, post: Post, name: str) -> Interaction:
    """Choose a command from a message's menu."""
    shown = state.message(post)
    data = {
        "id": snowflake(),
        "name": name,
        "type": 3,
        "target_id": post.id,
        "resolved": {"messages": {post.id: shown}},
    }
    return Interaction(_COMMAND, person, post.place, data)


def submit(opened: Interaction, text: str) -> Interaction:
    """Send in the form that an interaction opened."""
    assert opened.form is not None, "no form was opened"
    field_id = opened.form["components"][0]["component"]["custom_id"]
    value = {"type": 4, "id": 2, "custom_id": field_id, "value": text}
    label = {"type": 18, "id": 1, "component": value}
    data = {"custom_id": opened.form["custom_id"], "components": [label], "resolved": {}}
    return Interaction(_FORM, opened.person, opened.place, data, opened.post)
