"""What is on record of the posts of one answer; every write is fenced by the lease's epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, LiteralString, Protocol

from bot.dialogue import Piece, Platform, Slot, Turn
from bot.errors import LeaseLost, Superseded
from bot.memory.database import Database
from bot.memory.places import key_of
from bot.memory.rows import storable


class Fence(Protocol):
    """Says whether the lease still stands and the turn is still wanted as it was read."""

    async def check(self) -> None:
        """Raise `LeaseLost` or `Superseded` where it does not."""
        ...


class Outbox:
    """Hands out the receipts of answers."""

    def __init__(self, database: Database) -> None:
        """All receipts write to the same database."""
        self._database = database

    def receipts(self, turn: Turn, fence: Fence, *, provisional: bool = False) -> TurnReceipts:
        """Open the record of one answer's posts; what is `provisional` does not count as seen of it."""
        return TurnReceipts(self._database, turn, fence, provisional=provisional)


class TurnReceipts:
    """The record of one answer's posts."""

    def __init__(self, database: Database, turn: Turn, fence: Fence, *, provisional: bool = False) -> None:
        """`fence` is asked right before each call to a platform."""
        self._provisional = provisional
        self._database = database
        self._turn = turn
        self._fence = fence
        self._ids = {
            "conversation": turn.conversation.id,
            "turn": turn.id,
            "epoch": turn.epoch,
            "revision": turn.revision,
        }
        self._recorded: dict[int, str] = {}  # the platform's ids that this try put on record, by ordinal
        self._told = turn.conversation.channel.platform in {Platform.WEB, Platform.CONSOLE}

    @property
    def fresh(self) -> bool:
        """Whether nothing of an earlier try can stand: no post, and no sign that somebody is at work."""
        return self._turn.fresh

    async def check(self) -> None:
        """Raise `LeaseLost` or `Superseded` where nothing may be posted or edited any more."""
        await self._fence.check()

    async def sending(self, piece: Piece) -> Slot:
        """
        Record a piece before it is posted; with the first one the answer counts as seen.

        Accept joins a message to an unseen turn under the same row lock, so either it is in this answer
        or it becomes a turn of its own.
        """
        rows = await self._database.run(
            _SENDING,
            ordinal=piece.ordinal,
            text=storable(piece.text),
            seen=not self._provisional,
            **self._ids,
        )
        row = rows[0]
        if not row["held"]:
            raise LeaseLost(f"turn {self._turn.id} is another worker's")
        if not row["wanted"]:
            raise Superseded(f"something newer is wanted of turn {self._turn.id}")
        if row["fresh"] is None:
            return _slot(row | {"ordinal": piece.ordinal})
        return Slot(piece.ordinal, row["fresh"], recorded_at=row["made_at"])

    async def sent(self, piece: Piece, message_id: str) -> None:
        """
        Record the platform's id of the piece's post, and the text it holds now.

        The answer's last text in a post on record is left to the end of the turn, which follows at once and
        is fenced as this is: only pages read it from here.
        """
        if piece.last and not self._told and self._recorded.get(piece.ordinal) == message_id:
            return
        kept = await self._database.run(
            _SENT,
            ordinal=piece.ordinal,
            text=storable(piece.text),
            message_id=message_id,
            key=key_of(self._turn.conversation.channel, message_id),
            told=self._told,
            **self._ids,
        )
        if not kept:
            raise LeaseLost(f"turn {self._turn.id} is another worker's")
        self._recorded[piece.ordinal] = message_id

    async def standing(self) -> Sequence[Slot]:
        """Say which posts earlier tries of this answer recorded, by ordinal."""
        return [_slot(row) for row in await self._database.run(_STANDING, turn=self._turn.id)]

    async def removed(self, ordinal: int) -> None:
        """Record that the surplus post was deleted; its text stays in the record."""
        if not await self._database.run(_REMOVED, ordinal=ordinal, told=self._told, **self._ids):
            raise LeaseLost(f"turn {self._turn.id} is another worker's")

    async def owns(self, message_id: str) -> bool:
        """Say whether any record has this post, whichever answer it belongs to."""
        key = key_of(self._turn.conversation.channel, message_id)
        return bool(await self._database.run("SELECT FROM pieces WHERE key = %(key)s", key=key))


# The conversation's row is locked, if the lease still has it, within the statement that writes. What
# waited for the lock looks again at the rows it changes, so it never writes upon what is older.
_HELD = """
WITH held AS (
    SELECT id FROM conversations WHERE id = %(conversation)s AND lease_epoch = %(epoch)s FOR UPDATE
)"""

# A removed piece is taken up again under a nonce that no earlier post had.
_SENDING: LiteralString = f"""{_HELD}, seen AS (
    UPDATE turns SET visible_at = coalesce(visible_at, CASE WHEN %(seen)s THEN now() END) FROM held
    WHERE turns.id = %(turn)s AND turns.revision = %(revision)s RETURNING turns.id
), known AS (
    SELECT nonce, message_id, recorded_at, text FROM pieces
    WHERE turn_id = %(turn)s AND ordinal = %(ordinal)s AND state <> 'removed'
), made AS (
    INSERT INTO pieces (turn_id, conversation_id, ordinal, epoch, text)
    SELECT id, %(conversation)s, %(ordinal)s, %(epoch)s, %(text)s FROM seen
    WHERE NOT EXISTS (SELECT FROM known)
    ON CONFLICT (turn_id, ordinal) DO UPDATE
    SET state = 'sending', message_id = NULL, key = NULL, nonce = substr(md5(random()::text), 1, 24),
        recorded_at = now(), text = excluded.text, epoch = excluded.epoch
    RETURNING nonce, recorded_at
)
SELECT EXISTS (SELECT FROM held) AS held, EXISTS (SELECT FROM seen) AS wanted, known.*,
       made.nonce AS fresh, made.recorded_at AS made_at
FROM (SELECT) AS one LEFT JOIN known ON true LEFT JOIN made ON true
"""  # noqa: S608 — all of it is written here

_TELL = """
SELECT id, (SELECT pg_notify('frontdesk', 'conversation:' || %(conversation)s) WHERE %(told)s) FROM changed
"""

_SENT: LiteralString = f"""{_HELD}, changed AS (
    UPDATE pieces
    SET state = 'sent', message_id = %(message_id)s, key = %(key)s, text = %(text)s, epoch = %(epoch)s,
        sent_at = coalesce(sent_at, now())
    FROM held WHERE turn_id = %(turn)s AND ordinal = %(ordinal)s AND conversation_id = held.id
    RETURNING pieces.id
){_TELL}"""  # noqa: S608

_REMOVED: LiteralString = f"""{_HELD}, changed AS (
    UPDATE pieces SET state = 'removed' FROM held
    WHERE turn_id = %(turn)s AND ordinal = %(ordinal)s AND conversation_id = held.id
    RETURNING pieces.id
){_TELL}"""  # noqa: S608

_STANDING: LiteralString = """
SELECT pieces.*, turns.visible_at IS NULL AS provisional
FROM pieces JOIN turns ON turns.id = pieces.turn_id
WHERE turn_id = %(turn)s AND pieces.state <> 'removed' ORDER BY ordinal
"""


def _slot(found: Mapping[str, Any]) -> Slot:
    return Slot(
        found["ordinal"],
        found["nonce"],
        found["message_id"] or "",
        unsure=found["message_id"] is None,
        recorded_at=found["recorded_at"],
        text=found["text"],
        provisional=found.get("provisional", False),
    )
