"""The plain calls that put one answer's messages into Slack, and find them again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import structlog

from bot.adapters.posting import PostGone
from bot.adapters.slack.budgets import Budgets
from bot.adapters.slack.buttons import Block
from bot.adapters.slack.forms import form, plain_form
from bot.adapters.slack.history import pages
from bot.adapters.slack.reading import Me, is_ours
from bot.adapters.slack.web import Busy, Refused, Unsure, Web
from bot.dialogue import Message
from bot.errors import PermissionMissing
from bot.ports import Receipts

log = structlog.get_logger()

EVENT_TYPE = "frontdesk_piece"
QUESTION_TYPE = "frontdesk_question"  # a question that we posted for somebody
TRIES = 4
LONGEST_REST = 60.0
SKEW = timedelta(seconds=30)  # between our clock and Slack's
_JUMP = timedelta(hours=1)  # how wrong ours may be where Slack's own tells better

# Slack's names for "this message can no longer be changed", "it is gone", and "not in this form".
_FIXED = frozenset({"edit_window_closed", "cant_update_message", "is_inactive"})
_GONE = frozenset({"message_not_found"})
_FORM = frozenset(
    [
        "invalid_arguments",
        "invalid_blocks",
        "invalid_blocks_format",
        "block_mismatch",
        "markdown_text_conflict",
        "no_text",
        "markdown_text_too_long",
        "msg_blocks_too_long",
        "msg_too_long",
    ]
)

T = TypeVar("T")


class CannotEdit(Refused):
    """The message stands and can no longer be changed."""


class Messages:
    """
    Posts, updates and deletes in the place where the question stands.

    Each single call comes after a look at the lease, because one of these methods may take several:
    a rate limit is waited out, and a post without an answer is looked for before it is posted again.
    """

    def __init__(
        self,
        web: Web,
        budgets: Budgets,
        question: Message,
        me: Me,
        receipts: Receipts,
        retried: Callable[[], None] = lambda: None,
    ) -> None:
        """`me` is the bot, to know its own messages by; `retried` is told of each call that is repeated."""
        self._retried = retried
        self.channel = question.channel.id
        self.root = question.channel.root
        self._web = web
        self._budgets = budgets
        self._me = me
        self._asked_at = question.sent_at
        self._receipts = receipts
        self._dialect = False  # whether this place wants mrkdwn instead of Markdown

    async def insist(self, call: Callable[[], Awaitable[T]], again: bool, tries: int = TRIES) -> T:
        """Call until it is clear; `again` says that the call may be repeated after no clear answer."""
        for tried in range(1, tries + 1):
            if tried > 1:
                self._retried()
            await self._receipts.check()
            try:
                return await call()
            except Busy as error:
                if tried == tries or error.retry_after > LONGEST_REST:
                    raise
                await asyncio.sleep(error.retry_after)
            except Unsure:
                if tried == tries or not again:
                    raise
                await asyncio.sleep(0.1 * 2**tried)
        raise AssertionError("the last try returns or raises")

    async def call(
        self, method: str, again: bool = False, tries: int = TRIES, **arguments: Any
    ) -> Mapping[str, Any]:
        """Call a method in this channel, patiently."""
        return await self.insist(
            lambda: self._web.call(method, channel=self.channel, **arguments), again, tries
        )

    async def say(self, text: str, nonce: str, under: Sequence[Block] = (), *, rough: bool = False) -> str:
        """Post a message that bears the nonce, with the blocks under it, and return its id."""
        await self._budgets.posts(self.channel).wait()
        began = datetime.now(UTC)
        arguments = {
            "thread_ts": self.root or None,
            "unfurl_links": False,
            "unfurl_media": False,
            "metadata": {"event_type": EVENT_TYPE, "event_payload": {"nonce": nonce}},
        }
        try:
            answer = await self._write("chat.postMessage", False, text, under, arguments, rough)
        except Unsure:
            if found := await self.find(nonce, began):
                return found
            answer = await self._write("chat.postMessage", False, text, under, arguments, rough)
        return str(answer["ts"])

    async def update(
        self,
        message_id: str,
        text: str,
        under: Sequence[Block] = (),
        tries: int = TRIES,
        *,
        rough: bool = False,
    ) -> None:
        """Let the message hold this text and these blocks; raises `CannotEdit`, or `PostGone`."""
        try:
            await self._write("chat.update", True, text, under, {"ts": message_id, "tries": tries}, rough)
        except Refused as error:
            if error.code == "streaming_state_conflict":
                await self.stop(message_id)
                await self._write("chat.update", True, text, under, {"ts": message_id}, rough)
            elif error.code in _GONE:
                raise PostGone("the message was deleted") from error
            elif error.code in _FIXED:
                raise CannotEdit("chat.update", error.code) from error
            else:
                raise

    async def stop(self, message_id: str) -> None:
        """Stop the message's stream if it has one."""
        try:
            await self.call("chat.stopStream", again=True, ts=message_id)
        except Refused:
            return  # it is no stream, or Slack closed it

    async def delete(self, message_id: str) -> None:
        """
        Delete the message; one that is gone already is no error.

        The lease is not asked: this is also how a post is taken back when the lease was lost.
        """
        try:
            await self._web.call("chat.delete", channel=self.channel, ts=message_id)
        except Refused as error:
            if error.code not in _GONE:
                raise

    async def find(self, nonce: str, since: datetime) -> str | None:
        """Look for our message since then that bears the nonce or, as streams do, none and no owner."""
        # No answer is older than its question, whose time is by Slack's clock; ours may have jumped.
        oldest = f"{max(self._asked_at - SKEW, since - _JUMP).timestamp():.6f}"
        candidate: str | None = None
        async for item in self._own_since(oldest):
            born = _nonce(item)
            if nonce and born == nonce:
                return str(item["ts"])
            if not born and candidate is None and not await self._receipts.owns(str(item["ts"])):
                candidate = str(item["ts"])
        return candidate

    async def _own_since(self, oldest: str) -> AsyncIterator[Mapping[str, Any]]:
        found = pages(self._web, self.channel, self.root, oldest=oldest, include_all_metadata=True)
        try:
            async for item in found:
                if is_ours(item, self._me) and float(item["ts"]) >= float(oldest):
                    yield item
        except (Refused, PermissionMissing) as error:
            # A post that may stand twice is better than an answer that never comes.
            log.warning("slack_posts_not_readable", error=str(error))

    async def _write(
        self,
        method: str,
        again: bool,
        text: str,
        under: Sequence[Block],
        arguments: Mapping[str, Any],
        rough: bool,
    ) -> Mapping[str, Any]:
        blocks = method == "chat.update"
        if not self._dialect:
            try:
                return await self.call(
                    method, again, **form(text, under, blocks=blocks, rough=rough), **arguments
                )
            except Refused as error:
                if error.code not in _FORM:
                    raise
                self._dialect = True
        return await self.call(method, again, **plain_form(text, under, blocks=blocks), **arguments)


def _nonce(item: Mapping[str, Any]) -> str:
    """What an own message was born with; "" for one that may be any answer's, as a stream is."""
    metadata = item.get("metadata")
    kind = str(metadata.get("event_type") or "") if isinstance(metadata, Mapping) else ""
    if not isinstance(metadata, Mapping) or not kind.startswith("frontdesk_"):
        return ""
    payload = metadata.get("event_payload")
    nonce = str(payload.get("nonce", "")) if isinstance(payload, Mapping) else ""
    return nonce or kind  # a question or a note of ours is nobody's answer
