"""What the words of a chat message tell about whom it is for; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property, lru_cache

from bot.attention import chinese, english
from bot.attention.phrases import Pattern, Phrases

_BOOKS = (english.PHRASES, chinese.PHRASES)
_LONGEST = 500  # characters that are looked at: whom a message is for stands at its beginning
_LONGEST_CLOSING = 60

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|https?://\S+", re.DOTALL)
_OWN_QUESTION = re.compile(r"[?？][^?？.。!！\n]{0,60}[.。!！]?\s*$")
_LATIN = re.compile(r"[A-Za-z+]")
_MARKS = re.compile(r"[\W_]+")
# Laughter and "me too" may go before a remark, and thanks and greetings before a name.
_REMARKS = re.compile(
    r"(?:lol+|lmao+|rofl|(?:ha){2,}h?|me too|same here|mine too|phew|whew|yay|hooray)\b|"
    r"哈{2,}|笑死|[嘿呵]{2,}|\+1|同[问問]|"
    r"我也(?:是|一[样樣])",
    re.IGNORECASE,
)
_NAME = re.compile(r"[A-Z]\w+\W*$")


class Closing(Enum):
    """How a message ends something, so that it wants no answer."""

    NONE = auto()
    AGREES = auto()  # "ok", which answers a question where one was asked
    DONE = auto()  # thanks, praise, laughter, farewell, "found it", "I'll try that"


@dataclass(frozen=True)
class Wording:
    """What a message does by its words; each is looked for once, when it is asked for."""

    said: str
    books: Sequence[Phrases]

    @cached_property
    def closing(self) -> Closing:
        """How it ends something; `NONE` for code and links alone."""
        return _closing(self.said, self.books)

    @cached_property
    def asks(self) -> bool:
        """Whether it is a question."""
        return any(book.question.search(self.said) for book in self.books) or self.asks_all

    @cached_property
    def enquires(self) -> bool:
        """Whether it asks for a fact: how, what, where …"""
        return self.asks and any(book.enquiry.search(self.said) for book in self.books)

    @cached_property
    def requests(self) -> bool:
        """Whether it wants something made or changed."""
        return any(book.request.search(self.said) or book.able.search(self.said) for book in self.books)

    @cached_property
    def to_you(self) -> bool:
        """Whether it speaks to a second person, other than asking a bot's work of it."""
        return any(book.you.search(book.able.sub(" ", self.said)) for book in self.books)

    @cached_property
    def asks_all(self) -> bool:
        """Whether it asks whoever knows."""
        return any(book.asks_all.search(self.said) for book in self.books)

    @cached_property
    def seeks(self) -> bool:
        """Whether it wants people: who has time, who saw it too, what do you all think."""
        found = any(book.seeks.search(self.said) and not book.able.search(self.said) for book in self.books)
        return found and not self.asks_all

    @cached_property
    def team(self) -> bool:
        """Whether it speaks of what "we" do, or of who does what."""
        return any(book.team.search(self.said) for book in self.books)

    @cached_property
    def advises(self) -> bool:
        """Whether it says what to try, or what may be."""
        return any(book.advice.search(self.said) for book in self.books)

    @cached_property
    def corrects(self) -> bool:
        """Whether it takes back or sets right: "no, I meant"."""
        return any(book.correction.search(self.said) for book in self.books)


def read(text: str) -> Wording:
    """Read a message; whatever its length, it takes about as long."""
    return _read(text[:_LONGEST], bool(text.strip()))


def ends_asking(said: str) -> bool:
    """Say whether a line of ours ends with a question, which the next line may answer."""
    return bool(_OWN_QUESTION.search(said[-300:]))


@lru_cache(maxsize=1024)  # a thread's lines are read again with each message that comes
def _read(opening: str, anything: bool) -> Wording:
    said = _CODE.sub(" ", opening).strip()
    # Code and links alone are something all the same; a digit is none of the phrases.
    return Wording(said or ("0" if anything else ""), _books(said))


def _books(said: str) -> Sequence[Phrases]:
    """Choose the books whose letters the text has: the other one's patterns could not match."""
    if said.isascii():
        return (english.PHRASES,)
    return _BOOKS if _LATIN.search(said) else (chinese.PHRASES,)


def _closing(said: str, books: Sequence[Phrases]) -> Closing:
    """Take closing phrases from the beginning until nothing is left; no more than that closes."""
    kind, place = Closing.AGREES, 0
    if len(said) > _LONGEST_CLOSING or "?" in said or "？" in said:
        return Closing.NONE
    asks = any(book.question.search(said) or book.correction.search(said) for book in books)
    if _REMARKS.match(said) and not asks:
        return Closing.DONE
    while place < len(said):
        if marks := _MARKS.match(said, place):
            place = marks.end()
            continue
        if any(book.later.match(said, place) for book in books):
            return Closing.NONE if asks else Closing.DONE
        done = _longest(said, place, [book.done for book in books])
        end = max(
            done, _longest(said, place, [part for book in books for part in (book.assent, book.filler)])
        )
        if end == place:
            named = place > 0 and kind is Closing.DONE and _NAME.match(said, place)
            return Closing.DONE if named else Closing.NONE
        kind = Closing.DONE if done == end else kind
        place = end
    return kind


def _longest(said: str, place: int, patterns: Iterable[Pattern]) -> int:
    found = (pattern.match(said, place) for pattern in patterns)
    return max((match.end() for match in found if match), default=place)
