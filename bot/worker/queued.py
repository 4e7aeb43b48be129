"""Tells people that they are in the queue, in the post that will hold their answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

import structlog

from bot.dialogue import Channel, Piece, Platform, Turn
from bot.errors import LeaseLost, PlatformError, StoreDown, Superseded
from bot.ports import Adapter, Paced, Receipts, Words
from bot.worker.answering import Lease, Leases

log = structlog.get_logger()

_AT_ONCE = 8
_LONGEST_POST = 20.0  # seconds; what a platform takes in no such time need not be said any more


class Waiting(Protocol):
    """The turns in the queue."""

    async def untold(self) -> Sequence[tuple[int, Channel]]:
        """Find turns whose askers shall be told, and where."""
        ...

    async def take(self, number: int) -> tuple[Turn, float] | None:
        """Take the lease of a turn that still waits, with the rest of its pause."""
        ...

    async def give_back(self, turn: Turn, pause: float, *, told: bool, ended: bool = True) -> None:
        """Let it wait on; where the post has not ended well, until no call of it can be on its way."""
        ...


class Outbox(Protocol):
    """The record of posts."""

    def receipts(self, turn: Turn, fence: Lease, *, provisional: bool = False) -> Receipts:
        """Open the record of one answer's posts; what is provisional does not count as seen."""
        ...


class Queued:
    """The word to those who wait: once, in their language; the answer takes its place."""

    def __init__(
        self,
        waiting: Waiting,
        adapters: Mapping[Platform, Adapter],
        leases: Leases,
        outbox: Outbox,
        words: Words,
        every: float = 1.0,
    ) -> None:
        """`every` is the seconds between two looks, each of which is one short question to the record."""
        self._waiting = waiting
        self._adapters = adapters
        self._leases = leases
        self._outbox = outbox
        self._words = words
        self._every = every

    async def run(self) -> None:
        """Tell people until cancelled, beside the answers and not counted among them."""
        while True:
            try:
                await self.tell()
            except StoreDown as error:
                log.warning("queue_not_told", reason=str(error))
            await asyncio.sleep(self._every)

    async def tell(self) -> None:
        """Tell those who wait now, as far as the platform's limits let them be told beside the answers."""
        numbers = [number for number, channel in await self._waiting.untold() if self._may_tell(channel)]
        for first in range(0, len(numbers), _AT_ONCE):
            some = numbers[first : first + _AT_ONCE]
            ended = await asyncio.gather(*map(self._tell, some), return_exceptions=True)
            for error in ended:
                if isinstance(error, BaseException):
                    raise error

    async def _tell(self, number: int) -> None:
        found = await self._waiting.take(number)
        if found is None:
            return
        turn, pause = found
        told = ended = False
        try:
            async with self._leases.hold(turn) as lease:
                await self._post(turn, self._outbox.receipts(turn, lease, provisional=True))
            told = ended = True
        except (LeaseLost, Superseded):
            return  # something newer is wanted of it: that is looked at anew
        except (PlatformError, TimeoutError) as error:
            told = True  # as far as it can be; the answer itself will say what is wrong here
            log.info("queue_not_told", turn=turn.id, reason=type(error).__name__)
        finally:
            await self._waiting.give_back(turn, pause, told=told, ended=ended)
        log.info("queue_told", turn=turn.id, told=told)

    def _may_tell(self, channel: Channel) -> bool:
        adapter = self._adapters[channel.platform]
        return not isinstance(adapter, Paced) or adapter.spares(channel)

    async def _post(self, turn: Turn, receipts: Receipts) -> None:
        text = self._words.say("queued", self._words.language_for(turn.asked))
        adapter = self._adapters[turn.conversation.channel.platform]
        async with asyncio.timeout(_LONGEST_POST):
            await adapter.send(turn.asked, _alone(Piece(0, text, done=True)), receipts)


async def _alone(piece: Piece) -> AsyncIterator[Piece]:
    yield piece
