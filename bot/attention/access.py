"""Whether a message's author and place are heard at all."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.dialogue import Author, Channel, ChannelKind

# Slack's and Discord's ids of people.
_ID = re.compile(r"\s*[@#]*(?:[UW][A-Z0-9]{7,}|\d{15,20})\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class AccessList:
    """Who is heard on one platform: an empty allow list allows all; a block wins over an allowance."""

    allow_users: frozenset[str] = frozenset()
    allow_roles: frozenset[str] = frozenset()
    allow_channels: frozenset[str] = frozenset()
    block_users: frozenset[str] = frozenset()
    block_roles: frozenset[str] = frozenset()
    block_channels: frozenset[str] = frozenset()

    def admits(self, author: Author, channel: Channel) -> bool:
        """
        Say whether a person is heard in a channel, whatever they do there.

        All are named by id or by name, in any case, with or without "@" or "#"; a name that looks like an
        id counts for nothing, since people choose their names themselves. A channel's entry reaches its
        threads, a category's its channels. In a direct message the channel lists do not count; allowing
        roles or users asks for either one.
        """
        people = _told(author.id) | (frozenset() if _ID.fullmatch(author.name) else _told(author.name))
        roles = _told(*author.roles)
        places = _told(channel.id, channel.name, *channel.parents)
        if people & _told(*self.block_users) or roles & _told(*self.block_roles):
            return False
        if (self.allow_users or self.allow_roles) and not (
            people & _told(*self.allow_users) or roles & _told(*self.allow_roles)
        ):
            return False
        if channel.kind is ChannelKind.DIRECT:
            return True
        return not places & _told(*self.block_channels) and (
            not self.allow_channels or bool(places & _told(*self.allow_channels))
        )


def _told(*names: str) -> frozenset[str]:
    """Say names and ids as they are compared."""
    return frozenset(told for name in names if (told := name.strip().lstrip("@#").casefold()))
