"""Follows who speaks with whom in a thread, up to the message that comes; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from bot.attention.calling import BOT, SOMEBODY, called
from bot.attention.wording import Closing, Wording, read
from bot.dialogue import Message, Scene, Spoken

EVERYBODY = "\0everybody"
NOBODY = ""  # thanks, laughter, "me too": said into the room

# How long people are taken to be still talking, and how long an answer is still what they talk of.
_OVER = timedelta(hours=8)
_JUST = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Heard:
    """A line and whom it is for."""

    spoken: Spoken
    whom: str


@dataclass(frozen=True)
class Moment:
    """What is known when a message comes: the lines before it, oldest first, and what its words do."""

    message: Message
    scene: Scene
    lines: tuple[Heard, ...]
    words: Wording

    @property
    def author(self) -> str:
        """Who wrote the message."""
        return self.message.author.id

    @cached_property
    def seconds(self) -> float:
        """How long ago the newest line was said."""
        return max((self.message.sent_at - self.lines[-1].spoken.sent_at).total_seconds(), 0)

    @property
    def over(self) -> bool:
        """Whether what was said before is long over."""
        return self.seconds > _OVER.total_seconds()

    @property
    def just_answered(self) -> bool:
        """Whether the newest line is the bot's answer to the author, a few minutes old."""
        newest = self.lines[-1]
        return newest.spoken.said and newest.whom == self.author and self.seconds < _JUST.total_seconds()

    @property
    def alone(self) -> bool:
        """Whether nobody but the author and the bot is in the thread."""
        lines = self.lines
        return self.scene.people <= 1 and all(
            line.spoken.said or line.spoken.author_id == self.author for line in lines
        )

    @cached_property
    def before(self) -> Heard | None:
        """The last line of somebody else that was said to somebody."""
        others = (line for line in reversed(self.lines) if line.spoken.author_id != self.author and line.whom)
        return next(others, None)

    @property
    def goes_on(self) -> str:
        """Whom the author's own line was for, where that is the newest; else ""."""
        newest = self.lines[-1]
        return newest.whom if newest.spoken.author_id == self.author else ""

    @property
    def with_bot(self) -> bool:
        """Whether the author spoke with the bot when they last spoke to anybody."""
        said = (
            line.whom for line in reversed(self.lines) if line.spoken.author_id == self.author and line.whom
        )
        return next(said, "") == BOT


def follow(message: Message, scene: Scene, own: Sequence[str]) -> Moment:
    """
    Say of each line whom it was for, and what the message does; the scene has a line at least.

    `own` are the bot's names.
    """
    lately = scene.lately
    people = {line.author_id: line.author_name for line in lately if not line.said}
    heard: list[Heard] = []
    for line in lately:
        heard.append(Heard(line, line.answers or EVERYBODY if line.said else _whom(line, heard, people, own)))
    return Moment(message, scene, tuple(heard), read(message.text))


def _whom(line: Spoken, heard: Sequence[Heard], people: Mapping[str, str], own: Sequence[str]) -> str:
    """Say whom a person's line was for: what the bot did not take for its own was for somebody else."""
    if line.asked:
        return BOT
    others = {person: name for person, name in people.items() if person != line.author_id}
    if whom := called(line.text, own, others):
        return whom
    if line.mentions_others:
        return SOMEBODY
    words = read(line.text)
    if words.closing is not Closing.NONE:
        return NOBODY
    if words.seeks:
        return EVERYBODY
    return _partner(line, heard)


def _partner(line: Spoken, heard: Sequence[Heard]) -> str:
    """Say with whom the line's author talks: whoever spoke last, or whom the bot answered."""
    for earlier in reversed(heard):
        spoken = earlier.spoken
        if spoken.author_id == line.author_id and earlier.whom not in (NOBODY, BOT):
            return earlier.whom
        if spoken.author_id != line.author_id and earlier.whom:
            if not spoken.said:
                return spoken.author_id
            return earlier.whom if earlier.whom != line.author_id else EVERYBODY
    return EVERYBODY
