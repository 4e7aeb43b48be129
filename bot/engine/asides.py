"""What is shown under an answer, but is no part of it."""

from __future__ import annotations

import re

from bot.dialogue import Delta

_LONGEST_THOUGHT = 400
_LONGEST_KEPT = 4 * _LONGEST_THOUGHT
_MARKS = re.compile(r"[`*~|<>\[\]#]+")


class Asides:
    """Gathers the asides of one try: thoughts, then notes; `unseen` where pictures were not looked at."""

    def __init__(self) -> None:
        """Nothing is to be said."""
        self._thought = ""
        self._notes: list[str] = []
        self.unseen = False

    def take(self, delta: Delta) -> None:
        """Take what was thought aloud; of a long thought the beginning is enough."""
        self.unseen = self.unseen or delta.unseen
        if delta.thought and len(self._thought) < _LONGEST_KEPT:
            self._thought += delta.thought

    def note(self, text: str) -> None:
        """Say something under the answer."""
        self._notes.append(text)

    @property
    def text(self) -> str:
        """All of it, in Markdown; "" where there is nothing."""
        thought = quoted(self._thought)
        return "\n\n".join([thought, *self._notes] if thought else self._notes)


def quoted(thought: str) -> str:
    """
    Fold thoughts into a quote of one line, cut at a word; without marks, since a cut would leave some open.

    A quote is what every surface shows apart from the answer.
    """
    line = " ".join(_MARKS.sub("", thought).split())
    if not line:
        return ""
    if len(line) > _LONGEST_THOUGHT:
        cut = line[:_LONGEST_THOUGHT]
        line = f"{cut[: cut.rfind(' ')] if ' ' in cut[_LONGEST_THOUGHT // 2 :] else cut}…"
    return f"> 💭 {line}"
