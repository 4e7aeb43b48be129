"""Judges whom a message in a thread is for, by who speaks with whom; pure and quick."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.attention.calling import BOT, SOMEBODY, called
from bot.attention.wording import Closing, Wording, ends_asking, read
from bot.dialogue import ChannelKind, Message, Scene, Spoken

_EVERYBODY = "\0everybody"
_NOBODY = ""  # thanks, laughter, "me too": said into the room

# How long who said something goes on with it, and how long people are taken to be still talking.
_IN_ONE_BREATH = timedelta(minutes=10)
_OVER = timedelta(hours=8)


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether a message is for the bot, and why, in a few words."""

    for_bot: bool
    reason: str


@dataclass(frozen=True, slots=True)
class _Heard:
    """A line and whom it is for."""

    spoken: Spoken
    whom: str


@dataclass(frozen=True, slots=True)
class _Moment:
    """What is known when the message comes: the lines before it, and what its words do."""

    author: str
    lines: tuple[_Heard, ...]
    words: Wording
    over: bool
    alone: bool

    @property
    def own(self) -> tuple[_Heard, ...]:
        """The author's own lines at the end, to which nobody said anything yet."""
        count = 0
        while count < len(self.lines) and self.lines[-1 - count].spoken.author_id == self.author:
            count += 1
        return self.lines[len(self.lines) - count :]

    @property
    def before(self) -> _Heard | None:
        """The last line of somebody else that was said to somebody."""
        others = (line for line in reversed(self.lines) if line.spoken.author_id != self.author and line.whom)
        return next(others, None)

    @property
    def with_bot(self) -> bool:
        """Whether the author spoke with the bot when they last spoke to anybody."""
        said = (
            line.whom for line in reversed(self.lines) if line.spoken.author_id == self.author and line.whom
        )
        return next(said, "") == BOT


def judge(message: Message, scene: Scene, names: Iterable[str]) -> Judgement:
    """Judge whom a message without a mention of the bot is for, in a thread the bot takes part in."""
    people = {line.author_id: line.author_name for line in scene.lately if not line.said}
    people.pop(message.author.id, None)
    own = (*names, *{line.author_name for line in scene.lately if line.said and line.author_name})
    whom = called(message.text, own, people)
    if whom == BOT:
        return Judgement(True, "the bot is called by name")
    if scene.quiet:
        return Judgement(False, "the bot shall be quiet here")
    if message.mentions_others or whom:
        return Judgement(False, "somebody else is called")
    if message.channel.kind is ChannelKind.OPEN:
        return Judgement(False, "an open channel")
    if not scene.lately:
        return Judgement(True, "nothing was said before")
    return _by_scene(_moment(message, scene, own))


def _moment(message: Message, scene: Scene, own: Sequence[str]) -> _Moment:
    lines = _follow(scene.lately, own)
    newest = scene.lately[-1].sent_at
    alone = scene.people <= 1 and all(
        line.said or line.author_id == message.author.id for line in scene.lately
    )
    return _Moment(message.author.id, lines, read(message.text), message.sent_at - newest > _OVER, alone)


def _by_scene(now: _Moment) -> Judgement:
    words, closing = now.words, now.words.closing
    if closing is not Closing.DONE and _was_asked(now):
        return Judgement(True, "the bot asked its author")
    if closing is not Closing.NONE:
        return Judgement(False, "it wants no answer")
    if words.seeks:
        return Judgement(False, "it seeks people")
    if now.alone:
        return _alone(now)
    if words.asks_all:
        return Judgement(True, "it asks whoever knows")
    return _in_company(now)


def _was_asked(now: _Moment) -> bool:
    """Say whether the bot's last line asked the author something, and nobody else did since."""
    for line in reversed(now.lines):
        if line.spoken.said:
            return line.whom in (now.author, _EVERYBODY) and ends_asking(line.spoken.text)
        words = read(line.spoken.text)
        if (
            line.spoken.author_id == now.author
            or words.asks
            or words.to_you
            or now.words.asks
            or now.words.to_you
        ):
            return False
    return False


def _alone(now: _Moment) -> Judgement:
    if now.words.team and not now.words.asks:
        return Judgement(False, "it speaks of what people do")
    return Judgement(True, "nobody else is there")


def _in_company(now: _Moment) -> Judgement:
    words, before = now.words, now.before
    if now.own and now.own[-1].whom:
        return Judgement(now.own[-1].whom == BOT, "it goes on with what its author said")
    if before is None:
        return Judgement(now.with_bot or words.asks, "nobody else has spoken")
    if now.over:
        knows = words.enquires and not words.to_you and not words.team
        return Judgement(knows, "after a long time")
    return _after_bot(now, before) if before.spoken.said else _after_person(now, before)


def _after_person(now: _Moment, before: _Heard) -> Judgement:
    """Judge what follows a person's line: for the bot only where its author is still with the bot."""
    words = now.words
    if now.with_bot and not words.to_you:
        if before.whom == BOT:
            return Judgement(words.asks or words.requests, "several speak with the bot")
        remark = read(before.spoken.text)
        if words.requests and not (remark.asks or remark.requests or remark.to_you or remark.advises):
            return Judgement(True, "it goes on with the bot after a remark")
    return Judgement(False, "people talk with each other")


def _after_bot(now: _Moment, before: _Heard) -> Judgement:
    """Judge what follows an answer of the bot, by whom that was for."""
    words = now.words
    if before.whom == now.author:
        return Judgement(not words.team or words.asks, "the bot's last line was for its author")
    if words.to_you or words.advises:
        return Judgement(False, "it speaks to whom the bot answered")
    if words.asks or (words.requests and not words.team):
        return Judgement(True, "it asks on after the bot's answer")
    return Judgement(now.with_bot or words.corrects, "its author spoke with the bot")


def _follow(lately: Sequence[Spoken], own: Sequence[str]) -> tuple[_Heard, ...]:
    """Say of each line whom it was for, oldest first."""
    people = {line.author_id: line.author_name for line in lately if not line.said}
    heard: list[_Heard] = []
    for line in lately:
        heard.append(
            _Heard(line, line.answers or _EVERYBODY if line.said else _whom(line, heard, people, own))
        )
    return tuple(heard)


def _whom(line: Spoken, heard: Sequence[_Heard], people: Mapping[str, str], own: Sequence[str]) -> str:
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
        return _NOBODY
    if words.seeks:
        return _EVERYBODY
    return _partner(line, heard)


def _partner(line: Spoken, heard: Sequence[_Heard]) -> str:
    """Say with whom the line's author talks: whoever spoke last, or whom the bot answered."""
    for earlier in reversed(heard):
        spoken = earlier.spoken
        if spoken.author_id == line.author_id and earlier.whom not in (_NOBODY, BOT):
            return earlier.whom
        if spoken.author_id != line.author_id and earlier.whom:
            if not spoken.said:
                return spoken.author_id
            return earlier.whom if earlier.whom != line.author_id else _EVERYBODY
    return _EVERYBODY
