"""Objects of discord.py made from payloads, without any connection."""

from __future__ import annotations

from typing import Any

import discord

from bot.adapters.discord.reading import Place, read_place
from tests.doubles import discord_state
from tests.doubles.discord_state import Person, Post, Role, State


class Offline:
    """A guild of the double as discord.py sees it."""

    def __init__(self) -> None:
        self.state = State()
        self.staff = Role("Staff")
        self.state.roles[self.staff.id] = self.staff
        self.anna = self._person("Anna", nick="Anna Lee", roles=(self.staff.id,))
        self.ben = self._person("Ben")
        self.category = self._place("Help", discord_state.CATEGORY)
        self.general = self._place("general", discord_state.TEXT, parent_id=self.category.id)
        self.thread = self._place("a thread", discord_state.THREAD, parent_id=self.general.id)
        self.direct = discord_state.Place("Anna", discord_state.DIRECT, recipient=self.anna)
        self.connection: Any = discord.Client(intents=discord.Intents.none())._connection
        bot_user: Any = self.state.user(self.state.bot)
        self.connection.user = discord.ClientUser(state=self.connection, data=bot_user)
        guild: Any = self.state.guild()
        self.guild = discord.Guild(data=guild, state=self.connection)
        self.connection._add_guild(self.guild)

    def message(self, content: str, author: Person | None = None, **more: Any) -> discord.Message:
        """Make what discord.py makes of a message in #general, or in `place`."""
        place = more.pop("place", self.general)
        changes = more.pop("changes", {})
        post = Post(author or self.anna, place, content, **more)
        post.kind = post.kind or (19 if post.reply_to else 0)
        self.state.posts[post.id] = post
        data: Any = self.state.message(post)
        if place.guild_id:
            data |= {"guild_id": place.guild_id, "member": self.state.member(post.author)}
        return discord.Message(state=self.connection, channel=self._channel(place), data=data | changes)

    def place(self, place: discord_state.Place | None = None) -> Place:
        """Say where it stands in the words of the house."""
        found = place or self.general
        guild = self.guild if found.guild_id else None
        return read_place(self._channel(found), int(self.state.bot.id), guild)

    def _channel(self, place: discord_state.Place) -> Any:
        if place.kind == discord_state.DIRECT:
            return discord.DMChannel._from_message(self.connection, int(place.id))
        return self.guild.get_channel_or_thread(int(place.id))

    def _person(self, name: str, **more: Any) -> Person:
        person = Person(name, **more)
        self.state.people[person.id] = person
        return person

    def _place(self, name: str, kind: int, **more: Any) -> discord_state.Place:
        place = discord_state.Place(name, kind, guild_id=self.state.guild_id, **more)
        self.state.places[place.id] = place
        return place
