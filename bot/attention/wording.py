"""What the words of a chat message tell about whom it is for; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from bot.attention import chinese, english

_BOOKS = (english.PHRASES, chinese.PHRASES)
_LONGEST = 500  # characters that are looked at: whom a message is for stands at its beginning
_LONGEST_CLOSING = 60

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|https?://\S+", re.DOTALL)
_OWN_QUESTION = re.compile(r"[?？][^?？.。!！\n]{0,60}[.。!！]?\s*$")
_MARKS = re.compile(r"[\W_]+")


class Closing(Enum):
    """How a message ends something, so that it wants no answer."""

    NONE = auto()
    AGREES = auto()  # "ok", which answers a question where one was asked
    DONE = auto()  # thanks, praise, laughter, farewell, "found it", "I'll try that"


@dataclass(frozen=True, slots=True)
class Wording:
    """What a message does by its words."""

    closing: Closing
    asks: bool  # a question
    enquires: bool  # a question for a fact: how, what, where …
    requests: bool  # wants something made or changed
    to_you: bool  # speaks to a second person, other than asking a bot's work of it
    asks_all: bool  # asks whoever knows
    seeks: bool  # wants people: who has time, who saw it too
    team: bool  # speaks of what "we" do, or of who does what
    corrects: bool  # "no, I meant"


def read(text: str) -> Wording:
    """Read a message; whatever its length, it takes about as long."""
    said = _CODE.sub(" ", text[:_LONGEST]).strip()
    asks_all = any(book.asks_all.search(said) for book in _BOOKS)
    able = any(book.able.search(said) for book in _BOOKS)
    return Wording(
        closing=_closing(said) if said or not text.strip() else Closing.NONE,
        asks=_asks(said),
        enquires=any(book.enquiry.search(said) for book in _BOOKS),
        requests=able or any(book.request.search(said) for book in _BOOKS),
        to_you=any(book.you.search(book.able.sub(" ", said)) for book in _BOOKS),
        asks_all=asks_all,
        seeks=not asks_all and any(book.seeks.search(said) for book in _BOOKS),
        team=any(book.team.search(said) for book in _BOOKS),
        corrects=any(book.correction.search(said) for book in _BOOKS),
    )


def ends_asking(said: str) -> bool:
    """Say whether a line of ours ends with a question, which the next line may answer."""
    return bool(_OWN_QUESTION.search(said[-300:]))


def _asks(said: str) -> bool:
    return any(book.question.search(said) for book in _BOOKS)


def _closing(said: str) -> Closing:
    """Take closing phrases from the beginning until nothing is left; no more than that closes."""
    kind, place = Closing.AGREES, 0
    if len(said) > _LONGEST_CLOSING or "?" in said or "？" in said:
        return Closing.NONE
    while place < len(said):
        if marks := _MARKS.match(said, place):
            place = marks.end()
            continue
        if any(book.later.match(said, place) for book in _BOOKS):
            return Closing.NONE if _asks(said) else Closing.DONE
        done = _longest(said, place, "done")
        end = max(done, _longest(said, place, "assent"), _longest(said, place, "filler"))
        if end == place:
            return Closing.NONE
        kind = Closing.DONE if done == end else kind
        place = end
    return kind


def _longest(said: str, place: int, part: str) -> int:
    found = (getattr(book, part).match(said, place) for book in _BOOKS)
    return max((match.end() for match in found if match), default=place)
