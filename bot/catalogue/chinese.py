"""Tells the written forms of Chinese apart, and which of them a person reads; pure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

MAINLAND = "zh-CN"
TAIWAN = "zh-TW"

# Cantonese and Hong Kong letters that Big5 has not.
_HONG_KONG = frozenset("嘅喺咗哋嚟冇啲嗰佢咁裏綫爲羣")
# The last first bytes of the frequent characters: GB/T 2312 begins with 3,755 of them, Big5 with 5,401.
_LAST_FREQUENT = {"gb2312": 0xD7, "big5": 0xC6}
_TRADITIONAL = frozenset({"hant", "tw", "hk", "mo"})
_SIMPLIFIED = frozenset({"hans", "cn", "sg", "my"})


def variant(text: str, tags: Sequence[str]) -> str:
    """
    Say as a BCP 47 tag in which Chinese to answer a Chinese text.

    The script that only one of them writes decides, and `tags` (the person's, the place's) say which
    form of that script; where the text fits both, the first tag that tells one does, else mainland Chinese.
    """
    told = [(tag, form) for tag in tags if (form := traditional(tag)) is not None]
    written = _written_traditional(text)
    near = next((tag for tag, form in told if written is None or form == written), "")
    return near or (TAIWAN if written else MAINLAND)


def traditional(tag: str) -> bool | None:
    """Say whether a tag asks for traditional Chinese; None where it is not Chinese or does not tell."""
    primary, *rest = tag.replace("_", "-").lower().split("-")
    if primary != "zh":
        return None
    if "hant" in rest or "hans" in rest:
        return "hant" in rest
    if _TRADITIONAL.isdisjoint(rest) and _SIMPLIFIED.isdisjoint(rest):
        return None
    return not _TRADITIONAL.isdisjoint(rest)


@cache
def script(letter: str) -> int:
    """
    Say 1 for a character of traditional Chinese only, -1 for one of simplified Chinese only, else 0.

    The national character sets know: GB/T 2312 (1980) was made for simplified Chinese, and Big5 (1984)
    for Taiwan's; Python carries both. What the first counts as frequent and the second as rare (机, which
    is a tree in Taiwan) is simplified; a rare one of Big5 alone tells nothing: mainland people use some.
    """
    if letter in _HONG_KONG:
        return 1
    if not "\u4e00" <= letter <= "\u9fff":
        return 0
    mainland, taiwan = (letter.encode(charset, "ignore") for charset in ("gb2312", "big5"))
    if mainland and not _frequent(taiwan, "big5"):
        return -1 if _frequent(mainland, "gb2312") or not taiwan else 0
    return 1 if not mainland and _frequent(taiwan, "big5") else 0


def _frequent(encoded: bytes, charset: str) -> bool:
    return bool(encoded) and encoded[0] <= _LAST_FREQUENT[charset]


def _written_traditional(text: str) -> bool | None:
    """Count the characters that only one script has; None where they are as many."""
    balance = sum(script(letter) for letter in text)
    return None if balance == 0 else balance > 0
