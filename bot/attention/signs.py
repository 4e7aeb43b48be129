"""What is seen of a message and of the talk before it, as signs that can be weighed; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import log

from bot.attention.calling import BOT, aliases
from bot.attention.following import Heard, Moment
from bot.attention.vocabulary import Vocabulary, grams, vocabulary
from bot.attention.wording import Closing, Wording, ends_asking, read

_SENTENCE = re.compile(r"(?<=[.!?。！？\n])\s*")
_TOLD_OF_BOT = re.compile(r"frontdesk|\bbot\b|机器人|機器人", re.IGNORECASE)
_QUOTATION = re.compile(r"[\"“「]|(?<!\w)'\w")
_CAPITAL = re.compile(r"(?<=[a-z,] )[A-Z][a-z]+")
_EMOJI = re.compile(r"[\U0001F300-\U0001FAFF☀-➿]|[:;]-?[()DPp]|\[[一-鿿]{1,3}\]|:[a-z_]+:")
_PARTICLES = {
    "了": "了",
    "吧": "吧",
    "呢": "呢",
    **dict.fromkeys("啊呀啦嘛哦喔噢诶欸", "啊"),
    **dict.fromkeys("吗嗎", "吗"),
}
_ACTS = ("asks", "enquires", "requests", "to_you", "asks_all", "seeks", "team", "advises", "corrects")
# What makes a question one among people rather than one for a fact.
_SOCIAL_ACTS = ("to_you", "team", "advises")
_SOCIAL_WORDS = ("they", "hedge", "affect", "social")
# A short word before a comma at the beginning, which may be somebody's name.
_SHORT_WORD = re.compile(r"^(?:[A-Z][\w'-]+,|[一-鿿]{2,4}[，、,]|[阿小老][一-鿿]{1,2})")


@dataclass(frozen=True, slots=True)
class Seen:
    """Where in the talk a message comes, and the strength of each sign, most of them 1."""

    place: str
    signs: dict[str, float]


def signs(now: Moment) -> Seen:
    """See the signs of a message."""
    acts = _acts(now.words)
    said = vocabulary(now.words.said)
    found = {"always": 1.0, **_flags(f"it {act}" for act in acts), **_flags(_words(now, acts, said))}
    found |= _flags(_turns(now))
    found |= {"its length": min(said.length, 25) / 10, "the time since": log(1 + now.seconds / 60) / 3}
    found |= _overlaps(now, found)
    return Seen(_place(now), found)


def _flags(names: Iterable[str]) -> dict[str, float]:
    return dict.fromkeys(names, 1.0)


def _acts(words: Wording) -> frozenset[str]:
    return frozenset(act for act in _ACTS if getattr(words, act))


def _place(now: Moment) -> str:
    before = now.before
    if now.alone:
        return "alone with the bot"
    if before is None or (before.spoken.said and before.whom == now.author):
        return "after an answer to its author"
    return "after an answer to another" if before.spoken.said else "after a person"


def _words(now: Moment, acts: frozenset[str], said: Vocabulary) -> Iterator[str]:
    """Say what its words show."""
    yield from (f"words: {kind}" for kind in said.kinds)
    yield from (f"first word: {kind}" for kind in said.first)
    if acts.isdisjoint({"asks", "requests"}):
        yield "it states"
        yield from (f"it states: {kind}" for kind in said.kinds)
        if any(book.done.match(now.words.said) for book in now.words.books):
            yield "it states, thanks first"
    if "asks" in acts:
        social = not (acts.isdisjoint(_SOCIAL_ACTS) and said.kinds.isdisjoint(_SOCIAL_WORDS))
        yield "a question among people" if social else "a question of fact"
    if now.with_bot and not acts.isdisjoint({"asks", "requests"}) and "to_you" not in acts:
        yield "a wish of who spoke with the bot"
    yield from _marks(now, said)
    text = now.message.text
    if any(alias in text.lower() for alias in _names(now)):
        yield "names somebody of the thread"
    if _TOLD_OF_BOT.search(text):
        yield "tells of a bot"


def _marks(now: Moment, said: Vocabulary) -> Iterator[str]:
    """Say what its letters and marks show."""
    text = now.words.said.rstrip()
    sentences = [part for part in _SENTENCE.split(text) if part.strip()]
    asks = text.endswith(("?", "？"))
    last = vocabulary(sentences[-1]) if len(sentences) > 1 else said
    yield from (f"last sentence: {kind}" for kind in last.first)
    ending = text.rstrip("。.!！~～ 😂😭")[-1:]
    shown = {
        "several sentences": len(sentences) > 1,
        "ends with a question": len(sentences) > 1 and asks,
        "a question mark": asks,
        "short": said.length <= 3,
        "an exclamation": "!" in text or "！" in text,
        "code or a link": text != now.message.text.strip(),
        "digits": any(letter.isdigit() for letter in text),
        "a quotation": bool(_QUOTATION.search(text)),
        "a short word before a comma": bool(_SHORT_WORD.match(text)) and not said.opener,
        "a capital": bool(_CAPITAL.search(now.message.text)),
        "an emoji": bool(_EMOJI.search(text)),
        f"ends with {_PARTICLES.get(ending, '')}": ending in _PARTICLES,
    }
    yield from (sign for sign, is_so in shown.items() if is_so)


def _names(now: Moment) -> Iterator[str]:
    for line in now.scene.lately:
        if not line.said and line.author_id != now.author:
            yield from aliases(line.author_name)


def _turns(now: Moment) -> Iterator[str]:
    """Say what the turns before it show."""
    spoken = [line.spoken for line in now.lines]
    answer = next((line for line in reversed(spoken) if line.said), None)
    shown = {
        "goes on with the bot": now.goes_on == BOT,
        "goes on with people": now.goes_on not in {"", BOT},
        "its author spoke with the bot": now.with_bot,
        "its author is new": all(line.author_id != now.author for line in spoken),
        "more than two people": now.scene.people > 2,
        "the bot had asked": answer is not None and ends_asking(answer.text),
    }
    yield from (sign for sign, is_so in shown.items() if is_so)
    if now.before is not None and not now.before.spoken.said:
        yield from _person_before(now.before, now.author)


def _person_before(before: Heard, author: str) -> Iterator[str]:
    """Say what the person's line before it shows."""
    words = read(before.spoken.text)
    acts = [act for act in ("asks", "to_you", "requests", "advises") if getattr(words, act)]
    yield from (f"the person {act}" for act in acts)
    if not acts:
        yield "after a remark"
    if words.closing is not Closing.NONE:
        yield "the person closes"
    if before.whom == BOT:
        yield "the person spoke with the bot"
    if before.whom == author:
        yield "the person spoke to its author"


