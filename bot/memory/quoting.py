"""Says what is enclosed with a message as a model reads it: named, fenced, and cut where it must be; pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from bot.dialogue import LINK, Attachment, File

_LEAST = 40
_TRIES = 8


def told(text: str, files: Sequence[File], enclosed: Mapping[int, Attachment]) -> str:
    """Say a message with its files (by their places) and the messages it links to (after those)."""
    later = (place for place in sorted(enclosed) if place >= len(files))
    parts = [
        quoted(enclosed[place]) if place in enclosed else f"\n[file: {_one_line(file.name)}]"
        for place, file in enumerate(files)
    ]
    return "".join([text, *parts, *(quoted(enclosed[place]) for place in later)])


def quoted(attachment: Attachment) -> str:
    """Name an attachment and fence its text, so that none of it can pass for what a person says."""
    about = f" ({attachment.note})" if attachment.note else ""
    head = f"\n[{_label(attachment)}: {_one_line(attachment.name)}{about}]"
    if not attachment.text:
        return head
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", attachment.text)), default=0))
    return f"{head}\n{fence}\n{attachment.text}\n{fence}"


def is_picture(attachment: Attachment) -> bool:
    """Say whether it is something to see; its tokens then count only where it is shown."""
    return attachment.media_type.startswith("image/")


def within(attachment: Attachment, tokens: int, count: Callable[[str], int]) -> Attachment:
    """Keep the beginning and the end of an attachment's text, in at most about so many tokens."""
    kept, length = attachment, float(len(attachment.text))
    while (weight := count(quoted(kept))) > tokens and length > _LEAST:
        length = max(length * min(tokens / weight, 0.9), _LEAST)
        kept = replace(attachment, text=shortened(attachment.text, int(length)))
    return replace(kept, tokens=weight)


def shortened(text: str, length: int) -> str:
    """Keep the beginning and the end of a text, since what matters stands in either."""
    if len(text) <= length:
        return text
    return f"{text[: length * 2 // 3]}\n[…]\n{text[-(length // 3) :]}"


def in_short(attachment: Attachment) -> str:
    """Say in a line what was read of it, or why nothing was."""
    return (
        f"{_one_line(attachment.name)} ({attachment.note})" if attachment.note else _one_line(attachment.name)
    )


def _label(attachment: Attachment) -> str:
    if attachment.media_type == LINK:
        return "linked message"
    return "picture" if is_picture(attachment) else "file"


def _one_line(name: str) -> str:
    return " ".join(name.split())
