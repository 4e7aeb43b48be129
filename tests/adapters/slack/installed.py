"""An app that workspaces install: its record in memory, and its pages at an address."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import count

from starlette.responses import HTMLResponse

from bot.adapters.slack import AppIdentity, Installing, SlackAdapter
from bot.dialogue import Installation
from bot.errors import TokenRefused
from tests.doubles.slack import SlackDouble
from tests.doubles.slack_teams import CLIENT_ID, CLIENT_SECRET, Team
from tests.fakes import FakeWords


class FakeInstallations:
    """A record that reads its tokens without any key; `error` is raised instead while it is set."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[Installation, datetime]] = {}
        self.found = 0
        self.error: Exception | None = None
        self.unreadable: set[str] = set()
        self._states: set[str] = set()
        self._numbers = count(1)

    def invite(self) -> str:
        state = f"state-{next(self._numbers)}"
        self._states.add(state)
        return state

    async def admit(self, state: str) -> bool:
        if state not in self._states:
            return False
        self._states.discard(state)
        return True

    async def keep(self, installation: Installation) -> None:
        self._fail()
        self.kept[installation.workspace] = (installation, datetime.now(UTC))

    async def find(self, workspace: str) -> Installation | None:
        self._fail()
        self.found += 1
        if workspace in self.unreadable:
            raise TokenRefused("encrypted with another key")
        kept = self.kept.get(workspace)
        return kept[0] if kept else None

    async def workspaces(self) -> Sequence[tuple[str, str]]:
        self._fail()
        return [(workspace, kept.name) for workspace, (kept, _) in self.kept.items()]

    async def remove(self, workspace: str, at: datetime) -> bool:
        self._fail()
        kept = self.kept.get(workspace)
        if kept is not None and kept[1] <= at:
            del self.kept[workspace]
        return workspace not in self.kept

    async def close_anew(self) -> int:
        return 0

    def _fail(self) -> None:
        if self.error is not None:
            raise self.error


def leaf(accept: str, name: str, href: str = "", status: int = 200, **values: str) -> HTMLResponse:
    """Write a page that says what it was asked to say."""
    told = "".join(f" {key}={value}" for key, value in sorted(values.items()))
    return HTMLResponse(f"[{name}{told}] {href}", status)


def an_app(
    slack: SlackDouble,
    record: FakeInstallations,
    address: str = "http://bot.example",
    secret: str = CLIENT_SECRET,
) -> SlackAdapter:
    """Make an adapter that serves whoever installs it, heard over a socket."""
    installing = Installing(AppIdentity(CLIENT_ID, secret, address), record, leaf)
    return SlackAdapter("", slack.app_token, slack.api_url, FakeWords(), pace=0.05, installing=installing)


def installed(team: Team, token: str) -> Installation:
    """Let a workspace of the double have the app, with this token."""
    team.token, team.gone = token, ""
    return Installation(team.id, team.name, token, "U0BOT", "B0BOT", "frontdesk")
