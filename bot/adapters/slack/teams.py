"""The workspaces that the bot serves: each with its own token, and all that is known of it for a while."""

from __future__ import annotations

import asyncio
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

import structlog

from bot.adapters.slack.budgets import Budgets
from bot.adapters.slack.groups import Groups
from bot.adapters.slack.links import LinkReader
from bot.adapters.slack.names import Names
from bot.adapters.slack.people import People
from bot.adapters.slack.reading import Me
from bot.adapters.slack.status import Sessions
from bot.adapters.slack.web import Web
from bot.dialogue import Installation
from bot.errors import PlatformDown, PlatformError, PostRefused

log = structlog.get_logger()

FRESH_SECONDS = 30.0  # how long another process' change of an installation may go unseen
TEAMS = 20_000  # all of them are watched for gaps: one that is forgotten would begin anew


class NotInstalled(PostRefused):
    """The workspace has no installation: nothing can be said there."""

    def __init__(self, workspace: str) -> None:
        """Tell which workspace it is."""
        super().__init__(f"the bot is not installed in the workspace {workspace}; /slack/install does that")


class Team:
    """One workspace. Nothing of what it holds, from the token to the budgets, is any other's."""

    def __init__(
        self, web: Web, roles: bool, me: Me | None = None, share: Callable[[], int] = lambda: 1
    ) -> None:
        """
        `roles` says that somebody looks at authors' groups; who the bot is may be known already.

        `share` says among how many processes the workspace's rates are divided.
        """
        self.web = web
        self.budgets = Budgets(share)
        self.names = Names(web)
        self.groups = Groups(web) if roles else None
        self.sessions = Sessions(web, self.budgets)
        self.links = LinkReader(web, self.names)
        self.known_me = me
        if me is not None:
            web.bot_name = me.name

    async def me(self) -> Me:
        """Say who the bot is there; asks Slack the first time."""
        if self.known_me is None:
            answer = await self.web.read("auth.test")
            self.known_me = Me(
                user_id=str(answer.get("user_id") or ""),
                bot_id=str(answer.get("bot_id") or ""),
                team_id=str(answer.get("team_id") or ""),
                name=str(answer.get("user") or "bot"),
                url=str(answer.get("url") or ""),
            )
            self.web.bot_name = self.known_me.name
        return self.known_me

    async def people(self) -> People:
        """Give the people of the workspace."""
        return People(self.names, await self.me(), self.groups)


class Teams(Protocol):
    """Finds the workspace that an event or a question belongs to."""

    async def ready(self) -> None:
        """Wait until events can be heard; raises `TokenRefused` where that will never be."""
        ...

    async def of(self, workspace: str) -> Team:
        """Find a workspace; raises `NotInstalled` where the bot has no token there."""
        ...

    async def anew(self, workspace: str) -> Team:
        """Find it as `of` does, but trust nothing that is remembered: its token was refused."""
        ...

    async def all(self) -> Sequence[Team]:
        """Find all workspaces; one whose token cannot be read is left out, with a line in the log."""
        ...

    def remembered(self, workspace: str) -> Team | None:
        """Find a workspace without asking anybody."""
        ...

    async def removed(self, workspace: str, at: datetime) -> bool:
        """Hear that the bot was removed at that moment; False where it has been installed anew since."""
        ...

    async def close(self) -> None:
        """Let what was put off be done, for a moment."""
        ...


