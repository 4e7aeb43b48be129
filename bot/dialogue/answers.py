"""What an answer is made of, from what a model reads to what is posted."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class Role(StrEnum):
    """Who speaks in a context."""

    SYSTEM = "system"
    PERSON = "user"
    BOT = "assistant"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as a model sees it, already small enough."""

    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Line:
    """One message as a model reads it."""

    role: Role
    text: str
    author: str = ""
    pictures: tuple[Picture, ...] = ()


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
    """
    What one summary block shall stand for: its lines and positions; it replaces `merges`.

    `revisions` counts the edits that its lines already show; `rebuilds` is the block to be told anew.
    """

    conversation_id: int
    level: int
    first: int
    last: int
    last_message_id: int
    covered_tokens: int
    lines: tuple[Line, ...]
    merges: tuple[int, ...] = ()
    revisions: int = 0
    rebuilds: int = 0


@dataclass(frozen=True, slots=True)
class Manifest:
    """
    Why the model read just that.

    `budget` and the spans are in counted tokens (o200k_base); `factor` is what one of them was taken to
    cost the model. `shortened` says the question itself had to be cut to fit. `files` names each file
    and link that went in, with what was read of it or why nothing was.
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
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the model's server counted them; the last two are parts of the first two."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0
    reasoning_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Delta:
    """
    What came next of an answer.

    `fresh` says that all text before it is void (another try began). `manifest` comes with the first
    delta of each try. `limited` marks an answer that ended at its token limit. `aside` is shown under
    the answer, but is no part of it and never read again. `thought` is what a reasoning model thinks aloud.
    `unseen` says that the server would not look at the pictures. `cost` is in US dollars all that the
    answer cost so far, earlier tries included.
    """

    text: str = ""
    thought: str = ""
    fresh: bool = False
    limited: bool = False
    model: str = ""
    usage: Usage | None = None
    manifest: Manifest | None = None
    aside: str = ""
    unseen: bool = False
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """
    One post of an answer, in Markdown: its place in the answer (from 0) and all its text so far.

    The same ordinal comes again as the text grows; `done` says that it will not change any more, `last`
    that it is done and ends the answer.
    """

    ordinal: int
    text: str
    done: bool = False
    last: bool = False


@dataclass(frozen=True, slots=True)
class Slot:
    """
    What the record knows of one piece's post.

    `nonce` (at most 25 characters) is the same for the same piece for ever. `message_id` is the
    platform's id, "" where none is known. `unsure` says that a process died between recording and
    posting, so the post may stand: look for it before posting. `text` is what it was recorded with.
    `provisional` says that it only tells people that they wait.
    """

    ordinal: int
    nonce: str
    message_id: str = ""
    unsure: bool = False
    recorded_at: datetime | None = None
    text: str = ""
    provisional: bool = False


class Outcome(StrEnum):
    """How a turn ended."""

    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"  # a person ended it
    WITHDRAWN = "withdrawn"  # its question was deleted, and it with it


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What a turn ended with, for the record; seconds are since the turn was taken up.

    `cost` is in US dollars by the price table, None where the model's price is not known.
    """

    outcome: Outcome
    text: str
    model: str = ""
    usage: Usage | None = None
    manifest: Manifest = field(default_factory=Manifest)
    first_text_seconds: float | None = None
    seconds: float = 0.0
    error: str = ""
    cost: Decimal | None = None
