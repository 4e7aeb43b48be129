"""What people do on Slack beside writing: press, choose, type commands, open windows, delete."""

from __future__ import annotations

from itertools import count
from typing import Any, Protocol

from tests.doubles.slack_blocks import controls
from tests.doubles.slack_state import TEAM, Post, Workspace


class Delivers(Protocol):
    """A way from Slack to the app."""

    async def deliver(self, event: Any, **more: Any) -> Any: ...

    async def send(self, kind: str, payload: dict[str, Any]) -> Any: ...


class Acts:
    """Turns what a person does into what Slack sends to the app."""

    def __init__(self, space: Workspace, address: str) -> None:
        """`address` is where the double itself answers, for response URLs."""
        self._space = space
        self._address = address
        self._numbers = count(1)

    async def press(self, way: Delivers, user: str, channel: str, ts: str, label: str) -> Any:
        """A person presses a button, or chooses, under a message."""
        post = self._space.place(channel).posts[ts]
        action = dict(controls(post.blocks))[label] | {"action_ts": self._space.stamp()}
        container = {"type": "message", "message_ts": ts, "channel_id": channel, "is_ephemeral": False}
        if post.thread:
            container["thread_ts"] = post.thread
        more = {"container": container, "message": post.told(), "channel": {"id": channel, "name": "x"}}
        return await self._interact(way, "block_actions", user, actions=[action], **more)

    async def choose(self, way: Delivers, user: str, label: str) -> Any:
        """A person chooses something in their home tab."""
        view = self._space.homes[user]
        action = dict(controls(view["blocks"]))[label]
        more = {"container": {"type": "view", "view_id": "V1"}, "view": {**view, "id": "V1"}}
        return await self._interact(way, "block_actions", user, actions=[action], **more)

    async def pick(self, way: Delivers, user: str, channel: str, ts: str) -> Any:
        """A person picks "Ask about this" from a message's menu."""
        place = self._space.place(channel)
        more: dict[str, Any] = {"channel": {"id": channel, "name": place.name}, "message_ts": ts}
        more["message"] = place.posts[ts].told()
        return await self._interact(way, "message_action", user, callback_id="ask_about", **more)

    async def submit(self, way: Delivers, user: str, text: str) -> Any:
        """A person fills in the window that was opened last, and sends it."""
        view = {**self._space.windows[-1], "id": f"V{len(self._space.windows)}"}
        (field,) = (block for block in view["blocks"] if block["type"] == "input")
        value = {"type": "plain_text_input", "value": text or None}
        view["state"] = {"values": {field["block_id"]: {field["element"]["action_id"]: value}}}
        payload = {"type": "view_submission", "team": {"id": TEAM}, "user": {"id": user}, "view": view}
        return await way.send("interactive", payload)

    async def command(self, way: Delivers, user: str, channel: str, text: str) -> Any:
        """A person types `/ask` and a question."""
        payload = {
            "command": "/ask",
            "text": text,
            "team_id": TEAM,
            "channel_id": channel,
            "channel_name": "x",
            "user_id": user,
            "trigger_id": self._space.trigger(next(self._numbers)),
            "response_url": self._response_url(user),
        }
        return await way.send("slash_commands", payload)

    async def open_home(self, way: Delivers, user: str, tab: str = "home", channel: str = "D0ANN") -> Any:
        """A person opens a tab of the bot's own page."""
        event = {"type": "app_home_opened", "user": user, "channel": channel, "tab": tab}
        return await way.deliver({**event, "event_ts": self._space.stamp()})

    async def stop(self, way: Delivers, user: str, channel: str, thread: str) -> Any:
        """A person presses Slack's own button beside a thread that is at work; Slack ends the streams."""
        streams = [post.ts for post in self._space.streams() if post.thread == thread]
        self._space.close_streams()
        event = {"type": "agent_session_stopped", "user": user, "channel": channel, "thread_ts": thread}
        return await way.deliver({**event, "streaming_message_ts": streams, "event_ts": self._space.stamp()})

    async def delete(self, way: Delivers, channel: str, ts: str) -> Any:
        """A person deletes a message; the root of a thread becomes a tombstone."""
        place = self._space.place(channel)
        post = place.posts[ts]
        event: dict[str, Any] = {"type": "message", "channel": channel, "channel_type": place.kind}
        if len(place.thread(ts)) > 1:
            event |= {"subtype": "message_changed", "message": self._buried(post)}
        else:
            event |= {"subtype": "message_deleted", "deleted_ts": ts}
        event |= {"previous_message": post.told(), "ts": self._space.stamp(), "hidden": True}
        del place.posts[ts]
        return await way.deliver({**event, "event_ts": event["ts"]})

    def _buried(self, post: Post) -> dict[str, Any]:
        told = {"type": "message", "subtype": "tombstone", "ts": post.ts, "thread_ts": post.ts}
        return {**told, "text": "This message was deleted.", "user": "USLACKBOT", "hidden": True}

    async def _interact(self, way: Delivers, kind: str, user: str, **more: Any) -> Any:
        payload = {
            "type": kind,
            "team": {"id": TEAM, "domain": "example"},
            "user": {"id": user, "team_id": TEAM},
            "trigger_id": self._space.trigger(next(self._numbers)),
            "response_url": self._response_url(user),
            **more,
        }
        return await way.send("interactive", payload)

    def _response_url(self, user: str) -> str:
        return f"{self._address}/respond/{user}"
