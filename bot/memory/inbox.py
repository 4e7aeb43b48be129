"""The one door in: a message is kept once, with its turn and its wake-up, in one commit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
import structlog
from psycopg.rows import DictRow
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.dialogue import Accepted, Attention, Message, Scene
from bot.memory.arrivals import Seen, keep, look
from bot.memory.attachments import enclosed_tokens, forget_files
from bot.memory.database import Database
from bot.memory.direct import Run
from bot.memory.fairness import open_turns
from bot.memory.limits import Limits
from bot.memory.models import IS_COPY, message_revisions, messages, turns
from bot.memory.news import tell_conversation, wake, want_anew
from bot.memory.places import lock_conversations
from bot.memory.rows import cleaned, weigh
from bot.memory.scenes import read_scene
from bot.memory.weights import reweigh
from bot.memory.withdrawals import place_lock
from bot.memory.workspaces import returned
from bot.ports import TokenCounter

log = structlog.get_logger()

_LATE = timedelta(minutes=1)


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
        limits: Limits | None = None,
    ) -> None:
        """
        `attend` decides whom a message is for, given the scene of a thread the bot takes part in.

        Without `limits` everything that is for the bot is answered.
        """
        self._limits = limits or Limits()
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
        async with self._database.statements() as run:
            seen = await look(run, message, create=outright is Attention.ANSWER)
            if seen.known is None:
                return await self._keep(run, message, seen, outright, tokens)
            if message.edited_at is None and (outright is not Attention.ANSWER or _settled(seen.known)):
                return Accepted.KNOWN
        async with self._database.transaction() as connection:
            known = await _lock_known(connection, message)
            if not known:
                raise _CameMeanwhile
            return await _hear_again(connection, message, known, tokens, outright)

    async def _keep(
        self, run: Run, message: Message, seen: Seen, outright: Attention, tokens: int
    ) -> Accepted:
        wanted = outright
        if seen.conversation is None:
            return Accepted.IGNORED
        if wanted is not Attention.ANSWER:
            wanted = self._attend(message, await read_scene(run, seen.conversation, quiet=seen.quiet))
        if wanted is Attention.IGNORE:
            return Accepted.IGNORED
        return await self._keep_here(run, message, seen, tokens, answered=wanted is Attention.ANSWER)

    async def _keep_here(
        self, run: Run, message: Message, seen: Seen, tokens: int, *, answered: bool
    ) -> Accepted:
        weight = tokens, self._counter.encoding
        # What was written while nobody listened comes all at once, and was not asked all at once.
        late = datetime.now(UTC) - message.sent_at > _LATE
        limits = Limits() if late else self._limits
        kept = await keep(run, message, seen, weight, limits, answered=answered)
        if not kept.alive:
            raise _Deleted
        if not kept.once:
            raise _CameMeanwhile
        if seen.left_at is not None and seen.left_at < message.sent_at:
            await returned(run, message.channel)
        if kept.limited:
            return Accepted.LIMITED
        if not answered:
            return Accepted.KEPT
        return Accepted.JOINED if kept.joined else Accepted.NEW


def _settled(known: DictRow) -> bool:
    """Say whether a message that came before has all it will get from coming again."""
    over = known["said"] or known["limited"] or known["withdrawn_at"] is not None
    return over or known["turn_id"] is not None


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
    if outright is Attention.ANSWER and known.turn_id is None and not (known.said or known.limited):
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
    joined, behind = turn_id is not None, 0
    if joined:
        await want_anew(connection, turn_id)
    else:
        tenant = message.channel.tenant
        behind = await open_turns(connection, tenant)
        opened = turns.insert().values(
            conversation_id=conversation_id, asker_id=message.author.id, tenant=tenant
        )
        turn_id = (await connection.execute(opened.returning(turns.c.id))).scalar_one()
    mine = messages.update().where(messages.c.key == message.key)
    await connection.execute(mine.values(turn_id=turn_id))
    await wake(connection, "answer", conversation_id, message.channel.platform, behind)
    return Accepted.JOINED if joined else Accepted.NEW
