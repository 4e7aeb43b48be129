"""The words of the house: what is heard, what is said, and what an answer is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


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
    """

    platform: Platform
    workspace: str
    id: str
    root: str = ""
    kind: ChannelKind = ChannelKind.OPEN
    name: str = ""


@dataclass(frozen=True, slots=True)
class Author:
    """A person, as the platform names them; `time_zone` is an IANA name, `locale` a BCP 47 tag."""

    id: str
    name: str
    roles: tuple[str, ...] = ()
    time_zone: str = ""
    locale: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """
    What one person wrote, in Markdown with names where the platform had ids.

    `id` is the platform's own, unique in its channel. `reply_to` is the id of the message it answers
    by the platform's reply function. `said` marks our own words (an earlier answer read from a
    platform's history). A newer `edited_at` makes a revision of the message with the same id.
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
    files: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What makes it the same message when it is delivered again."""
        place = self.channel
        return f"{place.platform}:{place.workspace}:{place.id}:{self.id}"


class Accepted(StrEnum):
    """What became of a message at the door."""

    NEW = "new"  # kept, and an answer is on its way
    JOINED = "joined"  # kept, and part of an answer that nobody has seen yet
    KEPT = "kept"  # kept as part of a thread the bot takes part in; not for the bot
    REVISED = "revised"  # an edit of a kept message
    KNOWN = "known"  # delivered before; nothing changed
    IGNORED = "ignored"  # not for the bot, and not kept


@dataclass(frozen=True, slots=True)
class Conversation:
    """What is answered in order, held by one lease; `history_read` once its earlier messages are known."""

    id: int
    channel: Channel
    history_read: bool = True


@dataclass(frozen=True, slots=True)
class Turn:
    """One answer, from being woken to being done; `question` holds the joined messages, oldest first."""

    id: int
    conversation: Conversation
    question: tuple[Message, ...]
    epoch: int
    revision: int
    attempts: int

    @property
    def asked(self) -> Message:
        """The message the answer is a reply to: the newest of the question."""
        return self.question[-1]


class Role(StrEnum):
    """Who speaks in a context."""

    SYSTEM = "system"
    PERSON = "user"
    BOT = "assistant"


@dataclass(frozen=True, slots=True)
class Line:
    """One message as a model reads it."""

    role: Role
    text: str
    author: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """All that a model may read for one answer; the last line is the question."""

    lines: tuple[Line, ...]
    answer_tokens: int


@dataclass(frozen=True, slots=True)
class Span:
    """Messages of a conversation by position, both ends included, and their tokens together."""

    first: int
    last: int
    tokens: int


@dataclass(frozen=True, slots=True)
class SummarySpan:
    """A summary block that stood for messages: which, in what version, and its own tokens."""

    block: int
    version: int
    first: int
    last: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """What one summary block shall stand for: its lines and positions; it replaces `merges`."""

    conversation_id: int
    level: int
    first: int
    last: int
    last_message_id: int
    covered_tokens: int
    lines: tuple[Line, ...]
    merges: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """
    Why the model read just that.

    `budget` and the spans are in counted tokens (o200k_base); `factor` is what one of them was taken to
    cost the model. `shortened` says the question itself had to be cut to fit.
    """

    whole: tuple[Span, ...] = ()
    summarised: tuple[SummarySpan, ...] = ()
    left_out: tuple[Span, ...] = ()
    budget: int = 0
    tokens: int = 0
    factor: float = 1.0
    shortened: bool = False
    model: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the model's server counted them."""

    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class Delta:
    """
    What came next of an answer.

    `fresh` says that all text before it is void (another try began). `manifest` comes with the first
    delta of each try. `limited` marks an answer that ended at its token limit. `aside` is shown under
    the answer, but is no part of it and never read again.
    """

    text: str = ""
    fresh: bool = False
    limited: bool = False
    model: str = ""
    usage: Usage | None = None
    manifest: Manifest | None = None
    aside: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """
    One post of an answer, in Markdown: its place in the answer (from 0) and all its text so far.

    The same ordinal comes again as the text grows; `done` says that it will not change any more.
    """

    ordinal: int
    text: str
    done: bool = False


@dataclass(frozen=True, slots=True)
class Slot:
    """
    What the record knows of one piece's post.

    `nonce` (at most 25 characters) is the same for the same piece for ever. `message_id` is the
    platform's id, "" where none is known. `unsure` says that a process died between recording and
    posting, so the post may stand: look for it before posting.
    """

    ordinal: int
    nonce: str
    message_id: str = ""
    unsure: bool = False
    recorded_at: datetime | None = None


class Outcome(StrEnum):
    """How a turn ended."""

    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a turn ended with, for the record; seconds are since the turn was taken up."""

    outcome: Outcome
    text: str
    model: str = ""
    usage: Usage | None = None
    manifest: Manifest = field(default_factory=Manifest)
    first_text_seconds: float | None = None
    seconds: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `bot doctor`: what was looked at, whether it is well, and what to do if not."""

    subject: str
    well: bool
    text: str
    cure: str = ""


class EntryState(StrEnum):
    """How far a line of a transcript is."""

    HEARD = "heard"  # a person wrote it
    WAITING = "waiting"  # the answer has no text yet
    WRITING = "writing"  # the answer grows
    DONE = "done"
    FAILED = "failed"  # it ended with an apology, or unfinished


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a transcript: a message, or an answer on its way; `turn` is 0 where there is none."""

    id: str
    author: str
    text: str
    state: EntryState
    at: datetime
    turn: int = 0


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation as a list shows it."""

    channel: Channel
    title: str
    last_at: datetime


class Reading(StrEnum):
    """How a message went into a context."""

    WHOLE = "whole"
    SUMMARY = "summary"
    LEFT_OUT = "left-out"


@dataclass(frozen=True, slots=True)
class Reason:
    """One line of "why this answer": a message (or a summary block), its tokens, and how it was read."""

    reading: Reading
    author: str
    text: str
    tokens: int


@dataclass(frozen=True, slots=True)
class Why:
    """Why an answer is what it is; `reasons` are the newest of those read, oldest first."""

    turn: int
    outcome: str
    model: str
    manifest: Manifest
    reasons: tuple[Reason, ...]
    prompt_tokens: int
    completion_tokens: int
    attempts: int
    seconds: float
    first_text_seconds: float | None


class Attention(StrEnum):
    """Whom a message is for."""

    ANSWER = "answer"  # for the bot
    KEEP = "keep"  # for others, in a thread the bot takes part in
    IGNORE = "ignore"  # nothing to the bot
