"""Questions that waited: what was deleted while nobody listened, Discord does not tell a second time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import structlog

from bot.adapters.discord.rest import Rest
from bot.adapters.posting import PostGone
from bot.dialogue import Deletion, Message
from bot.errors import PlatformError
from bot.ports import Door, Receipts

log = structlog.get_logger()

_LONG = timedelta(minutes=2)  # what comes sooner was heard by a session that hears deletions too
_PATIENCE = 50
_PAUSE = 0.1
_MESSAGE = "/channels/{channel_id}/messages/{message_id}"


async def look_after(rest: Rest, door: Door | None, question: Message, receipts: Receipts) -> None:
    """
    Look whether a question that waited long still stands; where it does not, it is withdrawn.

    Raises what `receipts` raise, which learn of the withdrawal, and `StoreDown`.
    """
    if door is None or datetime.now(UTC) - question.sent_at < _LONG or await _stands(rest, question):
        return
    log.info("question_was_gone", key=question.key)
    await door.withdraw(Deletion(question.channel, (question.id,), datetime.now(UTC)))
    for _ in range(_PATIENCE):
        await receipts.check()
        await asyncio.sleep(_PAUSE)


async def _stands(rest: Rest, question: Message) -> bool:
    place = question.channel.parent or question.channel.id
    try:
        await rest.call("GET", _MESSAGE, channel_id=place, message_id=question.id)
    except PostGone:
        return False
    except PlatformError as error:
        # Whether it stands cannot be told here, so that it is answered.
        log.info("question_not_looked_at", key=question.key, reason=str(error))
    return True
