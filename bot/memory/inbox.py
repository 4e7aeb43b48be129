"""The one door in: a message is kept once, with its turn and its wake-up, in one commit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.dialogue import Accepted, Attention, ChannelKind, Message, Platform, Scene
from bot.memory.attachments import enclosed_tokens, forget_files
from bot.memory.database import Database
from bot.memory.models import IS_COPY, conversations, deletions, message_revisions, messages, turns
from bot.memory.news import tell_conversation, wake, want_anew
from bot.memory.places import Place, branches, locate, lock_conversations
from bot.memory.rows import cleaned, row_of, weigh
from bot.memory.scenes import read_scene
from bot.memory.weights import reweigh
from bot.memory.withdrawals import place_lock
from bot.memory.workspaces import left_at, returned
from bot.ports import TokenCounter

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Held:
    """A conversation whose row is locked: its last position, all its tokens, whether somebody quieted it."""

    id: int
    position: int
    total: int
    quiet: bool
    left_at: datetime | None


class _CameMeanwhile(Exception):
    """The same message was committed between the look and the insert: look again."""


class _Deleted(Exception):
    """Its author deleted the message before it came."""


class Inbox:
    """Accepts messages; whatever it said it accepted is committed."""

    def __init__(
        self,
        database: Database,
        counter: TokenCounter,
        attend: Callable[[Message, Scene | None], Attention],
    ) -> None:
        """`attend` decides whom a message is for, given the scene of a thread the bot takes part in."""
        self._database = database
        self._counter = counter
        self._attend = attend

    async def accept(self, message: Message) -> Accepted:
        """
        Keep a message and see to its answer; the same message again changes nothing.

        Raises `StoreDown` where nothing was committed.
        """
        message = cleaned(message)
        outright = self._attend(message, None)
        if outright is not Attention.ANSWER and self._attend(message, Scene()) is Attention.IGNORE:
            return Accepted.IGNORED
        tokens = weigh(self._counter, message)
        accepted = None
        while accepted is None:
            with suppress(_CameMeanwhile):
                try:
                    accepted = await self._accept(message, outright, tokens)
                except _Deleted:
                    accepted = Accepted.IGNORED
        if accepted is not Accepted.IGNORED:
            log.info("message_accepted", key=message.key, accepted=str(accepted))
        return accepted

    async def _accept(self, message: Message, outright: Attention, tokens: int) -> Accepted:
        async with self._database.transaction() as connection:
            if known := await _lock_known(connection, message):
                return await _hear_again(connection, message, known, tokens, outright)
            place = await locate(connection, message)
            held = await _lock(connection, message, place, create=outright is Attention.ANSWER)
            if held is None:
                return Accepted.IGNORED
            wanted = outright
            if wanted is not Attention.ANSWER:
                wanted = self._attend(message, await read_scene(connection, held.id, quiet=held.quiet))
            if wanted is Attention.IGNORE:
                return Accepted.IGNORED
            await self._keep(connection, message, place, held, tokens)
            if wanted is Attention.ANSWER:
                return await _join_or_open(connection, held.id, message)
            return Accepted.KEPT

    async def _keep(
        self, connection: AsyncConnection, message: Message, place: Place, held: _Held, tokens: int
    ) -> None:
        row = row_of(message, held.id, held.position + 1, held.total + tokens, tokens, self._counter.encoding)
        row |= {"parent_id": place.parent_id, "parent_turn_id": place.parent_turn_id}
        once = insert(messages).values(row).on_conflict_do_nothing(index_elements=["key"])
        if await connection.scalar(once.returning(messages.c.id)) is None:
            raise _CameMeanwhile
        # Looked for only now that the place is locked: a deletion came before it, or will find the message.
        noted = sa.exists().where(deletions.c.key == message.key)
        counted = {
            "last_position": held.position + 1,
            "total_tokens": held.total + tokens,
            "last_at": sa.func.now(),
        }
        kept = conversations.update().where(conversations.c.id == held.id, sa.not_(noted)).values(**counted)
        if await connection.scalar(kept.returning(conversations.c.id)) is None:
            raise _Deleted
        if held.left_at is not None and held.left_at < message.sent_at:
            await returned(connection, message.channel)
        await tell_conversation(connection, held.id)


async def _lock_known(connection: AsyncConnection, message: Message) -> Sequence[sa.Row[tuple[object, ...]]]:
    """
    Lock the conversations that have the message already, and give its rows, those of its copies last.

    They need not be the one where the message would belong now: `/new` may have come in between, and a
    thread's history may hold it once more. In order of id, so that two edits cannot wait in a ring.
    """
    copy = sa.literal(f"{message.key}@") + sa.cast(messages.c.conversation_id, sa.Text)
    copied = sa.and_(IS_COPY, messages.c.platform_id == message.id, messages.c.key == copy)
    # The lock comes with the first statement, for one of its own would cost every message a round trip.
    locked = sa.func.length(sa.cast(place_lock(message.channel), sa.Text))
    holding = [
        sa.select(messages.c.conversation_id).where(one) for one in (messages.c.key == message.key, copied)
    ]
    ids = [number for number in await connection.scalars(sa.union_all(*holding, sa.select(locked))) if number]
    if not ids:
        return []
    await lock_conversations(connection, ids)
    keys = [message.key, *(f"{message.key}@{number}" for number in ids)]
    found = sa.select(messages).where(messages.c.key.in_(keys)).order_by(sa.func.length(messages.c.key))
    rows = (await connection.execute(found)).all()
    return rows if rows and rows[0].key == message.key else []


async def _lock(connection: AsyncConnection, message: Message, place: Place, *, create: bool) -> _Held | None:
    """Lock the conversation's row, making it first where the message is outright for the bot."""
    found = sa.select(
        conversations.c.id,
        conversations.c.last_position,
        conversations.c.total_tokens,
        conversations.c.quiet_at.is_not(None),
        left_at(message.channel),
    )
    found = found.where(conversations.c.key == place.key).with_for_update()
    row = (await connection.execute(found)).first()
    if row is None and create:
        await _open_conversation(connection, message, place)
        row = (await connection.execute(found)).one()
    return None if row is None else _Held(*row)


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
        "parent": channel.parent,
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


