"""Why Discord refuses, and what cures it: for the asker in their language, for logs in English."""

from __future__ import annotations

from bot.errors import PermissionMissing, PostRefused

UNKNOWN_CHANNEL = 10003
ARCHIVED = 50083
EXISTS = 160004  # the thread
ACKNOWLEDGED = 40060  # the interaction

_RIGHTS = "Send Messages, Send Messages in Threads, Create Public Threads and Read Message History"
# By Discord's codes: the catalogue's key, and the words for logs and `bot doctor`.
_CAUSES = {
    UNKNOWN_CHANNEL: ("discord-refused-gone", "the channel or thread is gone"),
    30033: ("discord-refused-full", "the thread is full; go on in a new one"),
    50001: ("discord-refused-view", "the bot cannot see this channel; give its role View Channel here"),
    50007: ("", "this person takes no direct messages from members of the server"),
    50013: ("discord-refused-rights", f"the bot's role lacks a permission here; give it {_RIGHTS}"),
    ARCHIVED: ("discord-refused-archived", "the thread is archived; open it again"),
    160005: ("discord-refused-locked", "the thread is locked; unlock it, or ask in the channel"),
    160006: ("discord-refused-full", "the server has as many open threads as it may have; archive some"),
}
_NO_RIGHTS = frozenset({50001, 50013, 160005})


class Refused(PostRefused):
    """Discord refuses this call, and will again; `code` is Discord's own."""

    def __init__(self, text: str, code: int = 0, reason: str = "") -> None:
        """`reason` is the catalogue's key for what the asker is told."""
        super().__init__(text)
        self.code = code
        self.reason = reason


class NotAllowed(Refused, PermissionMissing):
    """A permission is missing in this place."""


def refusal(status: int, code: int, text: str) -> Refused:
    """Make the error of a refused call, with its cause and cure where they are known."""
    reason, cause = _CAUSES.get(code, ("", f"Discord does not allow it here: {text}"))
    kind = NotAllowed if code in _NO_RIGHTS else Refused
    return kind(f"{cause} ({status}, code {code})", code, reason)
