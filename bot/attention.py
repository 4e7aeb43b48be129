"""Decides whom a message is for, and whether its author and place are heard at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.dialogue import Attention, ChannelKind, Message, Platform


@dataclass(frozen=True, slots=True)
class AccessList:
    """Who is heard on one platform: an empty allow list allows all; a block wins over an allowance."""

    allow_users: frozenset[str] = frozenset()
    allow_roles: frozenset[str] = frozenset()
    allow_channels: frozenset[str] = frozenset()
    block_users: frozenset[str] = frozenset()
    block_roles: frozenset[str] = frozenset()
    block_channels: frozenset[str] = frozenset()

    def admits(self, message: Message) -> bool:
        """
        Say whether the message's author is heard in its channel.

        Users and roles are named by id or by name, channels by id or by name with or without "#". In a
        direct message the channel lists do not count; allowing roles or users asks for either one.
        """
        people = {message.author.id, message.author.name}
        roles = set(message.author.roles)
        name = message.channel.name.lstrip("#")
        places = {message.channel.id, name, f"#{name}"}
        if people & self.block_users or roles & self.block_roles:
            return False
        if (self.allow_users or self.allow_roles) and not (
            people & self.allow_users or roles & self.allow_roles
        ):
            return False
        if message.channel.kind is ChannelKind.DIRECT:
            return True
        return not places & self.block_channels and (
            not self.allow_channels or bool(places & self.allow_channels)
        )


class Attender:
    """Says what becomes of a message; knows nothing of what is stored but whether the thread is known."""

    def __init__(self, lists: Mapping[Platform, AccessList] | None = None) -> None:
        """`lists` has a platform's access list; a platform without one is open to all."""
        self._lists = dict(lists or {})

    def __call__(self, message: Message, taking_part: bool) -> Attention:
        """
        Decide by what names the bot, then by whether it takes part in the thread.

        In a thread it takes part in, a follow-up needs no new mention, unless it addresses somebody else.
        """
        listed = self._lists.get(message.channel.platform)
        if listed is not None and not listed.admits(message):
            return Attention.IGNORE
        if message.channel.kind is ChannelKind.DIRECT or message.mentions_bot:
            return Attention.ANSWER
        if not taking_part:
            return Attention.IGNORE
        if message.mentions_others or message.channel.kind is ChannelKind.OPEN:
            return Attention.KEEP
        return Attention.ANSWER
