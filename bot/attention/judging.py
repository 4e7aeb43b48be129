"""Judges whom a message in a thread is for: by certain rules, then by weighing what is seen; pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.attention.calling import BOT, called
from bot.attention.following import EVERYBODY, Moment, follow
from bot.attention.signs import signs
from bot.attention.weighing import THRESHOLD, THRESHOLD_ALONE, THRESHOLD_RIGHT_AFTER_AN_ANSWER, weigh
from bot.attention.wording import Closing, ends_asking, read
from bot.dialogue import ChannelKind, Message, Scene


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether a message is for the bot, and why, in a few words."""

    for_bot: bool
    reason: str


def judge(message: Message, scene: Scene, names: Iterable[str]) -> Judgement:
    """Judge whom a message without a mention of the bot is for, in a thread the bot takes part in."""
    now = outright(message, scene, names)
    if isinstance(now, Judgement):
        return now
    seen = signs(now)
    for_bot, why = weigh(seen, _threshold(now))
    return Judgement(for_bot, f"{seen.place}: {', '.join(why)}")


def outright(message: Message, scene: Scene, names: Iterable[str]) -> Judgement | Moment:
    """Judge by what is certain; where nothing is, return the moment that has to be weighed."""
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
    return _by_turns(follow(message, scene, own))


def _threshold(now: Moment) -> float:
    if now.alone:
        return THRESHOLD_ALONE
    return THRESHOLD_RIGHT_AFTER_AN_ANSWER if now.just_answered else THRESHOLD


def _by_turns(now: Moment) -> Judgement | Moment:
    closing = now.words.closing
    if closing is not Closing.DONE and _was_asked(now):
        return Judgement(True, "the bot asked its author")
    if closing is not Closing.NONE:
        return Judgement(False, "it wants no answer")
    if now.goes_on == BOT:
        return Judgement(True, "it goes on with what its author said to the bot")
    if now.over and now.before is not None and not now.alone and not now.goes_on:
        knows = now.words.enquires and not now.words.to_you and not now.words.team
        return Judgement(knows, "after a long time")
    if _among_people(now):
        return Judgement(False, "people talk with each other")
    return now


def _among_people(now: Moment) -> bool:
    """
    Say whether a person spoke last, to an author who was not with the bot.

    Certain, not weighed: to talk between two people is the worst that can happen.
    """
    before = now.before
    talk = before is not None and not before.spoken.said and not now.alone
    return talk and not now.with_bot and not now.words.asks_all


def _was_asked(now: Moment) -> bool:
    """Say whether the bot's last line asked the author something, and nobody else did since."""
    for line in reversed(now.lines):
        if line.spoken.said:
            return line.whom in (now.author, EVERYBODY) and ends_asking(line.spoken.text)
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
