"""Who does something on Slack: their name, time zone, language, groups and rights."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.adapters.slack.groups import Groups
from bot.adapters.slack.mrkdwn import Known
from bot.adapters.slack.names import Names
from bot.adapters.slack.reading import Me, Wanted
from bot.dialogue import Author, Message


@dataclass(frozen=True, slots=True)
class Somebody:
    """A person; a `moderator` may stop and repeat what others asked."""

    author: Author
    moderator: bool = False


class People:
    """The people of a workspace, as far as they are looked up."""

    def __init__(self, names: Names, me: Me, groups: Groups | None = None) -> None:
        """Authors have their roles where there are `groups`."""
        self.me = me
        self._names = names
        self._groups = groups

    async def known(self, wanted: Wanted) -> Known:
        """Look up names, and what the bot itself is called: people may change that at any time."""
        people = tuple(dict.fromkeys((*wanted.people, self.me.user_id)))
        return await self._names.look_up(replace(wanted, people=people), self.me)

    async def somebody(self, user: str) -> Somebody:
        """Look up a person; what cannot be found out in time is left out."""
        person = (await self.known(Wanted((user,)))).people.get(user)
        roles = await self.roles(user)
        if person is None:
            return Somebody(Author(user, "someone", roles))
        return Somebody(Author(user, person.name, roles, person.time_zone, person.locale), person.moderator)

    async def roles(self, user: str) -> tuple[str, ...]:
        """Name the groups a person is in."""
        return () if self._groups is None else await self._groups.roles_of(user)

    async def with_roles(self, message: Message) -> Message:
        """Add the author's roles to a message."""
        if self._groups is None:
            return message
        return replace(message, author=replace(message.author, roles=await self.roles(message.author.id)))
