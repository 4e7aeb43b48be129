"""What a Slack workspace holds: people, channels, messages, streams."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.doubles.slack_rules import SlackRefuses, pings

TEAM = "T0001"
BOT_USER = "U0BOT"
BOT_ID = "B0BOT"


@dataclass
class Post:
    """A message as Slack keeps it; `form` is "markdown" or "mrkdwn"."""

    ts: str
    user: str
    text: str
    thread: str = ""
    form: str = "mrkdwn"
    metadata: dict[str, Any] | None = None
    streaming: bool = False
    was_streamed: bool = False
    edited: str = ""
    files: tuple[str | dict[str, Any], ...] = ()  # names, or what `FileStore.share` gives
    subtype: str = ""
    bot_id: str = ""
    locked: bool = False
    blocks: list[dict[str, Any]] = field(default_factory=list)
    fallback: str = ""  # the `text` beside the blocks, which is what the Web API tells of it

    def told(self, metadata: bool = False) -> dict[str, Any]:
        """The message as the Web API and the events tell it."""
        data: dict[str, Any] = {"type": "message", "user": self.user, "ts": self.ts}
        data["text"] = self.fallback or self.text
        if self.thread:
            data["thread_ts"] = self.thread
        if self.bot_id:
            data["bot_id"] = self.bot_id
        if self.subtype:
            data["subtype"] = self.subtype
        if self.edited:
            data["edited"] = {"user": self.user, "ts": self.edited}
        if self.files:
            data["files"] = [
                {"id": f"F{number}", "name": file} if isinstance(file, str) else file
                for number, file in enumerate(self.files)
            ]
        if metadata and self.metadata:
            data["metadata"] = self.metadata
        return data


@dataclass(frozen=True)
class Whisper:
    """What only one person sees."""

    user: str
    channel: str
    thread: str
    text: str


@dataclass
class Place:
    """A channel; `kind` is Slack's channel type."""

    id: str
    name: str
    kind: str = "channel"
    archived: bool = False
    members: tuple[str, ...] = ()  # everybody where it is empty
    posts: dict[str, Post] = field(default_factory=dict)

    def thread(self, root: str) -> list[Post]:
        """A thread's messages, oldest first."""
        found = [post for post in self.posts.values() if root in (post.ts, post.thread)]
        return sorted(found, key=lambda post: float(post.ts))

    def top(self) -> list[Post]:
        """What stands outside threads, oldest first."""
        return sorted((post for post in self.posts.values() if not post.thread), key=lambda p: float(p.ts))


class Workspace:
    """All of it, with Slack's rules for streams."""

    def __init__(self) -> None:
        self.people: dict[str, dict[str, Any]] = {}
        self.places: dict[str, Place] = {}
        self.groups: dict[str, tuple[str, list[str]]] = {"S0DESK": ("desk", ["U0ANN"])}
        self.statuses: dict[tuple[str, str], str] = {}
        self.titles: dict[tuple[str, str], str] = {}
        self.agent = True  # whether the app is declared as one; then threads have sessions
        self.whispers: list[Whisper] = []
        self.homes: dict[str, dict[str, Any]] = {}
        self.windows: list[dict[str, Any]] = []
        self.suggested: dict[str, dict[str, Any]] = {}
        self.triggers: set[str] = set()  # each is good for one window
        self.members_only: set[str] = set()  # channels that the bot is not in
        self.pinged: list[str] = []
        self.edits_refused = False
        self._last = 0.0
        self.add_person("U0ANN", "Ann", "Europe/Berlin", "en-GB")
        self.add_person("U0BEA", "Bea", "Asia/Shanghai", "zh-CN")
        self.add_person("U0ADA", "Ada", "Europe/London", "en-GB", admin=True)
        self.add_person(BOT_USER, "Frontdesk", "", "")
        self.add_place("C0GENERAL", "general")
        self.add_place("D0ANN", "", "im")

    def add_person(self, user: str, name: str, time_zone: str, locale: str, *, admin: bool = False) -> None:
        profile = {"display_name": name, "real_name": f"{name} Example"}
        self.people[user] = {
            "id": user,
            "name": name.lower(),
            "profile": profile,
            "tz": time_zone,
            "locale": locale,
            "is_admin": admin,
            "is_owner": False,
        }

    def add_place(self, channel: str, name: str, kind: str = "channel") -> None:
        self.places[channel] = Place(channel, name, kind)

    def stamp(self) -> str:
        """A new message's time, later than every other."""
        self._last = max(time.time(), self._last + 0.000_002)
        return f"{self._last:.6f}"

    def place(self, channel: str) -> Place:
        if channel not in self.places:
            raise SlackRefuses("channel_not_found")
        return self.places[channel]

    def trigger(self, number: int) -> str:
        """A new right to open a window."""
        trigger = f"{number}.{TEAM}"
        self.triggers.add(trigger)
        return trigger

    def addressed(self, channel: str) -> str:
        """Where a message to a channel, or to a person by their id, goes."""
        if channel in self.people:
            direct = f"D0{channel.removeprefix('U0')}"
            if direct not in self.places:
                self.add_place(direct, "", "im")
            return direct
        return channel

    def whisper(self, channel: str, user: str, thread: str, held: dict[str, Any]) -> None:
        """Show something to one person alone, who has to be there."""
        place = self.place(channel)
        if place.archived:
            raise SlackRefuses("is_archived")
        if channel in self.members_only:
            raise SlackRefuses("not_in_channel")
        if user not in self.people:
            raise SlackRefuses("user_not_in_channel")
        self.whispers.append(Whisper(user, channel, thread, held["text"]))

    def put(self, channel: str, post: Post) -> Post:
        place = self.place(channel)
        if place.archived:
            raise SlackRefuses("is_archived")
        if channel in self.members_only and post.user == BOT_USER:
            raise SlackRefuses("not_in_channel")
        place.posts[post.ts] = post
        self._listen(post)
        return post

    def own(self, channel: str, ts: str) -> Post:
        """The bot's message, to be changed."""
        post = self.place(channel).posts.get(ts)
        if post is None:
            raise SlackRefuses("message_not_found")
        if post.user != BOT_USER:
            raise SlackRefuses("cant_update_message")
        return post

    def change(self, post: Post, metadata: dict[str, Any] | None, **held: Any) -> None:
        if post.streaming:
            raise SlackRefuses("streaming_state_conflict")
        if self.edits_refused or post.locked:
            raise SlackRefuses("edit_window_closed")
        for name, value in held.items():
            setattr(post, name, value)
        post.edited = self.stamp()
        post.metadata = metadata if metadata is not None else post.metadata
        self._listen(post)

    def append(self, post: Post, text: str) -> None:
        if not post.streaming:
            raise SlackRefuses("message_not_in_streaming_state")
        if len(post.text) + len(text) > 12_000:
            raise SlackRefuses("msg_too_long")
        post.text += text
        self._listen(post)

    def streams(self) -> Iterable[Post]:
        """The streams that are open."""
        return [post for place in self.places.values() for post in place.posts.values() if post.streaming]

    def close_streams(self) -> None:
        """What Slack does to a stream after about five minutes."""
        for post in self.streams():
            post.streaming = False

    def _listen(self, post: Post) -> None:
        if post.user == BOT_USER:
            self.pinged += pings(post.text)