class OneTeam:
    """The single workspace of a token that stands in the settings."""

    def __init__(self, web: Web, roles: bool, share: Callable[[], int] = lambda: 1) -> None:
        """Whatever workspace is asked for, it is this one."""
        self._team = Team(web, roles, share=share)

    async def ready(self) -> None:
        """Ask who the bot is until Slack answers."""
        pause = 1.0
        while True:
            try:
                await self._team.me()
            except PlatformDown as error:
                log.warning("slack_not_reached", error=str(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, 30.0)
            else:
                return

    async def of(self, workspace: str) -> Team:
        """Give the one there is."""
        return self._team

    async def anew(self, workspace: str) -> Team:
        """Give the one there is: another token needs another start."""
        return self._team

    async def all(self) -> Sequence[Team]:
        """Give the one there is."""
        return [self._team]

    def remembered(self, workspace: str) -> Team | None:
        """Give the one there is."""
        return self._team

    async def removed(self, workspace: str, at: datetime) -> bool:
        """Take its word for it."""
        return True

    async def close(self) -> None:
        """Let what was put off be done, for a moment."""
        await self._team.sessions.close()


class Installations(Protocol):
    """The record of where the bot is installed."""

    async def find(self, workspace: str) -> Installation | None:
        """Find a workspace's installation; raises `TokenRefused` where its token cannot be read."""
        ...

    async def workspaces(self) -> Sequence[tuple[str, str]]:
        """List the ids and the names of the workspaces."""
        ...

    async def remove(self, workspace: str, at: datetime) -> bool:
        """Remove what was installed before that moment; False where it was installed anew since."""
        ...

    async def close_anew(self) -> int:
        """Encrypt all tokens with the newest key."""
        ...


class InstalledTeams:
    """
    The workspaces that installed the app by OAuth.

    What the record says of one is trusted for half a minute; then, or where its token was refused, it is read
    again. A workspace whose token is the same keeps its budgets and its names.
    """

    def __init__(
        self, web: Web, installations: Installations, roles: bool, share: Callable[[], int] = lambda: 1
    ) -> None:
        """`web` lends its connections to the workspaces' own."""
        self._share = share
        self._web = web
        self._installations = installations
        self._roles = roles
        self._teams: OrderedDict[str, tuple[Installation, Team, float]] = OrderedDict()
        self._locks: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

    async def ready(self) -> None:
        """Have tokens that an older key encrypted encrypted by the newest."""
        await self._installations.close_anew()

    async def of(self, workspace: str) -> Team:
        """Find a workspace's team."""
        async with self._lock(workspace):
            known = self._teams.get(workspace)
            if known is not None and _now() < known[2]:
                self._teams.move_to_end(workspace)
                return known[1]
            return await self._read(workspace)

    async def anew(self, workspace: str) -> Team:
        """Read the record, however fresh what is remembered may be."""
        async with self._lock(workspace):
            return await self._read(workspace)

    async def all(self) -> Sequence[Team]:
        """Find every workspace's team that there is a token for."""
        found = []
        for workspace, _ in await self._installations.workspaces():
            try:
                found.append(await self.of(workspace))
            except PlatformError as error:
                log.warning("slack_workspace_left_out", workspace=workspace, reason=str(error))
        return found

    def remembered(self, workspace: str) -> Team | None:
        """Find a workspace's team without a look at the record."""
        known = self._teams.get(workspace)
        return known[1] if known is not None else None

    async def removed(self, workspace: str, at: datetime) -> bool:
        """Remove the installation, unless it is newer than that."""
        removed = await self._installations.remove(workspace, at)
        if removed:
            self._forget(workspace)
        return removed

    async def close(self) -> None:
        """Let what was put off in each be done, for a moment."""
        await asyncio.gather(*(team.sessions.close() for _, team, _ in self._teams.values()))

    async def _read(self, workspace: str) -> Team:
        found = await self._installations.find(workspace)
        if found is None:
            self._forget(workspace)
            raise NotInstalled(workspace)
        known = self._teams.pop(workspace, None)
        team = known[1] if known is not None and known[0] == found else self._made(found)
        self._teams[workspace] = (found, team, _now() + FRESH_SECONDS)
        while len(self._teams) > TEAMS:
            self._teams.popitem(last=False)
        return team

    def _made(self, found: Installation) -> Team:
        web = self._web.with_token(
            found.token, f"the token of the workspace {found.workspace} ({found.name})"
        )
        me = Me(found.user_id, found.bot_id, found.workspace, found.bot_name, found.url)
        return Team(web, self._roles, me, self._share)

    def _forget(self, workspace: str) -> None:
        self._teams.pop(workspace, None)

    def _lock(self, workspace: str) -> asyncio.Lock:
        """Have many who ask at once read the record once."""
        lock = self._locks.get(workspace)
        if lock is None:
            lock = self._locks[workspace] = asyncio.Lock()
        return lock


def _now() -> float:
    return asyncio.get_running_loop().time()
