"""The console and the terminal as platforms: the record is the platform, so to record is to post."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from bot.adapters.pieces import Cutter
from bot.adapters.posting import clear_away, post_and_edit
from bot.dialogue import Message, Piece, Platform, Slot
from bot.ports import Door, Receipts

PIECE_CHARACTERS = 100_000
PACE = 0.1  # seconds between two writes of one growing answer


class LocalAdapter:
    """Lets answers stand in the record, where pages and terminals read them."""

    def __init__(self, platform: Platform) -> None:
        """Take the place it serves: `Platform.WEB` or `Platform.CONSOLE`."""
        self._platform = platform

    @property
    def platform(self) -> Platform:
        """Which of the two local places it serves."""
        return self._platform

    async def listen(self, door: Door) -> None:
        """Wait until cancelled: pages and terminals bring their messages to the door themselves."""
        await asyncio.Event().wait()

    def cutter(self) -> Callable[[str], list[str]]:
        """Begin to cut one answer into texts that each fit one post."""
        return Cutter(PIECE_CHARACTERS, measure=len).feed

    async def send(self, question: Message, pieces: AsyncIterator[Piece], receipts: Receipts) -> None:
        """
        Record the pieces while they grow, at most every 0.1 s; their last text always.

        Whatever `receipts` raises goes through.
        """
        await post_and_edit(pieces, receipts, _Row(), PACE)

    async def take_away(self, question: Message, receipts: Receipts) -> None:
        """Record that the answer's pieces stand no more."""
        await clear_away(receipts, _Row())


class _Row:
    """
    A piece's row as its post: its id is the nonce, and recording it is all there is to do.

    So a post whose making was recorded always stands, and nothing is ever looked up.
    """

    async def post(self, piece: Piece, nonce: str) -> str:
        return nonce

    async def edit(self, message_id: str, piece: Piece) -> None:
        return None

    async def delete(self, message_id: str, *, fenced: bool = True) -> None:
        return None

    async def find(self, slot: Slot) -> str | None:
        return slot.nonce