async def _hear_again(
    connection: AsyncConnection,
    message: Message,
    rows: Sequence[sa.Row[tuple[object, ...]]],
    tokens: int,
    outright: Attention,
) -> Accepted:
    """
    Take an edit, which reaches the copies too, or a second delivery; the conversations' rows are locked.

    What names the bot and has no turn was read as history before it was delivered, or names it only now.
    """
    known, edited = rows[0], _is_newer(message, rows[0])
    if known.withdrawn_at is not None:
        return Accepted.KNOWN
    for row in rows:
        if _is_newer(message, row):
            await _revise(connection, message, row, tokens)
    if outright is Attention.ANSWER and known.turn_id is None and not known.said:
        return await _join_or_open(connection, known.conversation_id, message)
    if not edited:
        return Accepted.KNOWN
    await want_anew(connection, known.turn_id)
    return Accepted.REVISED


def _is_newer(message: Message, known: sa.Row[tuple[object, ...]]) -> bool:
    if message.edited_at is None or (known.text == message.text and not _lost_files(message, known)):
        return False
    return known.edited_at is None or bool(known.edited_at < message.edited_at)


def _lost_files(message: Message, known: sa.Row[tuple[object, ...]]) -> bool:
    """Say whether files that a message came with were taken away since."""
    left = Counter(file.name for file in message.files)
    return bool(Counter(str(file["name"]) for file in known.files) - left)


async def _revise(
    connection: AsyncConnection, message: Message, known: sa.Row[tuple[object, ...]], tokens: int
) -> None:
    """Keep the earlier text of an edited message, and put the cumulative counts right from it on."""
    await connection.execute(
        message_revisions.insert().values(message_id=known.id, revision=known.revision, text=known.text)
    )
    changed: dict[str, object] = {"text": message.text, "edited_at": message.edited_at}
    changed |= {"revision": known.revision + 1}
    if _lost_files(message, known):
        changed |= {"files": [asdict(file) for file in message.files]}
        await forget_files(connection, known.id)
    await connection.execute(messages.update().where(messages.c.id == known.id).values(**changed))
    await reweigh(connection, known.id, tokens + await enclosed_tokens(connection, known.id))
    await tell_conversation(connection, known.conversation_id)


async def _join_or_open(connection: AsyncConnection, conversation_id: int, message: Message) -> Accepted:
    """Add the message to its author's newest turn that nobody has seen, or give it one of its own."""
    unseen = (
        sa.select(turns.c.id)
        .where(
            turns.c.conversation_id == conversation_id,
            turns.c.state.in_(["waiting", "answering"]),
            turns.c.wanted == "answer",
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
