"""Tells the language of a chat message: by its script first, and Latin text by a trained model."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import cache, lru_cache
from pathlib import Path
from threading import Lock

from bot.catalogue.trained import TrainedModel, unpacked

# What says nothing about the language of the person: code, addresses, mentions, emoji names. Each part is
# bounded or has but one way to match, for a message may be made to be slow to read.
_SILENT = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]{0,2000}`|<[^<>\s][^<>\n]{0,500}>|(?:https?://|www\.)[!-~]+"
    r"|(?<![\w.+-])[A-Za-z0-9_.+-]{1,64}@[A-Za-z0-9.-]{1,255}|(?<!\w)[@#]\w+|:[a-z0-9_+-]{1,60}:",
    re.DOTALL,
)
_ENOUGH = 4_000  # characters
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")

# The first word of a letter's Unicode name, and the language its script is taken for.
_SCRIPTS = {
    "CJK": "zh", "HIRAGANA": "ja", "KATAKANA": "ja", "HANGUL": "ko", "CYRILLIC": "ru", "ARABIC": "ar",
    "HEBREW": "he", "THAI": "th", "DEVANAGARI": "hi", "GREEK": "el", "ARMENIAN": "hy", "GEORGIAN": "ka",
    "BENGALI": "bn", "TAMIL": "ta", "TELUGU": "te", "GUJARATI": "gu", "GURMUKHI": "pa", "KANNADA": "kn",
    "MALAYALAM": "ml", "SINHALA": "si", "KHMER": "km", "LAO": "lo", "MYANMAR": "my", "ETHIOPIC": "am",
    "BOPOMOFO": "zh", "LATIN": "en",
}  # fmt: skip
# Letters that one of the languages sharing a script has and the one in the table above has not.
_TELLING = {"ru": (("uk", "іїєґ"), ("sr", "ђјљњћџ")), "ar": (("fa", "پچژگ"), ("ur", "ٹڈڑںے"))}

# Scripts whose every letter says about as much as a word and a half of technical English does.
_DENSE = frozenset({"zh", "ja", "ko", "th"})

_LATIN = (
    "en", "es", "fr", "de", "it", "pt", "nl", "sv", "da", "no", "fi", "pl", "cs", "sk", "hu", "ro", "tr",
    "vi", "id", "hr", "sl", "et", "lv", "lt", "ca",
)  # fmt: skip
_COMMON_ENGLISH = """
a about all an and any are as at be been but by can could did do does for from get had has have help how i i'm
if in into is it it's its just me my need no not of on or our please should so some thanks that the their them
then there these they this to up us use was we what what's when where which who why will with would
yes you your
"""
_ENGLISH = frozenset(_COMMON_ENGLISH.split())

_opening = Lock()
_opened: list[TrainedModel] = []


def language_of(text: str) -> str:
    """
    Tell the language as an ISO 639-1 code, "" where nothing in the text can tell it.

    A letter of Chinese, Japanese or Korean counts more than a word of an alphabet, so "帮我看看这个
    error message" is Chinese. Latin text is English unless a longer text is clearly something else.
    """
    said = spoken(text)
    weights = _weights(said)
    if not weights:
        return ""
    language = max(weights, key=lambda code: weights[code])
    if language == "en":
        return _latin(said)
    if language == "zh" and weights["ja"] * 10 >= weights["zh"]:
        return "ja"
    return _within_script(language, said)


def spoken(text: str) -> str:
    """Leave out what says nothing about the language of the person, and what is too long to matter."""
    return _SILENT.sub(" ", text)[:_ENOUGH]


def prepare(folder: Path | None = None) -> None:
    """
    Open the model for Latin text, which else the first text does that needs it.

    Where the folder does not hold it yet that takes half a second. Raises `OSError` where it cannot.
    """
    with _opening:
        if not _opened:
            _opened.append(TrainedModel(unpacked(folder), _LATIN))


def _weights(text: str) -> Counter[str]:
    weights: Counter[str] = Counter()
    for word in _WORD.findall(text):
        letters = Counter(_script(letter) for letter in word)
        for language, count in letters.items():
            if language in _DENSE:
                weights[language] += 3 * count
            elif language:
                weights[language] += 2
    return weights


@cache
def _script(letter: str) -> str:
    name = unicodedata.name(letter, "")
    return _SCRIPTS.get(name.partition(" ")[0], "")


def _within_script(language: str, text: str) -> str:
    for other, letters in _TELLING.get(language, ()):
        if any(letter in letters for letter in text.lower()):
            return other
    return language


def _latin(text: str) -> str:
    words = [word.lower().replace("’", "'") for word in _WORD.findall(text)]
    if len(words) < 3 or sum(map(len, words)) < 12:
        return "en"
    if sum(word in _ENGLISH for word in words) * 4 >= len(words):
        return "en"
    return _trained(" ".join(words[:200]))


@lru_cache(maxsize=256)  # what is asked is told of in several places
def _trained(text: str) -> str:
    if not _opened:
        prepare()
    language, confidence = _opened[0].classify(text)
    return language if confidence >= 0.8 else "en"
