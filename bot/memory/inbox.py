"""The one door in: a message is kept once, with its turn and its wake-up, in one commit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.dialogue import Accepted, Attention, ChannelKind, Message, Platform
from bot.memory.database import Database
from bot.memory.models import conversations, message_revisions, messages, turns
from bot.memory.news import tell_conversation, wake, want_anew
from bot.memory.places import Place, branches, locate
from bot.memory.rows import row_of, weigh
from bot.ports import TokenCounter

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Held:
    """A conversation whose row is locked: its id, its last position and all its tokens."""

    id: int
    position: int
    total: int


class Inbox:
    """Accepts messages; whatever it said it accepted is committed."""

    def __init__(
        self, database: Database, counter: TokenCounter, attend: Callable[[Message, bool], Attention]
    ) -> None:
        """`attend` decides whom a message is for, given whether the bot takes part in its thread."""
        self._database = database
        self._counter = counter
        self._attend = attend

    async def accept(self, message: Message) -> Accepted:
        """
        Keep a message and see to its answer; the same message again changes nothing.

        Raises `StoreDown` where nothing was committed.
        """
        outright = self._attend(message, False)
        wanted = outright if outright is Attention.ANSWER else self._attend(message, True)
        if wanted is Attention.IGNORE:
            return Accepted.IGNORED
        tokens = weigh(self._counter, message)
        async with self._database.transaction() as connection:
            place = await locate(connection, message)
            held = await _lock(connection, message, place, create=outright is Attention.ANSWER)
            if held is None:
                return Accepted.IGNORED
            accepted = await self._keep(connection, message, place, held, tokens)
            if accepted is Accepted.KEPT and wanted is Attention.ANSWER:
                accepted = await _join_or_open(connection, held.id, message)
        log.info("message_accepted", platform=str(message.channel.platform), accepted=str(accepted))
        return accepted

    async def _keep(
        self, connection: AsyncConnection, message: Message, place: Place, held: _Held, tokens: int
    ) -> Accepted:
        row = row_of(message, held.id, held.position + 1, held.total + tokens, tokens, self._counter.encoding)
        row |= {"parent_id": place.parent_id, "parent_turn_id": place.parent_turn_id}
        once = insert(messages).values(row).on_conflict_do_nothing(index_elements=["key"])
        if await connection.scalar(once.returning(messages.c.id)) is None:
            return await _revise(connection, message, tokens)
        await connection.execute(
            conversations.update()
            .where(conversations.c.id == held.id)
            .values(last_position=held.position + 1, total_tokens=held.total + tokens, last_at=sa.func.now())
        )
        await tell_conversation(connection, held.id)
        return Accepted.KEPT


async def _lock(connection: AsyncConnection, message: Message, place: Place, *, create: bool) -> _Held | None:
    """Lock the conversation's row, making it first where the message is outright for the bot."""
    found = sa.select(conversations.c.id, conversations.c.last_position, conversations.c.total_tokens)
    found = found.where(conversations.c.key == place.key).with_for_update()
    row = (await connection.execute(found)).first()
    if row is None and create:
        await _open_conversation(connection, message, place)
        row = (await connection.execute(found)).one()
    return None if row is None else _Held(row[0], row[1], row[2])


async def _open_conversation(connection: AsyncConnection, message: Message, place: Place) -> None:
    channel = message.channel
    values = {
        "key": place.key,
        "platform": channel.platform,
        "workspace": channel.workspace,
        "place": channel.id,
        "root": place.root,
        "kind": channel.kind,
        "name": channel.name,
        "branching": branches(channel),
        "history_read": not _may_have_history(message),
    }
    await connection.execute(insert(conversations).values(values).on_conflict_do_nothing())


def _may_have_history(message: Message) -> bool:
    """Say whether something may stand in the thread before the message that the bot has not seen."""
    channel = message.channel
    if channel.platform in {Platform.WEB, Platform.CONSOLE}:
        return False
    if branches(channel):
        return bool(message.reply_to)
    if channel.platform is Platform.DISCORD:
        return channel.kind is ChannelKind.THREAD
    return bool(channel.root) and channel.root != message.id


async def _revise(connection: AsyncConnection, message: Message, tokens: int) -> Accepted:
    """Keep the earlier text of an edited message, and have a running answer begin again with the new one."""
    if message.edited_at is None:
        return Accepted.KNOWN
    found = sa.select(messages).where(messages.c.key == message.key).with_for_update()
    known = (await connection.execute(found)).one()
    if known.text == message.text or (known.edited_at and known.edited_at >= message.edited_at):
        return Accepted.KNOWN
    await connection.execute(
        message_revisions.insert().values(message_id=known.id, revision=known.revision, text=known.text)
    )
    changed = {"text": message.text, "tokens": tokens, "revision": known.revision + 1}
    await connection.execute(
        messages.update().where(messages.c.id == known.id).values(**changed, edited_at=message.edited_at)
    )
    await want_anew(connection, known.turn_id)
    await tell_conversation(connection, known.conversation_id)
    return Accepted.REVISED


async def _join_or_open(connection: AsyncConnection, conversation_id: int, message: Message) -> Accepted:
    """Add the message to its author's newest turn that nobody has seen, or give it one of its own."""
    unseen = (
        sa.select(turns.c.id)
        .where(
            turns.c.conversation_id == conversation_id,
            turns.c.state.in_(["waiting", "answering"]),
            turns.c.visible_at.is_(None),
            turns.c.asker_id == message.author.id,
        )
        .order_by(turns.c.id.desc())
        .limit(1)
    )
    turn_id = await connection.scalar(unseen)
    joined = turn_id is not None
    if joined:
        await want_anew(connection, turn_id)
    else:
        opened = turns.insert().values(conversation_id=conversation_id, asker_id=message.author.id)
        turn_id = (await connection.execute(opened.returning(turns.c.id))).scalar_one()
    mine = messages.update().where(messages.c.key == message.key)
    await connection.execute(mine.values(turn_id=turn_id))
    await wake(connection, "answer", conversation_id, message.channel.platform)
    return Accepted.JOINED if joined else Accepted.NEW
