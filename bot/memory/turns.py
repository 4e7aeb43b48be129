"""Turns: taken up under a lease, ended in one commit that is fenced by the lease's epoch."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.dialogue import Answer, Author, Conversation, Message, Platform, Turn, Wanted
from bot.errors import HeldElsewhere, LeaseLost, Superseded
from bot.memory.claims import CLAIM, FINISH, FORGIVE, QUESTION, ending, finishing
from bot.memory.database import Database
from bot.memory.leaving import take_place
from bot.memory.models import conversations, messages, people, pieces, turns
from bot.memory.news import UNTOLD, tell_conversation, wake
from bot.memory.places import as_conversation
from bot.memory.rows import Row, message_of, row_of, storable, weigh
from bot.ports import TokenCounter


@dataclass(frozen=True, slots=True)
class LeaseTerms:
    """
    How long a lease is, in seconds.

    `seconds` is the time without a heartbeat after which it has run out; `call` is the longest call to a
    platform, which a taker waits out as well, since the holder may have begun one just before. Together they
    are the pause that a death costs; who cannot reach Postgres for `seconds` loses what it holds.
    """

    seconds: float = 3.0
    call: float = 4.0


class Turns:
    """The record of answers."""

    def __init__(
        self, database: Database, counter: TokenCounter, bot: Author, terms: LeaseTerms | None = None
    ) -> None:
        """`bot` is the author of what is said."""
        self._database = database
        self._counter = counter
        self._bot = bot
        self._terms = terms or LeaseTerms()

    async def claim(self, conversation_id: int) -> Turn | None:
        """
        Take the conversation's lease and its oldest open turn; None where nothing is open.

        Raises `HeldElsewhere` while another worker has it, or may still be in a call to the platform.
        """
        taken_at = time.monotonic()
        seconds = {"seconds": self._terms.seconds, "call": self._terms.call}
        rows = await self._database.run(CLAIM, conversation=conversation_id, **seconds)
        if not rows:
            return None
        row = rows[0]
        if row["busy_for"] is not None and row["busy_for"] > 0:
            raise HeldElsewhere(row["busy_for"])
        conversation = as_conversation(row)
        spoken = replace(conversation.channel, language=row["place_language"] or "")
        conversation = replace(conversation, channel=spoken)
        return await self._taken(conversation, row, row["lease_epoch"] + 1, taken_at)

    async def finish(self, turn: Turn, answer: Answer) -> Turn | None:
        """
        End a turn, and take up the conversation's next one or give the lease back, in one commit.

        Raises `LeaseLost` where another worker has the conversation, `Superseded` where the question was
        changed meanwhile; then nothing was written.
        """
        taken_at = time.monotonic()
        said = self._said(turn, answer)
        counted = {"tokens": weigh(self._counter, said), "encoding": self._counter.encoding}
        written = finishing(turn, answer, said) | counted | {"term": self._terms.seconds}
        rows = await self._database.run(FINISH, **written)
        if rows:
            return await self._taken(turn.conversation, rows[0], turn.epoch, taken_at)
        return await self._finish_again(turn, answer)

    async def _finish_again(self, turn: Turn, answer: Answer) -> Turn | None:
        """End a turn whose answer takes an earlier one's place, or say why it cannot be ended."""
        taken_at = time.monotonic()
        async with self._database.transaction() as connection:
            held = await _fenced(connection, turn)
            if held["revision"] != turn.revision:
                raise Superseded(f"something newer is wanted of turn {turn.id}")
            if answer.text:
                await self._keep_said(connection, turn, answer, held)
            await connection.execute(
                turns.update()
                .where(turns.c.id == turn.id)
                .values(**ending(answer), finished_at=sa.func.now())
            )
            standing = (pieces.c.turn_id == turn.id) & pieces.c.state.in_(["sending", "sent"])
            await connection.execute(pieces.update().where(standing).values(state="final"))
            await tell_conversation(connection, turn.conversation.id)
            return await self._take(connection, turn.conversation, turn.epoch, taken_at)

    async def reload(self, turn: Turn) -> Turn:
        """Read what is wanted of the turn now, and renew its lease; raises `LeaseLost`."""
        taken_at = time.monotonic()
        async with self._database.transaction() as connection:
            held = await _fenced(connection, turn)
            question = await _question(connection, turn.id, turn.conversation)
            await _set_lease(connection, turn.conversation.id, lease_until=self._term())
            wanted = Wanted(held["wanted"])
            again = held["finished_at"] is not None
            asked = replace(turn, question=question, revision=held["revision"], wanted=wanted, again=again)
            return replace(asked, taken_at=taken_at, fresh=False)

    async def release(self, turn: Turn, seconds: float = 0.0) -> None:
        """
        Give a turn back that cannot be answered now, through no fault of its own; its try does not count.

        The conversation is woken again by whoever retries; for `seconds` nobody else takes it.
        """
        async with self._database.transaction() as connection:
            await _fenced(connection, turn)
            back = {"state": "waiting", "attempts": sa.func.greatest(turns.c.attempts - 1, 0)}
            await connection.execute(turns.update().where(turns.c.id == turn.id).values(**back))
            until = self._term(seconds - self._terms.call)
            # A renewal of ours that waits for this row at this moment is not to be heard any more.
            epoch = conversations.c.lease_epoch + 1
            await _set_lease(connection, turn.conversation.id, lease_until=until, lease_epoch=epoch)

    async def hand_over(self, turn: Turn) -> None:
        """
        Give a turn back whose answering was broken off; its try does not count.

        The platform may still carry out a call that was broken off: it is waited out as after a death.
        """
        await self.release(turn, self._terms.call)

    async def forgive(self, turn: Turn) -> None:
        """
        Uncount a try that another worker took over although this process lives: it was slow, not crashed.

        Only in a turn's first minutes, so that a question that holds up every worker is set aside in the end.
        """
        await self._database.run(FORGIVE, turn=turn.id)

    async def wake_open(self, platforms: Sequence[Platform]) -> int:
        """Wake the conversations that have an open turn and neither a holder nor a wake-up; count them."""
        open_turns = sa.select(turns.c.conversation_id).where(turns.c.state.in_(["waiting", "answering"]))
        left = (
            sa.select(conversations.c.id, conversations.c.platform)
            .where(
                conversations.c.id.in_(open_turns),
                conversations.c.platform.in_(platforms),
                UNTOLD,
                sa.or_(conversations.c.lease_until.is_(None), conversations.c.lease_until < sa.func.now()),
            )
            .with_for_update(skip_locked=True)
        )
        async with self._database.transaction() as connection:
            for row in (rows := (await connection.execute(left)).all()):
                await wake(connection, "answer", row.id, Platform(row.platform))
        return len(rows)

    def _term(self, seconds: float | None = None) -> sa.ColumnElement[datetime]:
        length = self._terms.seconds if seconds is None else seconds
        return sa.func.now() + sa.func.make_interval(0, 0, 0, 0, 0, 0, length)

    async def _taken(self, conversation: Conversation, row: Row, epoch: int, taken_at: float) -> Turn | None:
        """Read what is asked by the turn that was taken up, if one was."""
        if row["turn_id"] is None:
            return None
        platform = conversation.channel.platform
        rows = await self._database.run(QUESTION, turn=row["turn_id"], platform=platform)
        return Turn(
            row["turn_id"],
            conversation,
            asked_by(rows, conversation),
            epoch,
            rows[0]["wanted_revision"],
            row["attempts"],
            taken_at,
            Wanted(rows[0]["wanted"]),
            waited=row["waited"],
            taken_over=row["taken_over"],
            again=rows[0]["again"],
            tried_for=row["tried_for"] or 0.0,
            fresh=row["fresh"],
        )

    def _said(self, turn: Turn, answer: Answer) -> Message:
        place, sent_at = turn.conversation.channel, turn.asked.sent_at
        return Message(f"answer-{turn.id}", place, self._bot, storable(answer.text), sent_at, said=True)

    async def _take(
        self, connection: AsyncConnection, conversation: Conversation, epoch: int, taken_at: float
    ) -> Turn | None:
        tried_for = sa.cast(sa.func.extract("epoch", sa.func.now() - turns.c.started_at), sa.Float)
        wanted = (turns.c.revision, turns.c.attempts, turns.c.wanted, turns.c.finished_at)
        oldest = (
            sa.select(turns.c.id, *wanted, tried_for.label("tried_for"))
            .where(turns.c.conversation_id == conversation.id, turns.c.state.in_(["waiting", "answering"]))
            .order_by(turns.c.id)
            .limit(1)
        )
        found = (await connection.execute(oldest)).first()
        if found is None:
            await _set_lease(connection, conversation.id, lease_epoch=epoch, lease_until=None)
            return None
        await _set_lease(connection, conversation.id, lease_epoch=epoch, lease_until=self._term())
        taken = {"state": "answering", "epoch": epoch, "attempts": found.attempts + 1}
        taken_up = sa.func.coalesce(turns.c.started_at, sa.func.now())
        await connection.execute(
            turns.update().where(turns.c.id == found.id).values(**taken, started_at=taken_up)
        )
        question = await _question(connection, found.id, conversation)
        return Turn(
            found.id,
            conversation,
            question,
            epoch,
            found.revision,
            found.attempts + 1,
            taken_at,
            Wanted(found.wanted),
            again=found.finished_at is not None,
            tried_for=found.tried_for or 0.0,
        )

    async def _keep_said(
        self, connection: AsyncConnection, turn: Turn, answer: Answer, held: sa.RowMapping
    ) -> None:
        said = self._said(turn, answer)
        tokens = weigh(self._counter, said)
        position, total = held["last_position"] + 1, held["total_tokens"] + tokens
        kept = row_of(said, turn.conversation.id, position, total, tokens, self._counter.encoding)
        heard = (messages.c.turn_id == turn.id) & sa.not_(messages.c.said)
        asked = sa.select(sa.func.max(messages.c.id)).where(heard).scalar_subquery()
        kept |= {"turn_id": turn.id, "parent_id": asked, "sent_at": sa.func.now()}
        made = await connection.execute(messages.insert().values(kept).returning(messages.c.id))
        counted = {"last_position": position, "total_tokens": total, "last_at": sa.func.now()}
        await connection.execute(
            conversations.update().where(conversations.c.id == turn.conversation.id).values(**counted)
        )
        if held["finished_at"] is not None:
            await take_place(connection, made.scalar_one(), turn.id)


