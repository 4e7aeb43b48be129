"""Delivery by plain posts: post once, edit calmly while the text grows, leave nothing unfinished."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import suppress
from types import TracebackType
from typing import Protocol, Self

from bot.dialogue import Piece, Slot
from bot.errors import LeaseLost, PlatformError, PostRefused, StoreDown
from bot.ports import Receipts

# Growing text is looked at no more often than this: each look may cut the whole answer anew.
BREATH = 0.1
RECORD_PAUSES = (0.1, 0.5, 1.0, 2.0, 4.0)
CALL_SECONDS = 4.0  # the longest one call to a platform may be on the wire


class PostGone(PostRefused):
    """The post to be edited was deleted by somebody."""


class Post(Protocol):
    """What a platform can do with one post of an answer."""

    async def post(self, piece: Piece, nonce: str) -> str:
        """Post the piece and return the message's id; the same nonce soon after makes no second post."""
        ...

    async def edit(self, message_id: str, piece: Piece) -> None:
        """Let the post hold this piece; raises `PostGone` where it was deleted."""
        ...

    async def delete(self, message_id: str, *, fenced: bool = True) -> None:
        """
        Delete the post; one that is gone already is no error.

        Unless it is `fenced`, the lease is not asked: a post that was one too many goes in any case.
        """
        ...

    async def find(self, slot: Slot) -> str | None:
        """Look for a post whose making was recorded but not its id."""
        ...


async def post_and_edit(pieces: AsyncIterator[Piece], receipts: Receipts, poster: Post, pace: float) -> None:
    """
    Post each piece and edit it while it grows, at most every `pace` seconds, until the iterator ends.

    A piece that is done goes out at once; a piece that stands already is not sent again. A lower ordinal
    than before begins the answer anew over the same posts. At the end the posts beyond the last piece
    are deleted. Lets through what `receipts`, `poster` and the iterator raise.
    """
    desk = _Desk(receipts, poster)
    loop = asyncio.get_running_loop()
    due = loop.time()
    async with _Feed(pieces) as feed:
        while batch := await feed.take(due):
            for piece in batch:
                await _to_its_end(desk.write(piece))
            due = loop.time() + pace
        await _to_its_end(desk.clear_beyond(feed.last))


async def clear_away(receipts: Receipts, poster: Post) -> None:
    """Delete all posts of an answer; lets through what `receipts` and `poster` raise."""
    await _to_its_end(_Desk(receipts, poster).clear_beyond(-1))


async def _to_its_end(step: Coroutine[None, None, None]) -> None:
    """
    Let the call that is on the wire end and be recorded, also when we are told to stop meanwhile.

    Given up by us, the platform would carry it out all the same, perhaps after whoever goes on with the
    answer has looked what stands.
    """
    task = asyncio.create_task(step)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=CALL_SECONDS)
        task.cancel()
        await asyncio.wait({task})
        raise


class _Feed:
    """The newest text of each piece, read in a task of its own so that a pause ends with the answer."""

    def __init__(self, pieces: AsyncIterator[Piece]) -> None:
        self.last = -1
        self._pieces = pieces
        self._waiting: dict[int, Piece] = {}
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._reader = asyncio.create_task(self._read())
        self._reader.add_done_callback(lambda _: self._changed.set())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reader.cancel()
        await asyncio.wait({self._reader})
        if not self._reader.cancelled():
            self._reader.exception()  # seen, so that asyncio does not complain of it

    async def take(self, due: float) -> list[Piece]:
        """Wait for what shall be written now, by ordinal; nothing once the answer has ended."""
        loop = asyncio.get_running_loop()
        while not (ready := self._ready(loop.time() >= due)) and not self._reader.done():
            self._changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout_at(due if self._waiting else None):
                    await self._changed.wait()
        if self._reader.done():
            self._reader.result()
            ready = self._ready(due=True)
        for piece in ready:
            del self._waiting[piece.ordinal]
        return ready

    def _ready(self, due: bool) -> list[Piece]:
        return [piece for _, piece in sorted(self._waiting.items()) if due or piece.done]

    async def _read(self) -> None:
        async for piece in self._pieces:
            for ordinal in [known for known in self._waiting if known > piece.ordinal]:
                del self._waiting[ordinal]  # another try began: the later pieces are void
            self._waiting[piece.ordinal] = piece
            self.last = piece.ordinal
            self._changed.set()
            await asyncio.sleep(0 if piece.done else BREATH)


class _Desk:
    """What stands of one answer, and the order of record and call that makes it safe."""

    def __init__(self, receipts: Receipts, poster: Post) -> None:
        self._receipts = receipts
        self._poster = poster
        self._shown: dict[int, tuple[str, Piece]] = {}

    async def write(self, piece: Piece) -> None:
        """Let the piece's post hold its text."""
        known = self._shown.get(piece.ordinal)
        if known is None:
            slot = await self._receipts.sending(piece)
            message_id, nonce = await self._standing(slot), slot.nonce
        else:
            message_id, shown = known
            nonce = ""
            if shown == piece:
                return
        if message_id:
            await self._edit(piece, message_id)
        else:
            await self._post(piece, nonce)

    async def clear_beyond(self, last: int) -> None:
        """Delete the posts of earlier tries that the answer no longer has; a first try's are all known."""
        if 0 <= max(self._shown, default=-1) <= last and self._receipts.fresh:
            return
        for slot in await self._receipts.standing():
            if slot.ordinal <= last:
                continue
            message_id = await self._standing(slot)
            if message_id:
                await self._receipts.check()
                await self._poster.delete(message_id)
            await self._receipts.removed(slot.ordinal)

    async def _standing(self, slot: Slot) -> str:
        if slot.message_id or not slot.unsure:
            return slot.message_id
        return await self._poster.find(slot) or ""

    async def _edit(self, piece: Piece, message_id: str) -> None:
        await self._receipts.check()
        try:
            await self._poster.edit(message_id, piece)
        except PostGone:
            # The old nonce would bring the deleted post back; this one is the same after a crash too.
            await self._post(piece, f"r{message_id}"[:25])
            return
        self._shown[piece.ordinal] = (message_id, piece)
        await self._recorded(piece, message_id)

    async def _post(self, piece: Piece, nonce: str) -> None:
        await self._receipts.check()
        message_id = await self._poster.post(piece, nonce)
        self._shown[piece.ordinal] = (message_id, piece)
        try:
            await self._recorded(piece, message_id)
        except LeaseLost as lost:
            await self._take_back(message_id, lost)
            raise

    async def _recorded(self, piece: Piece, message_id: str) -> None:
        """
        Record what stands; a record that is away for a moment is asked again.

        Without its word nobody knows whether the post is ours: after a freeze it may be one too many.
        """
        for pause in RECORD_PAUSES:
            try:
                await self._receipts.sent(piece, message_id)
            except StoreDown:
                await asyncio.sleep(pause)
            else:
                return
        await self._receipts.sent(piece, message_id)

    async def _take_back(self, message_id: str, lost: LeaseLost) -> None:
        # By the same nonce the new holder may have been given this very post: then it is not ours.
        try:
            if not await self._receipts.owns(message_id):
                await self._poster.delete(message_id, fenced=False)
        except PlatformError as error:
            raise lost from error
