"""What pages, terminals and `bot doctor` tell of the record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from bot.dialogue.answers import Manifest
from bot.dialogue.heard import Channel, Platform


class EntryState(StrEnum):
    """How far a line of a transcript is."""

    HEARD = "heard"  # a person wrote it
    WAITING = "waiting"  # the answer has no text yet
    WRITING = "writing"  # the answer grows
    DONE = "done"
    FAILED = "failed"  # it ended with an apology, or unfinished
    STOPPED = "stopped"  # a person ended it


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
    """
    Why an answer is as it is; `reasons`: the newest of those read, oldest first; `cost` in US dollars.

    `pruned`: what was read for it is no longer kept.
    """

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
    reasoning_tokens: int = 0
    cost: Decimal | None = None
    pruned: bool = False


@dataclass(frozen=True, slots=True)
class Trouble:
    """A place where answers cannot be posted: the error's kind, its own words, how often, and when last."""

    platform: Platform
    workspace: str
    place: str
    kind: str
    reason: str
    times: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `bot doctor`: what was looked at, whether it is well, and what to do if not."""

    subject: str
    well: bool
    text: str
    cure: str = ""
