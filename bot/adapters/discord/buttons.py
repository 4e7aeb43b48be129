"""The buttons under an answer, and what pressing one wishes; pure."""

from __future__ import annotations

from typing import Any

from bot.dialogue import Piece, Wish
from bot.ports import Words

REASON = "frontdesk:reason"  # the form that a thumb down opens
ABOUT = "frontdesk:about"  # the form of "Ask about this"

# A button carries no state: the post it stands under names the answer.
_WISHES = {
    "frontdesk:stop": (Wish.STOP, ""),
    "frontdesk:again": (Wish.AGAIN, ""),
    "frontdesk:why": (Wish.WHY, ""),
    "frontdesk:up": (Wish.VOTE, "up"),
    "frontdesk:down": (Wish.VOTE, "down"),
}
_GREY = 2

Components = list[dict[str, Any]]


class Buttons:
    """What stands under the posts of one answer, in the asker's language."""

    def __init__(self, words: Words, language: str) -> None:
        """`language` is a BCP 47 tag."""
        self._growing = _row(_button("stop", "⏹️", words.say("button-stop", language)))
        self._whole = _row(
            _button("again", "🔁", words.say("button-again", language)),
            _button("why", "❔", words.say("button-why", language)),
            _button("up", "👍"),
            _button("down", "👎"),
        )

    def under(self, piece: Piece) -> Components:
        """Say what stands under a piece: a way to stop while it grows, the rest under the last."""
        if piece.last:
            return self._whole
        return [] if piece.done else self._growing


def pressed(custom_id: str) -> tuple[Wish, str] | None:
    """Read what a press of a button wishes, with its value; None for a button that is not ours."""
    return _WISHES.get(custom_id)


def form_of(custom_id: str) -> tuple[str, str]:
    """Read which form was sent in, and the id of the message it is about."""
    name, _, message_id = custom_id.rpartition(":")
    return name, message_id


def _button(name: str, emoji: str, label: str = "") -> dict[str, Any]:
    shown = {"label": label} if label else {}
    custom_id = f"frontdesk:{name}"
    return {"type": 2, "style": _GREY, "custom_id": custom_id, "emoji": {"name": emoji}, **shown}


def _row(*buttons: dict[str, Any]) -> Components:
    return [{"type": 1, "components": list(buttons)}]
