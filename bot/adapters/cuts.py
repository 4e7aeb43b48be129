"""Where text may be cut when no line ends in time: after a sentence, at a space, between two letters."""

from __future__ import annotations

import re
import unicodedata

_SENTENCE = re.compile(r"[.!?…][\"')\]”’*_]*(?=\s)|[。！？…；][」』”’）)】]*")
_GAP = re.compile(r"(?<=\S)(?=\s)|(?<=[，、：,])(?=[^\x00-\x7f])")
# What should stay whole: links, pictures, addresses, code and emphasis; also where its end has not come yet.
_WHOLE = re.compile(
    r"!?\[[^\[\]\n]{0,300}(?:\](?:\((?:[^()\n]|\([^()\n]*\)){0,500}(?:\)|\Z)|\[[^\]\n]{0,80}(?:\]|\Z)|\Z)|\Z)"
    r"|https?://[^\s\u3000-\u303f\uff00-\uffef]*"
    r"|`[^`\n]{1,200}(?:`|\Z)"
    r"|\*\*[^*\n]{1,160}(?:\*\*|\*?\Z)"
)


def cut_within(text: str, floor: int, over: int) -> int:
    """
    Return where to cut a stretch without a line end, after `floor` and before `over`.

    It looks at nothing that comes after `over`, so that later text can change nothing.
    """
    whole = [found.span() for found in _WHOLE.finditer(text, floor, over) if found.end() > found.start()]
    for pattern in (_SENTENCE, _GAP):
        places = [found.end() for found in pattern.finditer(text, floor, over) if found.end() < over]
        while places and (
            places[-1] <= floor or not may_part(text, places[-1]) or _inside(whole, places[-1])
        ):
            places.pop()
        if places:
            return places[-1]
    latest = max(over - 1, floor + 1)
    for begin, end in reversed(whole):
        if begin < latest < end and floor < begin and latest - begin <= (over - floor) // 2:
            latest = begin
            break
    for at in range(latest, max(floor, latest - 64), -1):
        if may_part(text, at):
            return at
    return latest


def may_part(text: str, at: int) -> bool:
    """Say whether the letters on both sides belong to different signs, and none opens or closes code."""
    before, after = text[at - 1], text[at : at + 1]
    if not after:
        return True
    if before in "\r\\\u200d" or after in "`~\u200d" or unicodedata.category(after)[0] == "M":
        return False
    if "\U0001f3fb" <= after <= "\U0001f3ff" or "\udc00" <= after <= "\udfff":
        return False
    flags = 0
    while flags < at and "\U0001f1e6" <= text[at - 1 - flags] <= "\U0001f1ff":
        flags += 1
    return not (flags % 2 and "\U0001f1e6" <= after <= "\U0001f1ff")


def _inside(whole: list[tuple[int, int]], at: int) -> bool:
    return any(begin < at < end for begin, end in reversed(whole))
