"""What the double of Discord knows: people, places, messages; and how each looks on the wire."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

_HAS_THREAD = 1 << 5
_EPOCH = 1_420_070_400_000
_COUNT = itertools.count(1)
_PERMISSIONS = str((1 << 10) | (1 << 11) | (1 << 14) | (1 << 15) | (1 << 16) | (1 << 35) | (1 << 38))
TEXT, DIRECT, CATEGORY, THREAD, FORUM = 0, 1, 4, 11, 15
MANAGE_MESSAGES, MANAGE_GUILD = 1 << 13, 1 << 5


def on_shard(shard: int, count: int) -> str:
    """Make a guild's id that belongs to one of so many shards."""
    return next(number for number in iter(snowflake, "") if shard_of(number, count) == shard)


def shard_of(guild_id: str, count: int) -> int:
    """Say which of so many shards hears a guild, as Discord's documentation of sharding has it."""
    return (int(guild_id) >> 22) % count


def snowflake(at: datetime | None = None) -> str:
    """Make an id as Discord does: its time above, a running number below."""
    moment = int((at or datetime.now(UTC)).timestamp() * 1000)
    return str(((moment - _EPOCH) << 22) | (next(_COUNT) % (1 << 22)))


@dataclass(eq=False)
class Person:
    """A user, the bot among them."""

    name: str
    bot: bool = False
    nick: str | None = None
    roles: tuple[str, ...] = ()
    permissions: int = 0  # beside what everybody may
    takes_direct: bool = True
    id: str = field(default_factory=snowflake)

    @property
    def mention(self) -> str:
        return f"<@{self.id}>"


@dataclass(eq=False)
class Role:
    """A role of the guild; a managed one belongs to a bot."""

    name: str
    bot_id: str = ""
    permissions: int = 0  # beside what everybody may
    id: str = field(default_factory=snowflake)

    @property
    def mention(self) -> str:
        return f"<@&{self.id}>"


@dataclass(eq=False)
class Place:
    """A channel, a thread, or a direct channel."""

    name: str
    kind: int
    guild_id: str = ""
    parent_id: str = ""
    recipient: Person | None = None
    locked: bool = False
    archived: bool = False
    unreadable: bool = False
    rules: tuple[dict[str, Any], ...] = ()  # permission overwrites
    private: bool = False  # of a thread
    id: str = field(default_factory=snowflake)


@dataclass(eq=False)
class Post:
    """A message as Discord keeps it."""

    author: Person
    place: Place
    content: str
    id: str = field(default_factory=snowflake)
    kind: int = 0
    reply_to: str = ""
    edited_at: datetime | None = None
    nonce: str = ""
    flags: int = 0
    webhook_id: str = ""
    files: tuple[str | dict[str, Any], ...] = ()  # names, or what `FileStore.share` gives
    stickers: tuple[str, ...] = ()
    history: list[str] = field(default_factory=list)
    pings_reply: bool = False
    components: list[dict[str, Any]] = field(default_factory=list)


