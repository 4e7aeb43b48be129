"""What people ask of the bot beside a question: buttons, commands and words of command."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.dialogue.heard import Author, Channel


class Wish(StrEnum):
    """What is asked for."""

    STOP = "stop"  # end the running answer where it stands
    AGAIN = "again"  # replace an answer by a new one
    WHY = "why"  # tell what an answer was made of
    VOTE = "vote"  # `value` is "up", "down", or "" to take it back
    NEW = "new"  # let the next message begin a new conversation
    QUIET = "quiet"  # answer only what names the bot in this thread
    JOIN = "join"  # the opposite
    LANGUAGE = "language"  # `value` is a BCP 47 tag, "" for whatever the person writes in
    HELP = "help"


@dataclass(frozen=True, slots=True)
class Request:
    """
    One wish of a person.

    It is about the answer `turn`, or the one that the post `message_id` belongs to; where neither is given,
    the newest of the channel's conversation.
    `moderator` says that the platform lets the person manage others' messages there. `asked_at` is the
    platform's own moment of the press or the word: by it the record knows a wish that is given twice.
    """

    wish: Wish
    person: Author
    channel: Channel
    message_id: str = ""
    value: str = ""
    reason: str = ""
    moderator: bool = False
    turn: int = 0
    asked_at: datetime | None = None


class Granted(StrEnum):
    """What came of a wish."""

    DONE = "done"
    ALREADY = "already"  # it was so before
    NOTHING = "nothing"  # there is nothing here that it could be about
    GONE = "gone"  # the question was deleted
    NOT_YOURS = "not-yours"  # the person is neither its asker nor a moderator


@dataclass(frozen=True, slots=True)
class Reply:
    """What is told the person alone, in Markdown; `done` is False where the wish was refused."""

    text: str
    done: bool = True


@dataclass(frozen=True, slots=True)
class Deletion:
    """Messages that people took away from a channel; without any id the whole channel is gone."""

    channel: Channel
    message_ids: tuple[str, ...]
    deleted_at: datetime
