"""One interaction of discord.py, as the words of the house ask of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import discord

from bot.adapters.discord.reading import Place, read_author, read_place
from bot.dialogue import Author, Request, Wish
from bot.ports import Words


class Asked:
    """What somebody pressed, typed or sent in, and where."""

    def __init__(self, interaction: discord.Interaction, bot_id: int) -> None:
        self.interaction = interaction
        self._bot_id = bot_id
        self._data: Mapping[str, Any] = dict(interaction.data or {})

    @property
    def locale(self) -> str:
        """The language of the person's client, as a BCP 47 tag."""
        return str(self.interaction.locale)

    @property
    def person(self) -> Author:
        """Who it was."""
        return replace(read_author(self.interaction.user, self.interaction.guild), locale=self.locale)

    @property
    def place(self) -> Place:
        """Where it was."""
        channel: Any = self.interaction.channel
        return read_place(channel, self._bot_id, self.interaction.guild)

    @property
    def workspace(self) -> str:
        """The guild's id, "" in a direct message."""
        return str(self.interaction.guild_id or "")

    @property
    def custom_id(self) -> str:
        """What we called the button or the form."""
        return str(self._data.get("custom_id", ""))

    @property
    def message_id(self) -> str:
        """The post that a button stands under."""
        return str(self.interaction.message.id) if self.interaction.message else ""

    @property
    def command(self) -> str:
        """The name of the command."""
        return str(self._data.get("name", ""))

    @property
    def target_id(self) -> str:
        """The message that a message command is about."""
        return str(self._data.get("target_id", ""))

    @property
    def target(self) -> discord.Message | None:
        """The message itself, as Discord shows it to the person."""
        found = self._data.get("resolved", {}).get("messages", {}).get(self.target_id)
        if found is None:
            return None
        channel: Any = self.interaction.channel
        return discord.Message(state=self.interaction._state, channel=channel, data=found)

    @property
    def written(self) -> str:
        """What was written into the form's one field."""
        return next(_values(self._data.get("components", ())), "").strip()

    def option(self, name: str) -> str:
        """Give what was typed for a command's option, "" for nothing."""
        given = {option["name"]: option.get("value") for option in self._data.get("options", ())}
        return str(given.get(name) or "")

    def say(self, words: Words, key: str, **values: object) -> str:
        """Say a text of ours in the person's language."""
        return words.say(key, self.locale, **values)

    def request(self, wish: Wish, value: str = "", message_id: str = "", reason: str = "") -> Request:
        """Say it as a wish."""
        moderator, asked_at = self.interaction.permissions.manage_messages, self.interaction.created_at
        place = self.place.channel
        return Request(wish, self.person, place, message_id, value, reason, moderator, asked_at=asked_at)


def _values(components: Any) -> Iterator[str]:
    for part in components:
        if "value" in part:
            yield str(part["value"] or "")
        within = [part["component"]] if "component" in part else part.get("components", ())
        yield from _values(within)
