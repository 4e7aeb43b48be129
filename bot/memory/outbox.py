"""What is on record of the posts of one answer; every write is fenced by the lease's epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.dialogue import Piece, Platform, Slot, Turn
from bot.errors import LeaseLost, Superseded
from bot.memory.database import Database
from bot.memory.models import conversations, pieces, turns
from bot.memory.news import tell_conversation
from bot.memory.places import key_of
from bot.memory.rows import storable


class Fence(Protocol):
    """Says whether the lease still stands and the turn is still wanted as it was read."""

    def check(self) -> None:
        """Raise `LeaseLost` or `Superseded` where it does not."""
        ...


class Outbox:
    """Hands out the receipts of answers."""

    def __init__(self, database: Database) -> None:
        """All receipts write to the same database."""
        self._database = database

    def receipts(self, turn: Turn, fence: Fence) -> TurnReceipts:
        """Open the record of one answer's posts."""
        return TurnReceipts(self._database, turn, fence)


class TurnReceipts:
    """The record of one answer's posts."""

    def __init__(self, database: Database, turn: Turn, fence: Fence) -> None:
        """`fence` is asked right before each call to a platform."""
        self._database = database
        self._turn = turn
        self._fence = fence
        self._told = turn.conversation.channel.platform in {Platform.WEB, Platform.CONSOLE}

    def check(self) -> None:
        """Raise `LeaseLost` or `Superseded` where nothing may be posted or edited any more."""
        self._fence.check()

    async def sending(self, piece: Piece) -> Slot:
        """Record a piece before it is posted; with the first one the answer counts as seen."""
        async with self._database.transaction() as connection:
            await self._fenced(connection)
            await self._seen(connection)
            known = sa.select(pieces).where(
                pieces.c.turn_id == self._turn.id, pieces.c.ordinal == piece.ordinal
            )
            row = (await connection.execute(known)).first()
            if row is not None and row.state != "removed":
                return _slot(row)
            values = {
                "turn_id": self._turn.id,
                "conversation_id": self._turn.conversation.id,
                "ordinal": piece.ordinal,
                "epoch": self._turn.epoch,
                "text": storable(piece.text),
            }
            made = await connection.execute(_again(values))
            return Slot(piece.ordinal, *made.one())

    async def sent(self, piece: Piece, message_id: str) -> None:
        """Record the platform's id of the piece's post, and the text it holds now."""
        held = self._held_epoch()
        statement = (
            pieces.update()
            .where(
                pieces.c.turn_id == self._turn.id,
                pieces.c.ordinal == piece.ordinal,
                pieces.c.conversation_id == held.c.id,
            )
            .values(
                state="sent",
                message_id=message_id,
                key=key_of(self._turn.conversation.channel, message_id),
                text=storable(piece.text),
                epoch=self._turn.epoch,
                sent_at=sa.func.coalesce(pieces.c.sent_at, sa.func.now()),
            )
        )
        async with self._database.transaction() as connection:
            if await connection.scalar(statement.returning(pieces.c.id)) is None:
                raise LeaseLost(f"turn {self._turn.id} is another worker's")
            if self._told:
                await tell_conversation(connection, self._turn.conversation.id)

    async def standing(self) -> Sequence[Slot]:
        """Say which posts earlier tries of this answer recorded, by ordinal."""
        found = sa.select(pieces).where(pieces.c.turn_id == self._turn.id, pieces.c.state != "removed")
        async with self._database.transaction() as connection:
            return [_slot(row) for row in await connection.execute(found.order_by(pieces.c.ordinal))]

    async def removed(self, ordinal: int) -> None:
        """Record that the surplus post was deleted; its text stays in the record."""
        statement = pieces.update().where(pieces.c.turn_id == self._turn.id, pieces.c.ordinal == ordinal)
        async with self._database.transaction() as connection:
            await self._fenced(connection)
            await connection.execute(statement.values(state="removed"))
            if self._told:
                await tell_conversation(connection, self._turn.conversation.id)

    async def owns(self, message_id: str) -> bool:
        """Say whether any record has this post, whichever answer it belongs to."""
        key = key_of(self._turn.conversation.channel, message_id)
        async with self._database.transaction() as connection:
            return bool(await connection.scalar(sa.select(sa.exists().where(pieces.c.key == key))))

    def _held_epoch(self) -> sa.CTE:
        """Lock the conversation's row, if this turn's lease still has it, within the same statement."""
        found = sa.select(conversations.c.id).where(
            conversations.c.id == self._turn.conversation.id, conversations.c.lease_epoch == self._turn.epoch
        )
        return found.with_for_update().cte("held")

    async def _fenced(self, connection: AsyncConnection) -> None:
        if await connection.scalar(sa.select(self._held_epoch().c.id)) is None:
            raise LeaseLost(f"turn {self._turn.id} is another worker's")

    async def _seen(self, connection: AsyncConnection) -> None:
        """
        Mark the answer as seen, unless something newer is wanted of it.

        Accept joins a message to an unseen turn under the same row lock, so either it is in this answer
        or it becomes a turn of its own.
        """
        seen = turns.update().where(turns.c.id == self._turn.id, turns.c.revision == self._turn.revision)
        seen = seen.values(visible_at=sa.func.coalesce(turns.c.visible_at, sa.func.now()))
        if await connection.scalar(seen.returning(turns.c.id)) is None:
            raise Superseded(f"something newer is wanted of turn {self._turn.id}")


def _again(values: dict[str, object]) -> sa.Executable:
    """Insert a piece, or take a removed one up again under a nonce that no earlier post had."""
    fresh = sa.func.substr(sa.func.md5(sa.cast(sa.func.random(), sa.Text)), 1, 24)
    statement = insert(pieces).values(values)
    anew = {"state": "sending", "message_id": None, "key": None, "nonce": fresh, "recorded_at": sa.func.now()}
    statement = statement.on_conflict_do_update(
        index_elements=["turn_id", "ordinal"],
        set_=anew | {"text": statement.excluded.text, "epoch": statement.excluded.epoch},
    )
    shown = (pieces.c.nonce, sa.literal(""), sa.false(), pieces.c.recorded_at)
    return statement.returning(*shown)


def _slot(row: sa.Row[tuple[object, ...]]) -> Slot:
    found = row._mapping
    return Slot(
        found["ordinal"],
        found["nonce"],
        found["message_id"] or "",
        unsure=found["message_id"] is None,
        recorded_at=found["recorded_at"],
        text=found["text"],
    )