def _overlaps(now: Moment, found: dict[str, float]) -> dict[str, float]:
    """Say how much of its words stood before, and how many lines ago the bot spoke."""
    own = grams(now.words.said)
    kept = [grams(line.spoken.text) for line in now.lines]
    bots = [place for place, line in enumerate(now.lines) if line.spoken.said]
    topic = [kept[place] for place, line in enumerate(now.lines) if line.spoken.said or line.whom == BOT]
    shared = {"words of the talk with the bot": _share(own, frozenset().union(*topic))}
    if bots:
        shared["words of the bot's answer"] = _share(own, kept[bots[-1]])
        shared["lines since the answer"] = min(len(kept) - 1 - bots[-1], 4) / 4
    if now.before is not None and not now.before.spoken.said:
        shared["words of the person's line"] = _share(own, grams(now.before.spoken.text))
    if "after a remark" in found and "a wish of who spoke with the bot" in found:
        shared["a wish of who spoke with the bot, after a remark"] = 1.0
    if "after a remark" in found and ("a question of fact" in found or "it requests" in found):
        shared["a fact after a remark"] = 1.0
        shared["a fact of the topic after a remark"] = float(shared["words of the talk with the bot"] > 0)
    return shared


def _share(own: frozenset[str], other: frozenset[str]) -> float:
    return min(len(own & other), 3) / 3
