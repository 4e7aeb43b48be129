"""What Slack refuses: unknown or missing arguments, texts too long, posts in the wrong place."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

# Slack's own documentation of its methods, where this machine has a copy beside the repository.
METHODS = Path(__file__).resolve().parents[2].parent / "shared" / "platform" / "slack-methods"

TEXT_CHARACTERS = 4_000
MARKDOWN_CHARACTERS = 12_000

# What every method needs, for machines without the documentation.
REQUIRED = {
    "agents.sessions.setStatus": {"channel_id", "status"},
    "assistant.threads.setStatus": {"channel_id", "thread_ts", "status"},
    "chat.appendStream": {"channel", "ts", "markdown_text"},
    "chat.delete": {"channel", "ts"},
    "chat.postEphemeral": {"channel", "user"},
    "chat.postMessage": {"channel"},
    "chat.startStream": {"channel"},
    "chat.stopStream": {"channel", "ts"},
    "chat.update": {"channel", "ts"},
    "conversations.history": {"channel"},
    "conversations.info": {"channel"},
    "conversations.replies": {"channel", "ts"},
    "users.conversations": set(),
    "assistant.threads.setSuggestedPrompts": {"channel_id", "prompts"},
    "users.info": {"user"},
    "views.open": {"trigger_id", "view"},
    "views.publish": {"user_id", "view"},
}

_PING = re.compile(r"<(?:[@#]|!(?:channel|here|everyone|group|subteam|date))", re.IGNORECASE)
_NUMBERS = {"limit"}


class SlackRefuses(Exception):
    """Slack's answer `ok: false` with this error."""

    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.error = error
        self.more = more


@cache
def documented(method: str) -> tuple[frozenset[str], frozenset[str]] | None:
    """Which arguments a method knows and which it requires; None without the documentation."""
    path = METHODS / f"{method}.json"
    if not path.exists():
        return None
    arguments = json.loads(path.read_text())["args"]
    return frozenset(arguments["properties"]), frozenset(arguments.get("required", ())) - {"token"}


def faults(method: str, arguments: Mapping[str, Any]) -> list[str]:
    """Say what is wrong with a call's arguments."""
    known = documented(method)
    required = known[1] if known else REQUIRED.get(method, set())
    found = [f"{method} lacks {name}" for name in sorted(required) if arguments.get(name) in (None, "")]
    if "status" in required and arguments.get("status") == "":
        found.remove(f"{method} lacks status")
    if known:
        found += [f"{method} does not know {name}" for name in sorted(set(arguments) - known[0])]
    found += [
        f"{method}: {name} is no number" for name in _NUMBERS & set(arguments) if not _number(arguments[name])
    ]
    return found


def check_text(arguments: Mapping[str, Any]) -> str:
    """Return the text a message will hold, or refuse as Slack does."""
    text, markdown = arguments.get("text"), arguments.get("markdown_text")
    if markdown is not None and (text is not None or arguments.get("blocks")):
        raise SlackRefuses("markdown_text_conflict")
    shown = markdown if markdown is not None else text
    if not isinstance(shown, str) or not shown.strip():
        raise SlackRefuses("no_text")
    if markdown is not None and len(shown) > MARKDOWN_CHARACTERS:
        raise SlackRefuses("msg_too_long")
    if text is not None and len(shown) > TEXT_CHARACTERS:
        raise SlackRefuses("msg_too_long")
    return shown


def pings(text: str) -> list[str]:
    """Whom a text would call."""
    return _PING.findall(text)


def _number(value: Any) -> bool:
    return str(value).isdigit()
