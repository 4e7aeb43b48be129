"""Carries out what people ask of an answer or a thread, each wish in one commit."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.dialogue import ChannelKind, Granted, Platform, Request, Why, Wish
from bot.memory.database import Database
from bot.memory.eras import next_era
from bot.memory.leaving import leave_said
from bot.memory.models import conversations, messages, turns, votes
from bot.memory.news import hurry, tell_conversation, tell_turn, wake
from bot.memory.places import current
from bot.memory.reasons import explain
from bot.memory.rows import storable
from bot.memory.targets import OPEN, find_turn, locked_turn, may_change

_REASON_CHARACTERS = 2_000


class Wishes:
    """What people may ask for beside an answer; a wish that comes twice changes nothing the second time."""

    def __init__(self, database: Database) -> None:
        """The same database as the turns'."""
        self._database = database

    async def stop(self, request: Request) -> Granted:
        """Have an answer end where it stands."""
        async with self._database.transaction() as connection:
            turn = await locked_turn(connection, await find_turn(connection, request, running=True))
            if turn is None or turn.state not in OPEN:
                return Granted.NOTHING
            if not may_change(request, turn):
                return Granted.NOT_YOURS
            if turn.wanted != "answer":
                return Granted.ALREADY
            await _want(connection, turn, wanted="stop")
            return Granted.DONE

    async def again(self, request: Request) -> Granted:
        """Have an answer replaced by a new one; the old one stays in the record, out of the context."""
        async with self._database.transaction() as connection:
            turn = await locked_turn(connection, await find_turn(connection, request))
            if turn is None:
                return Granted.NOTHING
            if not may_change(request, turn):
                return Granted.NOT_YOURS
            if turn.state == "withdrawn" or turn.wanted == "withdraw":
                return Granted.GONE
            if (turn.state in OPEN and turn.wanted == "answer") or await _replaced(connection, turn, request):
                return Granted.ALREADY
            await leave_said(connection, turn.id, left_at=request.asked_at)
            # `finished_at` stays: by it the new answer is known to take another's place.
            closed = {"state": "waiting", "attempts": 0, "started_at": None} if turn.state not in OPEN else {}
            await _want(connection, turn, wanted="answer", **closed)
            return Granted.DONE

    async def why(self, request: Request) -> Why | None:
        """Tell why an answer is what it is; None where there is none, or not yet."""
        async with self._database.transaction() as connection:
            number = await find_turn(connection, request)
            found = await explain(connection, number) if number is not None else None
        return found if found is not None and found.model else None

    async def vote(self, request: Request) -> Granted:
        """Keep what a person thinks of an answer; the value "" takes it back."""
        async with self._database.transaction() as connection:
            number = await find_turn(connection, request)
            if number is None:
                return Granted.NOTHING
            if not request.value:
                mine = (votes.c.turn_id == number) & (votes.c.person_id == request.person.id)
                await connection.execute(votes.delete().where(mine))
                return Granted.DONE
            await connection.execute(_voted(number, request))
            return Granted.DONE

    async def new(self, request: Request) -> Granted:
        """Let the next message of a direct channel begin a new conversation; a thread is one already."""
        channel = request.channel
        if channel.kind is not ChannelKind.DIRECT or channel.root:
            return Granted.NOTHING
        async with self._database.transaction() as connection:
            left = await current(connection, channel)
            await next_era(connection, channel, request.asked_at)
            if left is not None:
                await tell_conversation(connection, left)
        return Granted.DONE

    async def listen(self, request: Request) -> Granted:
        """Have the bot answer only what names it in a thread (`Wish.QUIET`), or follow it again."""
        quiet = request.wish is Wish.QUIET
        async with self._database.transaction() as connection:
            number = await _thread_of(connection, request)
            if number is None:
                return Granted.NOTHING
            is_so = conversations.c.quiet_at.is_not(None) if quiet else conversations.c.quiet_at.is_(None)
            changed = conversations.update().where(conversations.c.id == number, sa.not_(is_so))
            changed = changed.values(quiet_at=sa.func.now() if quiet else None)
            done = await connection.scalar(changed.returning(conversations.c.id))
        return Granted.DONE if done is not None else Granted.ALREADY


async def _want(connection: AsyncConnection, turn: sa.Row[tuple[object, ...]], **changes: object) -> None:
    """Commit that something else is wanted of a turn, and see that somebody learns of it."""
    row = turn._mapping
    changed = turns.update().where(turns.c.id == row["id"])
    since = {"revision": turns.c.revision + 1, "wanted_at": sa.func.now()}
    await connection.execute(changed.values(**since, **changes))
    await tell_turn(connection, row["id"])
    await tell_conversation(connection, row["conversation_id"])
    await hurry(connection, row["conversation_id"])
    await wake(connection, "answer", row["conversation_id"], Platform(row["platform"]))


async def _replaced(connection: AsyncConnection, turn: sa.Row[tuple[object, ...]], request: Request) -> bool:
    """Say whether an answer of the turn left the context by this very wish, which comes once more."""
    old = (messages.c.turn_id == turn._mapping["id"]) & messages.c.said
    left = sa.select(sa.exists().where(old, messages.c.withdrawn_at == request.asked_at))
    return request.asked_at is not None and bool(await connection.scalar(left))


def _voted(turn: int, request: Request) -> sa.Executable:
    """Keep or change a vote; one that is pressed once more keeps the reason it had."""
    reason = storable(request.reason)[:_REASON_CHARACTERS]
    values = {"turn_id": turn, "person_id": request.person.id, "up": request.value == "up", "reason": reason}
    statement = insert(votes).values(values)
    same = sa.and_(votes.c.up == statement.excluded.up, statement.excluded.reason == "")
    changed = {
        "up": statement.excluded.up,
        "reason": sa.case((same, votes.c.reason), else_=statement.excluded.reason),
        "voted_at": sa.func.now(),
    }
    return statement.on_conflict_do_update(index_elements=["turn_id", "person_id"], set_=changed)


async def _thread_of(connection: AsyncConnection, request: Request) -> int | None:
    """Find the thread to be quiet in: that of the post, or the channel's own; not a direct channel."""
    if request.channel.kind is ChannelKind.DIRECT:
        return None
    turn = await find_turn(connection, request) if request.turn or request.message_id else None
    if turn is None:
        return await current(connection, request.channel)
    own = sa.select(turns.c.conversation_id).where(turns.c.id == turn)
    found: int | None = await connection.scalar(own)
    return found
