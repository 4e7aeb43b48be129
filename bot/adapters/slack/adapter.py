"""Slack's two doors: what is heard, and what is said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

import structlog
from starlette.types import ASGIApp

from bot.adapters.pieces import Cutter
from bot.adapters.posting import clear_away, post_and_edit
from bot.adapters.slack.budgets import Budgets
from bot.adapters.slack.buttons import buttons
from bot.adapters.slack.check import look
from bot.adapters.slack.files import fetch_file
from bot.adapters.slack.groups import Groups
from bot.adapters.slack.history import read_history
from bot.adapters.slack.links import LinkReader
from bot.adapters.slack.listen import Listener
from bot.adapters.slack.messages import Messages
from bot.adapters.slack.names import Names
from bot.adapters.slack.people import People
from bot.adapters.slack.posting import SlackPost
from bot.adapters.slack.reading import Me
from bot.adapters.slack.signed import PATH, SignedRequests
from bot.adapters.slack.socket import serve
from bot.adapters.slack.status import AT_ONCE_SECONDS, Sessions, Status
from bot.adapters.slack.web import Web
from bot.adapters.slack.whispers import Whispers
from bot.adapters.slack.writing import measure
from bot.dialogue import Channel, File, Finding, Linked, Message, Piece, Platform
from bot.errors import PlatformDown
from bot.ports import Door, Receipts, Tell, Words

log = structlog.get_logger()

# `text` of a message fails from about 4,000 characters, `markdown_text` from 12,000; one limit for both.
POST_CHARACTERS = 3_800
PACE_SECONDS = 1.2


class SlackAdapter:
    """Slack by Socket Mode or signed HTTP, and the Web API."""

    platform = Platform.SLACK

    def __init__(
        self,
        bot_token: str,
        app_token: str,
        api_url: str,
        words: Words,
        pace: float = PACE_SECONDS,
        roles: bool = False,
        signing_secret: str = "",
        proxy: str = "",
    ) -> None:
        """
        Without `app_token` Slack delivers over HTTP to `routes`, signed by `signing_secret`.

        `pace` is the seconds between two looks of a growing message. `roles` says that somebody looks at
        authors' roles, which are user groups here and need a scope. All goes through `proxy`, if any.
        """
        self._web = Web(bot_token, api_url, proxy)
        self._app_token = app_token
        self._signed = SignedRequests(signing_secret) if signing_secret and not app_token else None
        self._words = words
        self._pace = pace
        self._names = Names(self._web)
        self._groups = Groups(self._web) if roles else None
        self.budgets = Budgets()
        self._sessions = Sessions(self._web, self.budgets)
        self._links = LinkReader(self._web, self._names)
        self._me: Me | None = None

    @property
    def routes(self) -> Mapping[str, ASGIApp]:
        """What Slack has to reach over HTTP, by path; nothing in Socket Mode."""
        return {PATH: self._signed} if self._signed is not None else {}

    async def listen(self, door: Door) -> None:
        """Hand all that people do to the door until cancelled; raises `TokenRefused` for a wrong token."""
        people = People(self._names, await self._known_me(), self._groups)
        listener = Listener(self._web, people, door, self._words)
        try:
            if self._signed is not None:
                await self._signed.serve(listener.app)
            else:
                await serve(listener.app, self._web, self._app_token)
        finally:
            await listener.close()

    def cutter(self) -> Callable[[str], list[str]]:
        """Begin to cut one answer into texts that each fit one post."""
        return Cutter(POST_CHARACTERS, measure).feed

    async def send(self, question: Message, pieces: AsyncIterator[Piece], receipts: Receipts) -> None:
        """Post the pieces in the question's thread while they grow."""
        poster = await self._poster(question, receipts)
        working = self._words.say("thinking", self._words.language_for(question))
        patience = 0.0 if receipts.again else AT_ONCE_SECONDS
        async with Status(self._web, self._sessions, question, working, patience) as status:
            try:
                growing = status.until_text(poster.marked(pieces))
                await post_and_edit(growing, receipts, poster, self._pace)
                await poster.close()
                status.stream_ended(poster.stopped_at)
            finally:
                await poster.abandon()

    async def take_away(self, question: Message, receipts: Receipts) -> None:
        """Delete the answer's posts; no status is shown."""
        await clear_away(receipts, await self._poster(question, receipts))

    async def history(self, question: Message) -> Sequence[Message]:
        """Read what stands before the question in its thread, our own posts marked as said."""
        return await read_history(self._web, self._names, await self._ask_me(), question)

    async def fetch(self, file: File, most: int) -> bytes:
        """Fetch a file of at most `most` bytes."""
        return await fetch_file(self._web, file, most)

    async def linked(self, question: Message) -> Sequence[Linked]:
        """Read what the question links to, where everybody who reads the answer may."""
        return await self._links.read(question, await self._ask_me())

    def names(self, channel: Channel) -> Sequence[str]:
        """Say what the bot is called: by its handle, and by the name that its workspace shows."""
        return (self._me.name, self._names.name_of(self._me.user_id)) if self._me else ()

    async def check(self, tell: Tell) -> AsyncIterator[Finding]:
        """Look at the tokens, the scopes, and how Slack delivers."""
        async for finding in look(self._web, self._app_token, tell, roles=self._groups is not None):
            yield finding

    async def notice(self, question: Message, text: str) -> bool:
        """Tell the asker where only they see it, or in a direct message; False where neither is possible."""
        return await Whispers(self._web).tell(question.channel, question.author.id, text)

    async def close(self) -> None:
        """Close the connections to the Web API."""
        await self._sessions.close()
        await self._web.close()

    async def _poster(self, question: Message, receipts: Receipts) -> SlackPost:
        messages = Messages(self._web, self.budgets, question, await self._ask_me(), receipts)
        under = buttons(self._words, self._words.language_for(question))
        return SlackPost(self._web, self.budgets, question, messages, receipts, under)

    async def _ask_me(self) -> Me:
        if self._me is None:
            answer = await self._web.read("auth.test")
            self._me = Me(
                user_id=str(answer.get("user_id") or ""),
                bot_id=str(answer.get("bot_id") or ""),
                team_id=str(answer.get("team_id") or ""),
                name=str(answer.get("user") or "bot"),
                url=str(answer.get("url") or ""),
            )
            self._web.bot_name = self._me.name
        return self._me

    async def _known_me(self) -> Me:
        """Ask who the bot is until Slack answers."""
        pause = 1.0
        while True:
            try:
                return await self._ask_me()
            except PlatformDown as error:
                log.warning("slack_not_reached", error=str(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, 30.0)
