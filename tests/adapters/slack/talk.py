"""What the tests of sending share: a question on Slack, and an answer that grows on command."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from bot.adapters.slack import SlackAdapter
from bot.dialogue import Author, Channel, ChannelKind, Message, Piece, Platform
from bot.ports import Door, Receipts
from tests.doubles.slack import SlackDouble

GENERAL = "C0GENERAL"
DIRECT = "D0ANN"


class Talk:
    """An answer's pieces, one at a time; used as an iterator it ends with `end`."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Piece | BaseException | None] = asyncio.Queue()

    def say(self, text: str, ordinal: int = 0, done: bool = False, last: bool = False) -> None:
        self._queue.put_nowait(Piece(ordinal, text, done, last))

    def end(self, error: BaseException | None = None) -> None:
        self._queue.put_nowait(error)

    async def pieces(self) -> AsyncIterator[Piece]:
        while True:
            item = await self._queue.get()
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield item


async def asked(slack: SlackDouble, channel: str = GENERAL, text: str = "a question") -> Message:
    """A question that stands on the double."""
    ts = await slack.say("U0ANN", channel, text)
    direct = channel.startswith("D")
    kind = ChannelKind.DIRECT if direct else ChannelKind.OPEN
    place = Channel(Platform.SLACK, "T0001", channel, "" if direct else ts, kind)
    return Message(ts, place, Author("U0ANN", "Ann"), text, datetime.now(UTC))


@asynccontextmanager
async def sending(
    adapter: SlackAdapter, question: Message, talk: Talk, receipts: Receipts
) -> AsyncIterator[asyncio.Task[None]]:
    """Send while the test goes on; at its end the sending must be over, with what it raises."""
    task = asyncio.create_task(adapter.send(question, talk.pieces(), receipts))
    try:
        yield task
        async with asyncio.timeout(10):
            await task
    finally:
        task.cancel()
        await asyncio.wait({task})


@asynccontextmanager
async def listening(slack: SlackDouble, adapter: SlackAdapter, inbox: Door) -> AsyncIterator[None]:
    """Listen while the test goes on, from the first connection."""
    task = asyncio.create_task(adapter.listen(inbox))
    try:
        await slack.until(lambda: slack.sockets.open or task.done())
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
    if not task.cancelled():
        task.result()
