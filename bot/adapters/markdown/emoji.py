"""Emoji by name, for platforms that show a bot's `:tada:` as it is written."""

from __future__ import annotations

import re

from rich.emoji import Emoji

_NAME = re.compile(r"(?<![\w:/]):([a-z0-9_+\-]{2,40}|x|o|v|m|[+\-]1):(?![\w:])")
# Names that Slack, GitHub and models use and the table lacks.
_MORE = {
    "thinking": "🤔",
    "check": "✅",
    "tick": "✅",
    "party": "🎉",
    "hugging_face": "🤗",
    "hugs": "🤗",
    "robot": "🤖",
    "robot_face": "🤖",
    "wrench": "🔧",
    "hammer_and_wrench": "🛠️",
    "bar_chart": "📊",
    "slightly_smiling_face": "🙂",
    "simple_smile": "🙂",
    "white_tick": "✅",
}


def pictured(text: str) -> str:
    """Put emoji for their names; names that nobody knows stay."""
    if text.count(":") < 2:
        return text
    return _NAME.sub(_picture, text)


def _picture(found: re.Match[str]) -> str:
    known = _MORE.get(found[1])
    return known or Emoji.replace(found[0])
