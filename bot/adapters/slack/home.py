"""The bot's own pages in Slack: the home tab, and the first suggestions in a direct message."""

from __future__ import annotations

from typing import Any

from bot.adapters.slack.people import People
from bot.adapters.slack.views import home_view, prompts
from bot.adapters.slack.web import Web
from bot.adapters.slack.whispers import Whispers
from bot.dialogue import Author, Channel, ChannelKind, Platform, Request, Wish
from bot.ports import Door, Words


class Home:
    """Shows each person what concerns them, in their language."""

    def __init__(self, web: Web, people: People, door: Door, words: Words) -> None:
        """The door tells what a person asked lately."""
        self._web = web
        self._people = people
        self._door = door
        self._words = words
        self._whispers = Whispers(web)
        self._suggested: dict[str, str] = {}

    async def language(self, team: str, user: str) -> str:
        """Say in which language to speak to a person: the one they chose, else that of their Slack."""
        chosen = await self._door.language(Platform.SLACK, user)
        return chosen or (await self._people.somebody(user)).author.locale or "en"

    async def show(self, team: str, user: str) -> None:
        """Publish a person's home tab."""
        chosen = await self._door.language(Platform.SLACK, user)
        author = (await self._people.somebody(user)).author
        threads = await self._door.recent(Platform.SLACK, team, user)
        language = chosen or author.locale or "en"
        view = home_view(self._words, language, chosen, author.name, threads, self._people.me.url)
        await self._web.call("views.publish", user_id=user, view=view)

    async def suggest(self, team: str, user: str, channel: str) -> None:
        """Suggest first questions in a person's direct messages, once in each language."""
        language = await self.language(team, user)
        if self._suggested.get(channel) != language:
            made: dict[str, Any] = prompts(self._words, language)
            await self._web.call("assistant.threads.setSuggestedPrompts", channel_id=channel, **made)
            self._suggested[channel] = language

    async def choose(self, team: str, user: str, language: str) -> None:
        """Keep a person's choice of a language, and show the home tab in it."""
        author: Author = (await self._people.somebody(user)).author
        place = Channel(Platform.SLACK, team, user, kind=ChannelKind.DIRECT)
        reply = await self._door.request(Request(Wish.LANGUAGE, author, place, value=language))
        if not reply.done:
            await self._whispers.tell(place, user, reply.text)
        await self.show(team, user)
