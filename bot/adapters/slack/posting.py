"""One answer's posts on Slack: a native stream where it can be had, else a message that is edited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import structlog

from bot.adapters.posting import PostGone
from bot.adapters.slack.budgets import Budgets
from bot.adapters.slack.buttons import Block, Buttons
from bot.adapters.slack.messages import TRIES, CannotEdit, Messages
from bot.adapters.slack.streaming import Stream
from bot.adapters.slack.web import Busy, Refused, Unsure, Web
from bot.adapters.slack.writing import steady, streams_well
from bot.dialogue import Message, Piece, Slot
from bot.errors import PermissionMissing, PlatformDown, PlatformError
from bot.ports import Receipts

log = structlog.get_logger()

_UNPOSTED = ""  # stands for a message that is still to be posted
REPOSTED = timedelta(minutes=30)  # how far back a message is looked for that took a deleted one's place


class SlackPost:
    """
    What `post_and_edit` writes an answer with.

    A growing piece begins as a native stream; whatever goes wrong with that, the piece goes on as a
    message that is edited, and where that is refused it is posted anew once it is whole. Text that an
    edit passed over because the rates are spent is owed, and paid at `close`.

    Under the last piece stand the buttons of a finished answer; under a growing message the one to stop it
    (under a stream Slack shows its own).
    """

    def __init__(
        self,
        web: Web,
        budgets: Budgets,
        question: Message,
        messages: Messages,
        receipts: Receipts,
        buttons: Buttons,
    ) -> None:
        """Streams need a thread; in a direct message outside any, messages are edited."""
        self._web = web
        self._budgets = budgets
        self._question = question
        self._messages = messages
        self._receipts = receipts
        self._buttons = buttons
        self._stream: Stream | None = None
        self._streams = bool(question.channel.root)
        self._final: set[str] = set()
        self._mine: set[str] = set()
        self._owed: dict[str, Piece] = {}
        self._stoppable: dict[str, Piece] = {}
        self._pledged: set[str] = set()
        self._fixed = False
        self._reserved = False  # the start of a stream
        self.stopped_at: float | None = None  # when the end of the newest stream that was ended was begun

    async def marked(self, pieces: AsyncIterator[Piece]) -> AsyncIterator[Piece]:
        """Hand the pieces on, noting which texts are final; where growth cannot be shown, only those."""
        passed_over: Piece | None = None
        async for piece in pieces:
            if piece.done:
                self._final.add(piece.text)
            passed_over = None if piece.done or self._can_grow() else piece
            if passed_over is None:
                yield piece
        if passed_over is not None:
            self._final.add(passed_over.text)
            yield passed_over

    async def post(self, piece: Piece, nonce: str) -> str:
        """Post: as a stream where the text will grow, otherwise as a message with the nonce."""
        await self._finish_stream()
        message_id = ""
        if nonce.startswith("r"):  # it takes a deleted post's place, perhaps for the second time
            message_id = await self._messages.find(nonce, datetime.now(UTC) - REPOSTED) or ""
        elif self._may_stream(piece):
            message_id = await self._start(piece)
            if self._stream is not None:
                return message_id
        if message_id:
            await self._write(message_id, piece)
            return message_id
        rough = not self._is_final(piece)
        self._redeem(_UNPOSTED)
        message_id = await self._messages.say(piece.text, nonce, self._under(piece), rough=rough)
        self._mine.add(message_id)
        if rough:
            self._pledge(message_id)
            self._stoppable[message_id] = piece
        return message_id

    async def edit(self, message_id: str, piece: Piece) -> None:
        """Append to the stream, or update; what is not final may be owed."""
        await self._write(message_id, piece)

    async def delete(self, message_id: str, *, fenced: bool = True) -> None:
        """Delete the post at once, behind the look at the lease if any; its stream is stopped first."""
        if self._stream is not None and self._stream.ts == message_id:
            await self.abandon()
        self._owed.pop(message_id, None)
        self._stoppable.pop(message_id, None)
        await self._messages.delete(message_id)

    async def find(self, slot: Slot) -> str | None:
        """Look for our own message in the thread that bears the nonce, or that no record owns."""
        return await self._messages.find(slot.nonce, slot.recorded_at or self._question.sent_at)

    async def close(self) -> None:
        """Let everything stand whole and nothing look unfinished."""
        try:
            await self._finish_stream()
            for message_id, piece in list((self._stoppable | self._owed).items()):
                await self._budgets.updates.wait()
                await self._update(message_id, replace(piece, done=True))
        except PostGone as error:
            raise PlatformDown("a post was deleted just before it was whole") from error

    async def abandon(self) -> None:
        """At the end, stop a stream that a failure left open as it is, so that it does not look alive."""
        for message_id in list(self._pledged):
            self._redeem(message_id)
        if self._reserved:
            self._reserved = False
            self._budgets.starts.give_back()
        stream, self._stream = self._stream, None
        if stream is None:
            return
        try:
            await self._web.call("chat.stopStream", channel=self._question.channel.id, ts=stream.ts)
        except PlatformError as error:
            log.info("slack_stream_not_stopped", error=str(error))

    async def _write(self, message_id: str, piece: Piece) -> None:
        if self._stream is not None and self._stream.ts == message_id:
            if await self._grow(self._stream, piece):
                return
        elif message_id not in self._mine:
            # An earlier try may have left its stream open; Slack refuses to update an open one.
            self._mine.add(message_id)
            await self._messages.stop(message_id)
        if self._is_final(piece):
            await self._budgets.updates.wait()
            self._redeem(message_id)
            await self._update(message_id, piece)
        elif not await self._update_perhaps(message_id, piece):
            self._owed[message_id] = piece

    def _is_final(self, piece: Piece) -> bool:
        return piece.done or piece.text in self._final

    def _under(self, piece: Piece) -> Sequence[Block]:
        if piece.last:
            return self._buttons.whole
        return () if self._is_final(piece) else self._buttons.growing

    def _may_stream(self, piece: Piece) -> bool:
        growing = self._streams and not self._is_final(piece) and bool(steady(piece.text))
        reserved, self._reserved = self._reserved, False
        if reserved and not growing:
            self._budgets.starts.give_back()
        return growing and (reserved or self._budgets.starts.take())

    def _can_grow(self) -> bool:
        """
        Say whether a text that is not final can be shown, with updates to spare for those that are.

        What is said is reserved at once: between here and the post hundreds of others may ask the same.
        """
        if self._fixed:
            return False
        if self._stream is not None or self._reserved or self._pledged:
            return True
        self._reserved = self._streams and self._budgets.starts.take()
        if not self._reserved and self._budgets.spare_update():
            self._pledge(_UNPOSTED)
        return self._reserved or bool(self._pledged)

    def _pledge(self, message_id: str) -> None:
        self._pledged.add(message_id)
        self._budgets.pledged += 1

    def _redeem(self, message_id: str) -> None:
        if message_id in self._pledged:
            self._pledged.discard(message_id)
            self._budgets.pledged -= 1

    async def _start(self, piece: Piece) -> str:
        """Start a stream; "" where no message came of it."""
        began = datetime.now(UTC)
        await self._receipts.check()
        try:
            self._stream = await Stream.open(self._web, self._messages, self._question, piece)
        except Busy as error:
            self._budgets.starts.rest(error.retry_after)
        except Unsure:
            return await self._messages.find("", began) or ""
        except (Refused, PermissionMissing, PlatformDown) as error:
            self._streams = False
            log.info("slack_stream_refused", error=str(error))
        else:
            self._mine.add(self._stream.ts)
            return self._stream.ts
        return ""

    async def _grow(self, stream: Stream, piece: Piece) -> bool:
        """Bring the stream to this text; False where it is over and the message has to be updated."""
        final = self._is_final(piece)
        if stream.follows(piece.text):
            if not final and not self._budgets.appends.take():
                self._owed[stream.ts] = piece
                return True
            begun = asyncio.get_running_loop().time()
            try:
                await (stream.stop(piece, self._under(piece)) if final else stream.grow(piece))
            except Busy as error:
                self._budgets.appends.rest(error.retry_after)
                if not final:
                    self._owed[stream.ts] = piece
                    return True
            except PlatformError as error:
                log.info("slack_stream_ended", error=str(error))
            else:
                self._owed.pop(stream.ts, None)
                if final:
                    self._stream, self.stopped_at = None, begun
                    await self._improve(stream.ts, piece)
                return True
        self._stream = None
        await self._messages.stop(stream.ts)
        return False

    async def _improve(self, message_id: str, piece: Piece) -> None:
        """Show a table or a formula as such once the stream is over; the text stands whole in any case."""
        if streams_well(piece.text) or self._fixed or not self._budgets.updates.take():
            return
        try:
            await self._messages.update(message_id, piece.text, self._under(piece), tries=1)
        except PlatformError as error:
            log.info("slack_stream_left_as_it_is", error=str(error))

    async def _finish_stream(self) -> None:
        """End the open stream with all of its text, also what was owed or held back."""
        stream = self._stream
        if stream is not None:
            await self._write(stream.ts, replace(self._owed.pop(stream.ts, stream.asked), done=True))

    async def _update_perhaps(self, message_id: str, piece: Piece) -> bool:
        """Show a text that is not final, if it can be had at once."""
        if not self._budgets.spare_update() or not self._budgets.updates.take():
            return False
        try:
            await self._update(message_id, piece, tries=1)
        except Busy as error:
            self._budgets.updates.rest(error.retry_after)
            return False
        except Unsure:
            return False
        return True

    async def _update(self, message_id: str, piece: Piece, tries: int = TRIES) -> None:
        try:
            if self._fixed:
                raise CannotEdit("chat.update", "edit_window_closed")
            rough = not self._is_final(piece)
            await self._messages.update(message_id, piece.text, self._under(piece), tries, rough=rough)
        except CannotEdit as error:
            self._fixed = True
            log.info("slack_edit_refused", error=str(error))
            await self._give_up(message_id)
            raise PostGone("the message can no longer be changed") from error
        self._owed.pop(message_id, None)
        self._stoppable.pop(message_id, None)
        if rough:
            self._stoppable[message_id] = piece

    async def _give_up(self, message_id: str) -> None:
        """Take away a message that cannot be changed; the text is posted anew."""
        try:
            await self.delete(message_id)
        except PlatformError as error:
            log.warning("slack_post_stays", error=str(error))
