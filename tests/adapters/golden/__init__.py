"""Golden files: a text in Markdown, and what becomes of it on each platform, to be read by people."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from bot.adapters.discord.writing import write_text as write_discord
from bot.adapters.slack.blocks import write_blocks
from bot.adapters.slack.writing import write_markdown, write_text

FOLDER = Path(__file__).parent

WRITERS: Mapping[str, Callable[[str], str]] = {
    "discord": write_discord,
    "slack": write_markdown,
    "mrkdwn": write_text,
    "blocks": lambda markdown: json.dumps(write_blocks(markdown), ensure_ascii=False, indent=1),
}
_UNSEEN = re.compile("[\u2000-\u200f\u2028-\u202e\u2060-\u206f]")
_RULE = "═══════ "


def cases() -> Iterator[Path]:
    """The files, by name."""
    return iter(sorted(FOLDER.glob("*.txt")))


def said(markdown: str) -> dict[str, str]:
    """What is written on each platform; blocks only where they are more than the Markdown."""
    written = {name: _seen(write(markdown)) for name, write in WRITERS.items()}
    if '"type": "table"' not in written["blocks"]:
        del written["blocks"]
    return written


def read_case(path: Path) -> tuple[str, dict[str, str]]:
    """The text of a golden file and what it promises."""
    markdown, *parts = path.read_text("utf-8").split(_RULE)
    promised = {}
    for part in parts:
        name, _, text = part.partition("\n")
        promised[name] = text.removesuffix("\n")
    return markdown.removesuffix("\n"), promised


def write_case(path: Path, markdown: str) -> None:
    """Write a golden file anew."""
    parts = [f"{markdown}\n", *(f"{_RULE}{name}\n{text}\n" for name, text in said(markdown).items())]
    path.write_text("".join(parts), "utf-8")


def _seen(text: str) -> str:
    """Let letters be seen that nobody sees, but for the joiner within emoji."""
    return _UNSEEN.sub(lambda found: found[0] if found[0] == "\u200d" else f"⟨{ord(found[0]):x}⟩", text)
