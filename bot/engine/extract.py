"""Tells lines shortly without a model: the sentences that hold most of what is talked about; pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

from bot.dialogue import Line

_SENTENCE = re.compile(r"[^.!?。！？\n]+[.!?。！？]*")
_WORD = re.compile(r"[^\W\d_]{3,}|\d+|[\u3400-\u9fff\u3040-\u30ff\uac00-\ud7af]{2}")
_INK = re.compile(r"\w")
_LONGEST_SENTENCE = 300


def extract(lines: Sequence[Line], tokens: int, count: Callable[[str], int]) -> str:
    """
    Choose sentences, in their order, that weigh at most `tokens` together; at least a part of one.

    A sentence scores the mean of how often its words come in all lines (the frequency method of Luhn,
    1958, "The automatic creation of literature abstracts").
    """
    sentences = [part for line in lines for part in _sentences(line)]
    if not sentences:
        return ""
    frequency = Counter(word for part in sentences for word in _words(part))
    scores = [_score(part, frequency) for part in sentences]
    chosen: list[int] = []
    left = tokens
    for index in sorted(range(len(sentences)), key=lambda index: -scores[index]):
        weight = count(sentences[index]) + 2
        if weight <= left:
            chosen.append(index)
            left -= weight
    chosen = chosen or [max(range(len(sentences)), key=lambda index: scores[index])]
    return " ".join(sentences[index] for index in sorted(chosen))


def _sentences(line: Line) -> list[str]:
    found = (part.strip() for part in _SENTENCE.findall(line.text))
    return [part[:_LONGEST_SENTENCE] for part in found if _INK.search(part)]


def _words(sentence: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(sentence)]


def _score(sentence: str, frequency: Counter[str]) -> float:
    words = _words(sentence)
    return sum(frequency[word] for word in words) / (len(words) + 3)
