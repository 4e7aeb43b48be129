"""What a browser sends, checked and turned into the words of the house."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Literal
from uuid import UUID
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from bot.dialogue import Author, Channel, ChannelKind, Message, Platform, Request, Wish

MESSAGE_CHARACTERS = 40_000
BODY_BYTES = 250_000  # that many characters of any script, as JSON
TITLE_CHARACTERS = 80
REASON_CHARACTERS = 2_000

_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,4}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def clean(text: str) -> str:
    """Drop null bytes and other control characters, half characters, and the space around."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _CONTROL.sub("", whole.replace("\r\n", "\n").replace("\r", "\n")).strip()


def _one_line(text: str) -> str:
    return " ".join(clean(text).split())[:TITLE_CHARACTERS]


def _known_zone(name: str) -> str:
    """An unknown zone is none: a browser's oddity must not cost anybody their message."""
    return name if name in _zones() else ""


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _known_locale(tag: str) -> str:
    return tag if _LOCALE.fullmatch(tag) else ""


class Post(BaseModel):
    """A message as the page posts it; `id` is the page's, so that a repeated post changes nothing."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: UUID
    text: Annotated[str, AfterValidator(clean)]
    person: UUID
    name: Annotated[str, Field(max_length=400), AfterValidator(_one_line)] = ""
    time_zone: Annotated[str, Field(max_length=64), AfterValidator(_known_zone)] = ""
    locale: Annotated[str, Field(max_length=64), AfterValidator(_known_locale)] = ""

    def message(self, thread: UUID, guest: str) -> Message:
        """Make it a message of the house; `guest` names whoever gave no name."""
        return Message(
            id=str(self.id),
            channel=place(thread, _one_line(self.text)),
            author=Author(str(self.person), self.name or guest, time_zone=self.time_zone, locale=self.locale),
            text=self.text,
            sent_at=datetime.now(UTC),
            mentions_bot=True,
        )


class Wished(BaseModel):
    """What a press of a button posts: the wish about an answer, and who has it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    wish: Literal["stop", "again", "vote"]
    person: UUID
    value: Literal["", "up", "down"] = ""
    reason: Annotated[str, Field(max_length=REASON_CHARACTERS), AfterValidator(clean)] = ""
    locale: Annotated[str, Field(max_length=64), AfterValidator(_known_locale)] = ""

    def request(self, thread: UUID, turn: int) -> Request:
        """
        Make it a request of the house.

        Whoever is let into the console may end and repeat any answer there: it knows no accounts.
        """
        person = Author(str(self.person), "", locale=self.locale)
        wish = Wish(self.wish)
        return Request(wish, person, place(thread), "", self.value, self.reason, moderator=True, turn=turn)


def place(thread: UUID, title: str = "") -> Channel:
    """Say a thread of the console as a channel."""
    return Channel(Platform.WEB, "local", str(thread), kind=ChannelKind.DIRECT, name=title)
