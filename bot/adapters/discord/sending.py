"""Sending: the posts of one answer as Discord's REST calls, and the typing sign before the first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

import discord
import structlog

from bot.adapters.discord.buttons import Buttons, Components
from bot.adapters.discord.refusals import ARCHIVED, UNKNOWN_CHANNEL, Refused
from bot.adapters.discord.rest import Rest
from bot.adapters.discord.starters import begin, is_starter
from bot.adapters.discord.writing import write_text
from bot.adapters.posting import PostGone
from bot.dialogue import Message, Piece, Slot
from bot.errors import PlatformError
from bot.ports import Receipts

log = structlog.get_logger()

PACE = 1.2  # seconds between edits: a channel takes five in five seconds

_MESSAGES = "/channels/{channel_id}/messages"
_MESSAGE = "/channels/{channel_id}/messages/{message_id}"
_NO_PINGS: Mapping[str, Any] = {"parse": [], "replied_user": False}
_SUPPRESS_EMBEDS = 1 << 2
_TYPING_SECONDS = 8.0  # the sign lasts ten
_AT_ONCE_SECONDS = 0.15  # an answer sooner than this needs no sign
_CLOCKS = timedelta(seconds=60)  # how far our clock and Discord's may be apart
_YOUNG = timedelta(seconds=5)
_PAGES = 10


class Typing:
    """Shows that the bot is at work, from entering until it is stopped."""

    def __init__(self, rest: Rest, channel_id: str) -> None:
        self._rest = rest
        self._channel_id = channel_id

    async def __aenter__(self) -> Self:
        self._sign = asyncio.create_task(self._show())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Stop before a post is made: a sign that came after it would stay for ten seconds."""
        self._sign.cancel()
        await asyncio.wait({self._sign})

    async def _show(self) -> None:
        try:
            await asyncio.sleep(_AT_ONCE_SECONDS)
            while True:
                await self._rest.call("POST", "/channels/{channel_id}/typing", channel_id=self._channel_id)
                await asyncio.sleep(_TYPING_SECONDS)
        except PlatformError as error:
            log.info("typing_not_shown", channel=self._channel_id, reason=type(error).__name__)


