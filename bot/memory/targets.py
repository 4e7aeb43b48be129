"""Finds the answer that a wish is about, and says whether the person may have it changed."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.dialogue import Channel, Request
from bot.memory.models import conversations, messages, pieces, turns
from bot.memory.places import current, is_loose, key_of

OPEN = ("waiting", "answering")


async def find_turn(connection: AsyncConnection, request: Request, *, running: bool = False) -> int | None:
    """
    Find the turn a request is about, None where there is none in its channel.

    `running` looks for one that is not over where the request names none, the person's own first.
    """
    if request.turn:
        there = sa.select(turns.c.id).join(conversations, conversations.c.id == turns.c.conversation_id)
        return await _number(connection, there.where(turns.c.id == request.turn, _at(request.channel)))
    if request.message_id:
        return await _of_post(connection, key_of(request.channel, request.message_id))
    return await _newest(connection, request, running)


def may_change(request: Request, turn: sa.Row[tuple[object, ...]]) -> bool:
    """Say whether the person may stop or repeat an answer: who asked, and moderators."""
    return request.moderator or bool(turn._mapping["asker_id"] == request.person.id)


async def locked_turn(connection: AsyncConnection, number: int | None) -> sa.Row[tuple[object, ...]] | None:
    """Lock the conversation of a turn, and read the turn with its platform."""
    if number is None:
        return None
    own = sa.select(turns.c.conversation_id).where(turns.c.id == number).scalar_subquery()
    await connection.execute(sa.select(conversations.c.id).where(conversations.c.id == own).with_for_update())
    found = sa.select(turns, conversations.c.platform).join(
        conversations, conversations.c.id == turns.c.conversation_id
    )
    return (await connection.execute(found.where(turns.c.id == number))).first()


async def _of_post(connection: AsyncConnection, key: str) -> int | None:
    """Find the turn that a post belongs to, or that a message asked."""
    posted = sa.select(pieces.c.turn_id).where(pieces.c.key == key)
    asked = sa.select(messages.c.turn_id).where(messages.c.key == key, messages.c.turn_id.is_not(None))
    return await _number(connection, posted.union_all(asked).limit(1))


async def _newest(connection: AsyncConnection, request: Request, running: bool) -> int | None:
    wanted = turns.c.state.in_(OPEN) if running else turns.c.state != "withdrawn"
    if request.asked_at is not None:
        # Of a wish that comes late, or once more, what was asked since is no part.
        before = (messages.c.turn_id == turns.c.id) & (messages.c.sent_at <= request.asked_at)
        wanted &= sa.exists().where(before, sa.not_(messages.c.said))
    mine = turns.c.asker_id == request.person.id
    if is_loose(request.channel):
        own = sa.select(turns.c.id).join(conversations, conversations.c.id == turns.c.conversation_id)
        own = own.where(mine, wanted, _at(request.channel)).order_by(turns.c.id.desc()).limit(1)
        if (found := await _number(connection, own)) is not None:
            return found
    conversation = await current(connection, request.channel)
    here = sa.select(turns.c.id).where(turns.c.conversation_id == conversation, wanted)
    order = (mine.desc(), turns.c.id.desc()) if running else (turns.c.id.desc(),)
    return await _number(connection, here.order_by(*order).limit(1))


def _at(channel: Channel) -> sa.ColumnElement[bool]:
    return (
        (conversations.c.platform == channel.platform)
        & (conversations.c.workspace == channel.workspace)
        & (conversations.c.place == channel.id)
    )


async def _number(connection: AsyncConnection, statement: sa.Executable) -> int | None:
    found: int | None = (await connection.execute(statement)).scalars().first()
    return found
