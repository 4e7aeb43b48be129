"""What people say, and where."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from mimetypes import guess_type


class Platform(StrEnum):
    """Where people write."""

    SLACK = "slack"
    DISCORD = "discord"
    WEB = "web"
    CONSOLE = "console"


class ChannelKind(StrEnum):
    """What sort of place a channel is."""

    DIRECT = "direct"  # one person and the bot; everything in it is meant for the bot
    OPEN = "open"  # a channel of many, where only what names the bot is meant for it
    THREAD = "thread"  # a thread within a channel


@dataclass(frozen=True, slots=True)
class Channel:
    """
    A place, thread included.

    `workspace` is Slack's team, Discord's guild ("" for its direct messages), "local" for web and
    console. `root` is the thread's first message on Slack ("" in a direct message outside any thread)
    and, in an open Discord channel, left "" by the adapter: memory finds the root of the reply chain.
    `parents` are ids and names of the channel and the category it stands in, for access lists only: they
    are not stored, and make it no other place. `language` is what the place is set to, as a BCP 47 tag.
    `parent` is the open channel in which a Discord thread is still to be made from its first message.
    """

    platform: Platform
    workspace: str
    id: str
    root: str = ""
    kind: ChannelKind = ChannelKind.OPEN
    name: str = ""
    parents: tuple[str, ...] = field(default=(), compare=False)
    language: str = field(default="", compare=False)
    parent: str = field(default="", compare=False)

    @property
    def tenant(self) -> str:
        """Whose the place is, on all platforms."""
        return f"{self.platform}:{self.workspace}"


@dataclass(frozen=True, slots=True)
class Author:
    """A person, as the platform names them; `time_zone` is an IANA name, `locale` a BCP 47 tag."""

    id: str
    name: str
    roles: tuple[str, ...] = ()
    time_zone: str = ""
    locale: str = ""


@dataclass(frozen=True, slots=True)
class File:
    """Something attached to a message; `source` is what its platform fetches it by, `size` in bytes."""

    name: str
    media_type: str = ""
    size: int = 0
    source: str = ""

    @property
    def sounds(self) -> bool:
        """Whether it is sound or film: a voice message, for one."""
        told = self.media_type if "/" in self.media_type else guess_type(self.name)[0] or ""
        return told.startswith(("audio/", "video/"))


@dataclass(frozen=True, slots=True)
class Message:
    """
    What one person wrote, in Markdown with names where the platform had ids.

    `id` is the platform's own, unique in its channel. `reply_to` is the id of the message it answers
    by the platform's reply function. `said` marks our own words (an earlier answer read from a
    platform's history). A newer `edited_at` makes a revision of the message with the same id. `language`
    is what its author chose to be spoken to in, as a BCP 47 tag.
    """

    id: str
    channel: Channel
    author: Author
    text: str
    sent_at: datetime
    reply_to: str = ""
    mentions_bot: bool = False
    mentions_others: bool = False
    said: bool = False
    edited_at: datetime | None = None
    files: tuple[File, ...] = ()
    language: str = field(default="", compare=False)

    @property
    def key(self) -> str:
        """What makes it the same message when it is delivered again."""
        return f"{self.channel.tenant}:{self.channel.id}:{self.id}"


@dataclass(frozen=True, slots=True)
class Spoken:
    """
    A line of a thread as whom-is-it-for looks at it.

    `answers` is whom our own line was for; `asked` says that a person's line was taken as for the bot.
    """

    author_id: str
    author_name: str
    text: str
    sent_at: datetime
    said: bool = False
    answers: str = ""
    mentions_others: bool = False
    asked: bool = False


@dataclass(frozen=True, slots=True)
class Scene:
    """
    A thread the bot takes part in, right before a message comes.

    `lately` are its newest lines, oldest first; `people` counts those who wrote in it at all; `quiet` says
    that somebody told the bot to speak only when it is named.
    """

    lately: tuple[Spoken, ...] = ()
    people: int = 1
    quiet: bool = False


class Attention(StrEnum):
    """Whom a message is for."""

    ANSWER = "answer"  # for the bot
    KEEP = "keep"  # for others, in a thread the bot takes part in
    IGNORE = "ignore"  # nothing to the bot


class Accepted(StrEnum):
    """What became of a message at the door."""

    NEW = "new"  # kept, and an answer is on its way
    JOINED = "joined"  # kept, and part of an answer that nobody has seen yet
    KEPT = "kept"  # kept as part of a thread the bot takes part in; not for the bot
    REVISED = "revised"  # an edit of a kept message
    KNOWN = "known"  # delivered before; nothing changed
    LIMITED = "limited"  # kept, but not answered: its author, or its channel, asked too much in this minute
    IGNORED = "ignored"  # not for the bot, and not kept


@dataclass(frozen=True, slots=True)
class Conversation:
    """What is answered in order, held by one lease; `history_read` once its earlier messages are known."""

    id: int
    channel: Channel
    history_read: bool = True


class Wanted(StrEnum):
    """What is wanted of a turn."""

    ANSWER = "answer"
    STOP = "stop"  # what stands is ended where it is
    WITHDRAW = "withdraw"  # the question is gone: the answer is taken away


@dataclass(frozen=True, slots=True)
class Turn:
    """
    One answer, from being woken to being done; `question` holds the joined messages, oldest first.

    `taken_at` is when its lease began at the latest, on this process' monotonic clock. `waited` is how
    many seconds lay between its being wanted and its being taken up, `tried_for` for how many it has been
    tried, by the database's clock; `taken_over` says that another holder fell silent. `again` says that it
    was ended before: its answer takes the place of an earlier one. A `fresh` one was never taken up before,
    so nothing of it can stand.
    """

    id: int
    conversation: Conversation
    question: tuple[Message, ...]
    epoch: int
    revision: int
    attempts: int
    taken_at: float | None = field(default=None, compare=False)
    wanted: Wanted = Wanted.ANSWER
    waited: float | None = field(default=None, compare=False)
    taken_over: bool = field(default=False, compare=False)
    again: bool = False
    tried_for: float = field(default=0.0, compare=False)
    fresh: bool = field(default=False, compare=False)

    @property
    def asked(self) -> Message:
        """The message the answer is a reply to: the newest of the question."""
        return self.question[-1]