class State:
    """Everything that lasts while the program under test comes and goes."""

    def __init__(self) -> None:
        self.bot = Person("Frontdesk", bot=True)
        self.guild_id = snowflake()
        self.guild_name = "The Guild"
        self.others: dict[str, str] = {}  # more guilds, by id: their names
        self.everyone = Role("@everyone", id=self.guild_id)
        self.bot_role = Role("Frontdesk", bot_id=self.bot.id)
        self.roles: dict[str, Role] = {role.id: role for role in (self.everyone, self.bot_role)}
        self.bot.roles = (self.bot_role.id,)
        self.people: dict[str, Person] = {self.bot.id: self.bot}
        self.places: dict[str, Place] = {}
        self.posts: dict[str, Post] = {}
        self.content_intent = True
        self.in_guild = True
        self.told_file: Callable[[dict[str, Any], str], dict[str, Any]] = lambda file, _: file
        self.permissions = _PERMISSIONS
        self.app_permissions = _PERMISSIONS  # in the place of an interaction
        self.may_not_thread = False
        self.features: list[str] = []
        self.locale = "en-US"

    def in_place(self, place: Place) -> list[Post]:
        return sorted(
            (post for post in self.posts.values() if post.place is place), key=lambda post: int(post.id)
        )

    # How it looks on the wire.

    def user(self, person: Person) -> dict[str, Any]:
        return {
            "id": person.id,
            "username": person.name.lower().replace(" ", "_"),
            "global_name": person.name,
            "avatar": None,
            "discriminator": "0000" if person.bot else "0",
            "public_flags": 0,
            "flags": 0,
            "primary_guild": None,
            **({"bot": True} if person.bot else {}),
        }

    def member(self, person: Person) -> dict[str, Any]:
        return {
            "avatar": None,
            "banner": None,
            "communication_disabled_until": None,
            "flags": 0,
            "joined_at": "2026-01-01T00:00:00+00:00",
            "nick": person.nick,
            "pending": False,
            "premium_since": None,
            "roles": list(person.roles),
            "mute": False,
            "deaf": False,
        }

    def channel(self, place: Place) -> dict[str, Any]:
        last = next((post.id for post in reversed(self.in_place(place))), None)
        if place.kind == DIRECT:
            recipients = [self.user(place.recipient)] if place.recipient else []
            return {
                "id": place.id,
                "type": DIRECT,
                "flags": 0,
                "recipients": recipients,
                "last_message_id": last,
            }
        described: dict[str, Any] = {
            "id": place.id,
            "type": 12 if place.private else place.kind,
            "flags": 0,
            "guild_id": place.guild_id,
            "name": place.name,
            "parent_id": place.parent_id or None,
            "last_message_id": last,
            "rate_limit_per_user": 0,
        }
        return described | (self._thread(place) if place.kind == THREAD else self._text_channel(place))

    def _text_channel(self, place: Place) -> dict[str, Any]:
        hidden = (
            [{"id": self.guild_id, "type": 0, "allow": "0", "deny": str(1 << 10)}] if place.unreadable else []
        )
        rules = [*hidden, *place.rules]
        return {"position": 0, "topic": None, "nsfw": False, "permission_overwrites": rules}

    def _thread(self, place: Place) -> dict[str, Any]:
        return {
            "owner_id": next(iter(self.people)),
            "message_count": len(self.in_place(place)),
            "total_message_sent": len(self.in_place(place)),
            "member_count": 2,
            "thread_metadata": {
                "archived": place.archived,
                "archive_timestamp": "2026-01-01T00:00:00+00:00",
                "auto_archive_duration": 1440,
                "locked": place.locked,
                "create_timestamp": "2026-01-01T00:00:00+00:00",
            },
        }

    def guilds(self) -> dict[str, str]:
        """Name the guilds by their ids."""
        return {self.guild_id: self.guild_name, **self.others}

    def guild(self, guild_id: str = "") -> dict[str, Any]:
        guild_id = guild_id or self.guild_id
        places = [place for place in self.places.values() if place.guild_id == guild_id]
        roles = self.roles.values() if guild_id == self.guild_id else [Role("@everyone", id=guild_id)]
        return {
            "id": guild_id,
            "name": self.guilds()[guild_id],
            "icon": None,
            "owner_id": next(
                person for person in self.people if person != self.bot.id or len(self.people) == 1
            ),
            "roles": [self._role(role) for role in roles],
            "emojis": [],
            "stickers": [],
            "features": self.features,
            "afk_timeout": 300,
            "verification_level": 0,
            "default_message_notifications": 1,
            "explicit_content_filter": 0,
            "mfa_level": 0,
            "premium_tier": 0,
            "nsfw_level": 0,
            "preferred_locale": self.locale,
            "system_channel_flags": 0,
            "large": True,
            "unavailable": False,
            "member_count": len(self.people),
            "joined_at": "2026-01-01T00:00:00+00:00",
            "members": [self.member(self.bot) | {"user": self.user(self.bot)}],
            "channels": [self.channel(place) for place in places if place.kind in (TEXT, CATEGORY, FORUM)],
            "threads": [self.channel(place) for place in places if place.kind == THREAD],
            "voice_states": [],
            "presences": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
        }

    def _role(self, role: Role) -> dict[str, Any]:
        return {
            "id": role.id,
            "name": role.name,
            "color": 0,
            "hoist": False,
            "position": 0,
            "permissions": str(int(self.permissions) | role.permissions),
            "managed": bool(role.bot_id),
            "mentionable": True,
            "flags": 0,
            **({"tags": {"bot_id": role.bot_id}} if role.bot_id else {}),
        }

    def message(self, post: Post, *, content: bool = True, referenced: bool = True) -> dict[str, Any]:
        """Say how a message looks; `content` False leaves out what only the privileged intent shows."""
        mentioned = self._mentioned(post)
        shown = content or self._always_shown(post, mentioned)
        described: dict[str, Any] = {
            "id": post.id,
            "channel_id": post.place.id,
            "type": post.kind,
            "content": post.content if shown else "",
            "author": self.user(post.author),
            "mentions": [self.user(person) for person in mentioned],
            "mention_roles": [role for role in re.findall(r"<@&(\d+)>", post.content) if role in self.roles],
            "mention_everyone": False,
            "attachments": [self._attachment(file, post.place) for file in post.files] if shown else [],
            "sticker_items": [{"id": post.id, "name": name, "format_type": 1} for name in post.stickers],
            "embeds": [],
            "components": _numbered(post.components),
            "timestamp": _time(datetime.fromtimestamp(((int(post.id) >> 22) + _EPOCH) / 1000, UTC)),
            "edited_timestamp": _time(post.edited_at) if post.edited_at else None,
            "flags": post.flags | (_HAS_THREAD if post.id in self.places else 0),
            "pinned": False,
            "tts": False,
        }
        if post.webhook_id:
            described["webhook_id"] = post.webhook_id
        if post.reply_to:
            described |= self._reference(post, content=content, referenced=referenced)
        return described

    def _reference(self, post: Post, *, content: bool, referenced: bool) -> dict[str, Any]:
        answered = self.posts.get(post.reply_to)
        place = answered.place if answered else post.place
        found: dict[str, Any] = {"type": 0, "channel_id": place.id, "message_id": post.reply_to}
        if place.guild_id:
            found["guild_id"] = place.guild_id
        described: dict[str, Any] = {"message_reference": found}
        if referenced:
            described["referenced_message"] = (
                self.message(answered, content=content, referenced=False) if answered else None
            )
        return described

    def _mentioned(self, post: Post) -> list[Person]:
        ids = re.findall(r"<@!?(\d+)>", post.content)
        answered = self.posts.get(post.reply_to)
        if answered is not None and post.pings_reply:
            ids.append(answered.author.id)
        return [self.people[person] for person in dict.fromkeys(ids) if person in self.people]

    def _always_shown(self, post: Post, mentioned: list[Person]) -> bool:
        return post.place.kind == DIRECT or post.author is self.bot or self.bot in mentioned

    def _attachment(self, file: str | dict[str, Any], place: Place) -> dict[str, Any]:
        if not isinstance(file, str):
            return self.told_file(file, place.id)
        name = file
        url = f"https://cdn.discordapp.com/attachments/1/2/{name}"
        return {
            "id": snowflake(),
            "filename": name,
            "size": 1234,
            "url": url,
            "proxy_url": url,
            "content_type": "text/plain",
        }


def _numbered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give the rows and buttons the numbers that Discord gives them."""
    count = itertools.count(1)
    return [
        row | {"id": next(count), "components": [one | {"id": next(count)} for one in row["components"]]}
        for row in rows
    ]


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")
