"""Slack's two doors: what is heard, and what is said."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial

from starlette.types import ASGIApp

from bot.adapters.pieces import Cutter
from bot.adapters.posting import clear_away, post_and_edit
from bot.adapters.presence import Presence
from bot.adapters.slack.absences import SOCKET, Absences, Connections
from bot.adapters.slack.buttons import buttons
from bot.adapters.slack.catching_up import Together
from bot.adapters.slack.check import look, look_at_delivery
from bot.adapters.slack.check_teams import look_at_app, look_at_teams
from bot.adapters.slack.files import fetch_file
from bot.adapters.slack.history import read_history
from bot.adapters.slack.install import INSTALL, Installing, InstallPages
from bot.adapters.slack.listen import Listener
from bot.adapters.slack.messages import Messages
from bot.adapters.slack.posting import SlackPost
from bot.adapters.slack.seated import serve_seated, until_one_ends
from bot.adapters.slack.signed import PATH, SignedRequests
from bot.adapters.slack.socket import serve
from bot.adapters.slack.status import AT_ONCE_SECONDS, Status
from bot.adapters.slack.teams import InstalledTeams, OneTeam, Team, Teams
from bot.adapters.slack.web import Web
from bot.adapters.slack.whispers import Whispers
from bot.adapters.slack.writing import measure
from bot.dialogue import Channel, File, Finding, Linked, Message, Piece, Platform
from bot.ports import Door, Receipts, Tell, Words

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
        installing: Installing | None = None,
        retried: Callable[[], None] = lambda: None,
        together: Together | None = None,
        share: Callable[[], int] = lambda: 1,
    ) -> None:
        """
        Without `app_token` Slack delivers over HTTP, signed by `signing_secret`.

        `pace` is the seconds between two looks of a growing message. `roles` says that somebody looks at
        authors' roles, which are user groups here and need a scope. All goes through `proxy`, if any. With
        `installing` workspaces install the app by themselves, and there is no `bot_token`. `retried` is told
        of each call for a post that is made once more. Alone, without `together`, it catches up on nothing.
        `share` says among how many processes a workspace's rates are divided.
        """
        self._web = Web(bot_token, api_url, proxy)
        self._app_token = app_token
        self._signed = SignedRequests(signing_secret) if signing_secret and not app_token else None
        self._words = words
        self._pace = pace
        self._roles = roles
        self._installing = installing
        self.teams: Teams = OneTeam(self._web, roles, share)
        if installing is not None:
            self.teams = InstalledTeams(self._web, installing.record, roles, share)
        self._presence = Presence()
        self._retried = retried
        self._together = together

    @property
    def routes(self) -> Mapping[str, ASGIApp]:
        """What Slack delivers to over HTTP, by path; nothing in Socket Mode."""
        return {PATH: self._signed} if self._signed is not None else {}

    @property
    def pages(self) -> Mapping[str, ASGIApp]:
        """The pages by which workspaces install the app, by path; none with a token in the settings."""
        made = self._installing
        return InstallPages(self._web, made.app, made.record, made.page).routes if made is not None else {}

    async def listen(self, door: Door) -> None:
        """Hand all that people do to the door until cancelled; raises `TokenRefused` for a wrong token."""
        if self._signed is None:
            self._presence.down(SOCKET)
        await self.teams.ready()
        gaps = Absences(self.teams, door, self._together) if self._together is not None else None
        listener = Listener(self._web, self.teams, door, self._words, gaps)
        connections = Connections(self._presence, gaps)
        if gaps is None:
            await self._hear(listener, connections)
        else:
            await until_one_ends(self._hear(listener, connections), gaps.run())

    async def _hear(self, listener: Listener, connections: Connections) -> None:
        connected = partial(serve, listener.app, self._web, self._app_token, connections)
        try:
            if self._signed is not None:
                connections.connected()  # Slack comes to us: there is none to lose
                await self._signed.serve(listener.app)
            elif self._together is not None:
                await serve_seated(connected, self._together.seats, self._together.sockets)
            else:
                await connected()
        finally:
            await listener.close()

    def cutter(self) -> Callable[[str], list[str]]:
        """Begin to cut one answer into texts that each fit one post."""
        return Cutter(POST_CHARACTERS, measure).feed

    async def send(self, question: Message, pieces: AsyncIterator[Piece], receipts: Receipts) -> None:
        """Post the pieces in the question's thread while they grow."""
        team = await self._team(question)
        poster = await self._poster(team, question, receipts)
        working = self._words.say("thinking", self._words.language_for(question))
        patience = AT_ONCE_SECONDS if receipts.fresh else 0.0
        async with Status(team.web, team.sessions, question, working, patience) as status:
            try:
                growing = status.until_text(poster.marked(pieces))
                await post_and_edit(growing, receipts, poster, self._pace)
                await poster.close()
                status.stream_ended(poster.stopped_at)
            finally:
                await poster.abandon()

    async def take_away(self, question: Message, receipts: Receipts) -> None:
        """Delete the answer's posts; no status is shown."""
        await clear_away(receipts, await self._poster(await self._team(question), question, receipts))

    async def history(self, question: Message) -> Sequence[Message]:
        """Read what stands before the question in its thread, our own posts marked as said."""
        team = await self._team(question)
        return await read_history(team.web, team.names, await team.me(), question)

    async def fetch(self, channel: Channel, file: File, most: int) -> bytes:
        """Fetch a file of at most `most` bytes with the token of its workspace."""
        return await fetch_file((await self.teams.of(channel.workspace)).web, file, most)

    async def linked(self, question: Message) -> Sequence[Linked]:
        """Read what the question links to, where everybody who reads the answer may."""
        team = await self._team(question)
        return await team.links.read(question, await team.me())

    def names(self, channel: Channel) -> Sequence[str]:
        """Say what the bot is called: by its handle, and by the name that its workspace shows."""
        team = self.teams.remembered(channel.workspace)
        me = team.known_me if team is not None else None
        return (me.name, team.names.name_of(me.user_id)) if team is not None and me is not None else ()

    def connected(self) -> bool:
        """Say whether the socket stands; where Slack delivers over HTTP, none is needed."""
        return self._presence.whole()

    def hears(self) -> bool:
        """Say whether any connection stands; one that waits for others' to become free has none."""
        return self._presence.some()

    async def check(self, tell: Tell) -> AsyncIterator[Finding]:
        """Look at the tokens, the scopes, and how Slack delivers."""
        if self._installing is None:
            looks = look(self._web, tell, roles=self._roles)
        else:
            made = self._installing
            yield await look_at_app(self._web, made.app, tell)
            looks = look_at_teams(self._web, made.record, made.app.at(INSTALL), tell, roles=self._roles)
        async for finding in looks:
            yield finding
        yield await look_at_delivery(self._web, self._app_token, tell)

    async def notice(self, question: Message, text: str) -> bool:
        """Tell the asker where only they see it, or in a direct message; False where neither is possible."""
        team = await self._team(question)
        return await Whispers(team.web).tell(question.channel, question.author.id, text)

    def spares(self, channel: Channel) -> bool:
        """Take the allowance for a post that could be left out; False where others need what is left."""
        team = self.teams.remembered(channel.workspace)
        return team is None or team.budgets.spare_post(channel.id)

    async def close(self) -> None:
        """Close the connections to the Web API."""
        await self.teams.close()
        await self._web.close()

    async def _team(self, question: Message) -> Team:
        """
        Find the question's workspace; raises `NotInstalled`, or `TokenRefused`.

        A token that was refused before is tried first: an answer that could not be posted need not be made.
        """
        workspace = question.channel.workspace
        team = await self.teams.of(workspace)
        if team.web.refused:
            team = await self.teams.anew(workspace)
            await team.web.read("auth.test")
        return team

    async def _poster(self, team: Team, question: Message, receipts: Receipts) -> SlackPost:
        messages = Messages(team.web, team.budgets, question, await team.me(), receipts, self._retried)
        under = buttons(self._words, self._words.language_for(question))
        return SlackPost(team.web, team.budgets, question, messages, receipts, under)
