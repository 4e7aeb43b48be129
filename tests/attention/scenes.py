"""Reads the labelled cases: a scene in a thread, the message that comes, and whom it is for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.dialogue import Attention, Author, Channel, ChannelKind, Message, Platform, Scene, Spoken

BEGAN = datetime(2026, 11, 23, 9, tzinfo=UTC)
THREAD = Channel(Platform.SLACK, "T1", "C1", "1.0", ChannelKind.THREAD, "general")
BOT = "B1"
NEWEST = 8  # lines that memory reads of a thread


@dataclass(frozen=True, slots=True)
class Case:
    """One labelled case; `half` is "dev" or "held"."""

    half: str
    message: Message
    scene: Scene
    label: Attention
    why: str

    def told(self) -> str:
        """Show it as people would read it."""
        lines = [f"    {line.author_name}: {line.text}" for line in self.scene.lately]
        return "\n".join([f"[{self.why}]", *lines, f"  > {self.message.author.name}: {self.message.text}"])


def cases(language: str) -> Sequence[Case]:
    """Read a language's cases."""
    file = Path(__file__).with_name("cases") / f"{language}.jsonl"
    return [_case(json.loads(line)) for line in file.read_text("utf-8").splitlines()]


def scene_of(lines: Sequence[Mapping[str, Any]], people: int = 0, quiet: bool = False) -> Scene:
    """Make a scene of lines; a person's line that the bot answered was for it."""
    taken: set[int] = set()
    for index, line in enumerate(lines):
        if asker := line.get("bot_for"):
            asked = (i for i in reversed(range(index)) if lines[i].get("who") == asker)
            taken.add(next(asked, -1))
    spoken = [_spoken(line, index in taken) for index, line in enumerate(lines)]
    company = len({line.author_id for line in spoken if not line.said})
    return Scene(tuple(spoken[-NEWEST:]), people or company, quiet)


def message_of(who: str, said: str, at: float, *, mentions: bool = False) -> Message:
    """Make the message that comes."""
    return Message("9", THREAD, Author(who, who), said, _moment(at), mentions_others=mentions)


def _case(read: Mapping[str, Any]) -> Case:
    last = read["message"]
    return Case(
        read["half"],
        message_of(last["who"], last["said"], last["at"], mentions=last.get("mentions", False)),
        scene_of(read["lines"], read.get("people", 0), read.get("quiet", False)),
        Attention(read["label"]),
        read["why"],
    )


def _spoken(line: Mapping[str, Any], taken: bool) -> Spoken:
    if asker := line.get("bot_for"):
        return Spoken(BOT, "Frontdesk", line["said"], _moment(line["at"]), True, asker)
    return Spoken(
        line["who"],
        line["who"],
        line["said"],
        _moment(line["at"]),
        mentions_others=line.get("mentions", False),
        asked=taken or line.get("asked", False),
    )


def _moment(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)
