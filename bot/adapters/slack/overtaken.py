"""Which messages may have come after replies to them, which then meant nothing to the bot."""

from __future__ import annotations

from collections import OrderedDict
from datetime import UTC, datetime, timedelta

from bot.dialogue import Accepted, ChannelKind, Message

LATE = timedelta(seconds=3)  # Slack delivers again what has no acknowledgement by then
REMEMBERED = 2_000

_KEPT = frozenset({Accepted.NEW, Accepted.JOINED, Accepted.KNOWN})


class Overtaken:
    """Remembers the threads in which something was said that was not for the bot, as far as it knew."""

    def __init__(self) -> None:
        """Nothing was said yet."""
        self._threads: OrderedDict[tuple[str, str], None] = OrderedDict()

    def may_have(self, message: Message, accepted: Accepted) -> bool:
        """
        Say whether what follows a message in its thread has to be looked for.

        It came late, perhaps to another process than what follows it, or its thread went on without it here.
        """
        channel = message.channel
        if channel.kind is ChannelKind.DIRECT:
            return False  # all is for the bot, in whatever order it comes
        thread = (channel.id, channel.root)
        if accepted is Accepted.IGNORED:
            self._note(thread)
            return False
        if accepted not in _KEPT or not message.mentions_bot:
            return False
        went_on = thread in self._threads
        self._threads.pop(thread, None)
        return went_on or datetime.now(UTC) - message.sent_at > LATE

    def _note(self, thread: tuple[str, str]) -> None:
        self._threads[thread] = None
        self._threads.move_to_end(thread)
        while len(self._threads) > REMEMBERED:
            self._threads.popitem(last=False)
