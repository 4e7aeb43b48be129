"""How many columns text takes where all letters are equally wide."""

from __future__ import annotations

import unicodedata

from wcwidth import wcswidth


def columns(text: str) -> int:
    """Count the columns of a line, East Asian letters and emoji as two."""
    if text.isascii():
        return len(text)
    width = wcswidth(text)
    return width if width >= 0 else sum(2 if is_wide(letter) else 1 for letter in text)


def is_wide(letter: str) -> bool:
    """Say whether a letter belongs to a script that is written without spaces, its punctuation included."""
    if letter < "\u1100":
        return False
    return unicodedata.east_asian_width(letter) in "WF" or letter in "\u2018\u2019\u201c\u201d\u2026\u2014"
