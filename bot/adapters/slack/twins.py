"""Which messages were kept lately: a mention comes twice, and Slack delivers again."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

# `app_mention` may lack what its twin, the `message` event, has (files); so the twin goes first.
TWIN_SECONDS = 0.7
HEARD = 2_000

Twin = tuple[str, str]


class Twins:
    """Remembers what was heard by channel and ts, so that a mention can wait for its twin."""

    def __init__(self) -> None:
        """Nothing was heard yet."""
        self._heard: OrderedDict[Twin, asyncio.Event] = OrderedDict()

    def known(self, twin: Twin) -> bool:
        """Say whether it was heard and kept; what has no ts of its own never was."""
        event = self._heard.get(twin)
        return event is not None and event.is_set()

    async def wait(self, twin: Twin) -> None:
        """Wait a moment for the twin to be heard."""
        try:
            async with asyncio.timeout(TWIN_SECONDS):
                await self._event(twin).wait()
        except TimeoutError:
            return

    def heard(self, twin: Twin) -> None:
        """Note that it was kept."""
        self._event(twin).set()

    def _event(self, twin: Twin) -> asyncio.Event:
        event = self._heard.setdefault(twin, asyncio.Event())
        self._heard.move_to_end(twin)
        while len(self._heard) > HEARD:
            self._heard.popitem(last=False)
        return event