async def _fenced(connection: AsyncConnection, turn: Turn) -> sa.RowMapping:
    """
    Lock the conversation for a turn that is still its holder's, and say what is wanted of the turn.

    A turn that was ended or given back is nobody's, though the lease's number has not moved since.
    """
    here = conversations.c.id == turn.conversation.id
    epoch = await connection.scalar(sa.select(conversations.c.lease_epoch).where(here).with_for_update())
    mine = (turns.c.id == turn.id) & (turns.c.state == "answering") & (turns.c.epoch == turn.epoch)
    wanted = (turns.c.revision, turns.c.wanted, turns.c.finished_at)
    found = sa.select(*wanted, conversations.c.last_position, conversations.c.total_tokens).join(
        conversations, conversations.c.id == turns.c.conversation_id
    )
    held = (await connection.execute(found.where(mine))).first()
    if epoch != turn.epoch or held is None:
        raise LeaseLost(f"turn {turn.id} is another worker's, or over")
    return held._mapping


async def _set_lease(connection: AsyncConnection, conversation_id: int, **values: object) -> None:
    await connection.execute(
        conversations.update().where(conversations.c.id == conversation_id).values(**values)
    )


async def _question(
    connection: AsyncConnection, turn_id: int, conversation: Conversation
) -> tuple[Message, ...]:
    """Read what is asked; of a question that is all deleted, only where and by whom it was."""
    platform = conversation.channel.platform
    chosen = (people.c.platform == platform) & (people.c.person_id == messages.c.author_id)
    heard = (
        sa.select(messages, people.c.language)
        .select_from(messages.outerjoin(people, chosen))
        .where(messages.c.turn_id == turn_id, sa.not_(messages.c.said))
        .order_by(messages.c.position)
    )
    return asked_by((await connection.execute(heard)).mappings().all(), conversation)


def asked_by(rows: Sequence[Row], conversation: Conversation) -> tuple[Message, ...]:
    """Make the question of its rows; of one that is all deleted, only where and by whom it was."""
    asked = [
        replace(message_of(row, conversation.channel), language=row["language"] or "")
        for row in rows
        if row["withdrawn_at"] is None
    ]
    if asked:
        return tuple(asked)
    return tuple(replace(message_of(row, conversation.channel), text="", files=()) for row in rows)