class DiscordPost:
    """The posts of one answer: the first is a reply to the question, the later ones follow it plainly."""

    def __init__(
        self, rest: Rest, question: Message, receipts: Receipts, typing: Typing, buttons: Buttons
    ) -> None:
        self._buttons = buttons
        self._under: dict[str, Components] = {}
        self._rest = rest
        self._question = question
        self._receipts = receipts
        self._typing = typing
        self._begun = False
        self._starts = is_starter(question)

    async def post(self, piece: Piece, nonce: str) -> str:
        """Post; the same nonce within minutes gives the message that stands, which then gets this text."""
        await self._typing.stop()
        content = write_text(piece.text)
        payload = {
            "content": content,
            "nonce": nonce,
            "enforce_nonce": True,
            "flags": _SUPPRESS_EMBEDS,
            "allowed_mentions": _NO_PINGS,
        }
        under = self._buttons.under(piece)
        if under:
            payload["components"] = under
        if not self._begun and self._starts:
            await begin(self._rest, self._question, self._receipts)
        elif not self._begun:
            payload["message_reference"] = self._reference()
        made = await self._call("POST", _MESSAGES, payload)
        self._begun = True
        if made["content"].strip() != content.strip() or bool(made.get("components")) != bool(under):
            await self.edit(str(made["id"]), piece)
        self._under[str(made["id"])] = under
        return str(made["id"])

    async def edit(self, message_id: str, piece: Piece) -> None:
        """Edit; raises `PostGone` where somebody deleted the message."""
        await self._typing.stop()
        payload: dict[str, Any] = {"content": write_text(piece.text), "allowed_mentions": _NO_PINGS}
        under = self._buttons.under(piece)
        if self._under.get(message_id) != under:
            payload["components"] = under
        await self._call("PATCH", _MESSAGE, payload, message_id=message_id)
        self._under[message_id] = under
        self._begun = True

    async def delete(self, message_id: str, *, fenced: bool = True) -> None:
        """Delete; what is not `fenced` goes even when the lease is lost: it is for this that it is called."""
        place, guard = self._question.channel.id, self._receipts.check if fenced else None
        try:
            await self._rest.call("DELETE", _MESSAGE, guard=guard, channel_id=place, message_id=message_id)
        except PostGone:
            log.info("post_was_gone", channel=place, message=message_id)

    async def find(self, slot: Slot) -> str | None:
        """
        Look through our own messages since the slot was recorded for one that no record owns.

        What is still missed is caught by the nonce, which Discord remembers for some minutes.
        """
        if slot.recorded_at is None:
            return None
        perhaps: str | None = None
        async for found in self._own_since(slot.recorded_at):
            sure = self._is(found, slot)
            if not (sure or (perhaps is None and self._may_be(found, slot))):
                continue
            if await self._receipts.owns(str(found["id"])):
                continue
            if sure:
                return str(found["id"])
            perhaps = str(found["id"])
        return perhaps

    async def _own_since(self, since: datetime) -> AsyncIterator[dict[str, Any]]:
        my_id = str(await self._rest.my_id())
        after = discord.utils.time_snowflake(since - _CLOCKS)
        for _ in range(_PAGES):
            page = await self._page(after)
            for found in sorted(page, key=lambda found: int(found["id"])):
                if found["author"]["id"] == my_id:
                    yield found
            if len(page) < 100:
                break
            after = max(int(found["id"]) for found in page)

    async def _page(self, after: int) -> list[dict[str, Any]]:
        query = {"limit": "100", "after": str(after)}
        try:
            found = await self._rest.call("GET", _MESSAGES, query=query, channel_id=self._question.channel.id)
        except Refused as error:
            if self._starts and error.code == UNKNOWN_CHANNEL:
                return []  # its thread was never made
            raise
        return list(found)

    def _is(self, found: Mapping[str, Any], slot: Slot) -> bool:
        """Know the first post by its question, a later one by the text it was recorded with."""
        reference = _reference_of(found)
        if slot.ordinal == 0 and not self._starts:
            return bool(reference == self._question.id)
        return (
            reference is None
            and bool(slot.text)
            and found["content"].strip() == write_text(slot.text).strip()
        )

    def _may_be(self, found: Mapping[str, Any], slot: Slot) -> bool:
        """
        Take a later post for ours whose text is another, since two tries may have died upon it.

        One this young may be another answer's that is just being recorded; if it is ours, the nonce will
        tell.
        """
        if (slot.ordinal == 0 and not self._starts) or _reference_of(found) is not None:
            return False
        return datetime.now(UTC) - discord.utils.snowflake_time(int(found["id"])) > _YOUNG

    def _reference(self) -> dict[str, Any]:
        place, message_id = self._question.channel.id, self._question.id
        return {"message_id": message_id, "channel_id": place, "fail_if_not_exists": False}

    async def _call(self, method: str, path: str, payload: dict[str, Any], **ids: Any) -> Any:
        guard = self._receipts.check
        place = self._question.channel.id
        try:
            return await self._rest.call(method, path, payload=payload, guard=guard, channel_id=place, **ids)
        except PostGone:
            raise
        except Refused as error:
            if error.code == ARCHIVED:
                await self._reopen()
            elif not payload.pop("message_reference", None):
                raise
            # Replying takes the right to read the history, plain posting does not.
            return await self._rest.call(method, path, payload=payload, guard=guard, channel_id=place, **ids)

    async def _reopen(self) -> None:
        """Open the archived thread again: a post would do so, an edit does not."""
        place, guard = self._question.channel.id, self._receipts.check
        await self._rest.call(
            "PATCH", "/channels/{channel_id}", payload={"archived": False}, guard=guard, channel_id=place
        )


def _reference_of(found: Mapping[str, Any]) -> str | None:
    return (found.get("message_reference") or {}).get("message_id")
