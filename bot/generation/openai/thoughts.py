"""Tells what a model says from what it thinks aloud within its text."""

from __future__ import annotations

import re

_OPENED = re.compile(r"\s*<(think|thinking|thought|reasoning)>", re.IGNORECASE)
_MAY_OPEN = "<thinking>", "<thought>", "<reasoning>", "<think>"


class Visible:
    """Lets through what people shall see: no white space in front, no `<think>…</think>` block there."""

    def __init__(self) -> None:
        """Nothing has been said yet."""
        self._held = ""
        self._closing = ""
        self._open = False
        self._thought: list[str] = []

    def feed(self, text: str) -> str:
        """Take the next text and return what can be shown of it now."""
        if self._open:
            return text
        self._held += text
        if not self._closing:
            opened = _OPENED.match(self._held)
            if opened is None:
                return "" if self._may_open() else self._release(self._held)
            self._closing = f"</{opened[1].lower()}>"
            self._held = self._held[opened.end() :]
        before, closed, after = self._held.partition(self._closing)
        if not closed:
            # Thoughts may be long, and their end may be cut in two.
            kept = max(len(self._held) - len(self._closing), 0)
            self._thought.append(self._held[:kept])
            self._held = self._held[kept:]
            return ""
        self._thought.append(before)
        self._held = f"{self._closing}{after}"
        return self._release(after) if after.strip() else ""

    def thought(self) -> str:
        """Return what was thought since the last call."""
        thought, self._thought = "".join(self._thought), []
        return thought

    def rest(self) -> str:
        """Return what was held back at the end: the beginning of a tag that never came."""
        if self._open:
            return ""
        if self._closing:
            self._thought.append(self._held.partition(self._closing)[0])
            self._held = ""
            return ""
        return self._release(self._held)

    def _release(self, text: str) -> str:
        self._open, self._held = True, ""
        return text.lstrip()

    def _may_open(self) -> bool:
        begun = self._held.lstrip().lower()
        return any(tag.startswith(begun) for tag in _MAY_OPEN)
