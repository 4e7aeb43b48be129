"""Finds the conversation that a message belongs to."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.dialogue import Channel, ChannelKind, Conversation, Platform
from bot.memory.eras import era_of
from bot.memory.models import conversations
from bot.memory.rows import Row


def key_of(channel: Channel, message_id: str) -> str:
    """Make the key of a message or a post in a channel."""
    return f"{channel.platform}:{channel.workspace}:{channel.id}:{message_id}"


def lock_name(channel: Channel) -> str:
    """Name the lock on a place under which messages come and are deleted."""
    # A thread that is still to be made has its first message in the channel above.
    return f"{channel.platform}:{channel.workspace}:{channel.parent or channel.id}"


def branches(channel: Channel) -> bool:
    """Say whether the channel's conversations are reply chains, whose context is a path and not a list."""
    return channel.platform is Platform.DISCORD and channel.kind is ChannelKind.OPEN


def as_conversation(found: Row) -> Conversation:
    """Make the dialogue's type of a row of `conversations`."""
    channel = Channel(
        Platform(found["platform"]),
        found["workspace"],
        found["place"],
        found["root"],
        ChannelKind(found["kind"]),
        found["name"],
        parent=found["parent"],
    )
    return Conversation(found["id"], channel, found["history_read"])


async def current(connection: AsyncConnection, channel: Channel) -> int | None:
    """
    Find the conversation that a channel stands for now, by its id.

    In an open channel without a root, where there are many, it is the one that was last heard.
    """
    if is_loose(channel):
        here = (
            (conversations.c.platform == channel.platform)
            & (conversations.c.workspace == channel.workspace)
            & (conversations.c.place == channel.id)
        )
        newest = sa.select(conversations.c.id).where(here).order_by(conversations.c.last_at.desc()).limit(1)
        found: int | None = await connection.scalar(newest)
        return found
    direct = channel.kind is ChannelKind.DIRECT and not channel.root
    tail = f"new{await era_of(connection, channel)}" if direct else channel.root
    key = f"{channel.platform}:{channel.workspace}:{channel.id}:{tail}"
    return await connection.scalar(sa.select(conversations.c.id).where(conversations.c.key == key))


def is_loose(channel: Channel) -> bool:
    """Say whether the channel may hold many conversations, of which it names none."""
    return channel.kind is ChannelKind.OPEN and not channel.root


async def lock_conversations(connection: AsyncConnection, ids: Iterable[int]) -> None:
    """Lock rows of conversations, in order of id, so that two who do so cannot wait in a ring."""
    # By their numbers: a lock that is waited for looks again only at what is locked, not at what was joined.
    held = sa.select(conversations.c.id).where(conversations.c.id.in_(set(ids)))
    await connection.execute(held.order_by(conversations.c.id).with_for_update())
