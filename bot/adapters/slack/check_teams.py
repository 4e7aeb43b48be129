"""What `bot doctor` looks at where workspaces install the app by themselves: the app, and each of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from bot.adapters.slack.check import missing_scopes, needed_scopes
from bot.adapters.slack.install import REDIRECT, AppIdentity
from bot.adapters.slack.web import Refused, Web
from bot.dialogue import Finding, Installation
from bot.errors import PlatformError, StoreError, TokenRefused
from bot.ports import Tell

_AT_ONCE = 8
_WRONG_APP = frozenset({"invalid_client_id", "bad_client_secret", "invalid_client"})


class Listed(Protocol):
    """The record of where the bot is installed."""

    async def workspaces(self) -> Sequence[tuple[str, str]]:
        """List the ids and the names of the workspaces."""
        ...

    async def find(self, workspace: str) -> Installation | None:
        """Find one's installation; raises `TokenRefused` where its token cannot be read."""
        ...


async def look_at_app(web: Web, app: AppIdentity, tell: Tell) -> Finding:
    """Look whether Slack knows the app and its secret: it says so of a code that is none."""
    subject, address = tell("check-slack-app"), app.at(REDIRECT)
    well = Finding(subject, True, tell("check-slack-app-well"))
    try:
        await web.redeem("none", app.client_id, app.client_secret, address)
    except Refused as error:
        if error.code in _WRONG_APP:
            return Finding(subject, False, str(error), tell("check-slack-app-cure"))
        if error.code == "bad_redirect_uri":
            return Finding(subject, False, str(error), tell("check-slack-redirect-cure", address=address))
    except PlatformError as error:
        return Finding(subject, False, str(error), tell("check-slack-away-cure"))
    return well


async def look_at_teams(
    web: Web, record: Listed, address: str, tell: Tell, *, roles: bool = False
) -> AsyncIterator[Finding]:
    """
    Look at each workspace that installed the app, some at once; raises nothing.

    At `address` a workspace installs it, and does so again where something is missing.
    """
    subject = tell("check-slack-teams")
    try:
        found = await record.workspaces()
    except StoreError as error:
        yield Finding(subject, False, str(error), tell("doctor-database-cure"))
        return
    if not found:
        yield Finding(subject, True, tell("check-slack-teams-none", address=address))
        return
    yield Finding(subject, True, tell("check-slack-teams-well", count=len(found)))
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(workspace: str, name: str) -> Finding:
        async with gate:
            return await _team(web, record, workspace, f"Slack · {name} ({workspace})", address, tell, roles)

    looks = [asyncio.create_task(one(*team)) for team in found]
    try:
        for looking in looks:
            yield await looking
    finally:
        for looking in looks:
            looking.cancel()


async def _team(
    web: Web, record: Listed, workspace: str, subject: str, address: str, tell: Tell, roles: bool
) -> Finding:
    cure = tell("check-slack-team-cure", address=address)
    try:
        installation = await record.find(workspace)
        if installation is None:
            return Finding(subject, True, tell("check-slack-team-gone"))
        answer = await web.with_token(installation.token, subject).read("auth.test")
    except TokenRefused as error:
        return Finding(subject, False, str(error), cure)
    except (PlatformError, StoreError) as error:
        return Finding(subject, False, str(error), tell("check-slack-away-cure"))
    missing = missing_scopes(answer, needed_scopes(roles))
    if missing:
        return Finding(subject, False, tell("check-slack-team-scopes", scopes=", ".join(missing)), cure)
    return Finding(subject, True, f"@{answer.get('user')} · {answer.get('team')}")
