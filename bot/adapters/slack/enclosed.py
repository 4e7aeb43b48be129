"""The files of a message as Slack tells of them, and as a window carries them along; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.adapters.slack.mrkdwn import clean
from bot.dialogue import File

# `files.info` tells the rest by the id: for a file of a shared channel, which has no address yet, and for
# one that a window carries along.
BY_ID = "slack-file:"
MOST_CARRIED = 10  # more cannot be put to one message
NAME_CHARACTERS = 60


def read_files(body: Mapping[str, Any]) -> list[File]:
    """Read the files of a message, those that were deleted left out."""
    return [_file(item) for item in _items(body)]


def write_along(body: Mapping[str, Any]) -> str:
    """Write a message's files short, a line each, for a window's metadata; no address is among it."""
    items = [item for item in _items(body) if item.get("id")]
    return "\n".join(_line(str(item["id"]), _file(item)) for item in items[:MOST_CARRIED])


def read_along(lines: str) -> tuple[File, ...]:
    """Read what `write_along` wrote."""
    parts = [line.split(" ", 3) for line in lines.split("\n")]
    return tuple(
        File(name, "" if media_type == "-" else media_type, int(size), f"{BY_ID}{number}")
        for number, size, media_type, name in (found for found in parts if len(found) == 4)
    )


def _items(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    files = body.get("files")
    if not isinstance(files, list):
        return []
    return [item for item in files if isinstance(item, Mapping) and item.get("mode") != "tombstone"]


def _file(item: Mapping[str, Any]) -> File:
    size = item.get("size")
    return File(
        clean(str(item.get("name") or item.get("title") or "a file")),
        str(item.get("mimetype") or ""),
        size if isinstance(size, int) else 0,
        str(item.get("url_private") or "") or f"{BY_ID}{item.get('id') or ''}",
    )


def _line(number: str, file: File) -> str:
    # The end of a name has its kind. What is not printable weighs six characters in JSON.
    name = "".join(letter if letter.isprintable() else " " for letter in file.name)[-NAME_CHARACTERS:]
    return f"{number} {file.size} {file.media_type.replace(' ', '') or '-'} {name}"
