"""Tries settings that were just typed, before anything is written down."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from bot.adapters.person import language_here
from bot.app.parts import discord_adapter, hosted_backends, on_board_backend, slack_adapter
from bot.catalogue import Catalogue
from bot.config import DiscordSettings, ModelSettings, SlackSettings
from bot.dialogue import Finding, Installation, Platform
from bot.memory.sealing import Seal, read_keys
from bot.memory.workspaces import WorkspaceSettings
from bot.web.leaves import Leaves

if TYPE_CHECKING:
    from bot.adapters.slack import Installing


async def tried(section: str, values: Mapping[str, str]) -> AsyncIterator[Finding]:
    """
    Find out whether a section's values work; `values` are by their settings' names, "" for the unset.

    Raises a `FrontdeskError` for what cannot even be tried.
    """
    given = {name.rpartition("__")[2].lower(): value for name, value in values.items() if value}
    looks = {"model": _model, "slack": _slack, "discord": _discord}
    async for finding in looks[section](given):
        yield finding


async def _model(given: Mapping[str, str]) -> AsyncIterator[Finding]:
    settings = ModelSettings.model_validate(dict(given))
    if not settings.hosted:
        async for finding in _on_board(settings):
            yield finding
        return
    for backend in hosted_backends(settings):
        try:
            async for finding in backend.check(_tell):
                yield finding
        finally:
            await backend.close()


async def _on_board(settings: ModelSettings) -> AsyncIterator[Finding]:
    """Start the model on board in a folder of its own, so that nothing is left of the try."""
    with TemporaryDirectory() as folder:
        on_board = on_board_backend(settings, Path(folder))
        try:
            await on_board.open()
            async for finding in on_board.check(_tell):
                yield finding
        finally:
            await on_board.close()


async def _slack(given: Mapping[str, str]) -> AsyncIterator[Finding]:
    beside = {"public_url", "key"}
    settings = SlackSettings.model_validate({name: given[name] for name in given if name not in beside})
    adapter = slack_adapter(settings, Catalogue(), installing=_installing(settings, given))
    if adapter is None:
        return
    async with AsyncExitStack() as stack:
        stack.push_async_callback(adapter.close)
        async for finding in adapter.check(_tell):
            yield finding


def _installing(settings: SlackSettings, given: Mapping[str, str]) -> Installing | None:
    """Make an app that no workspace has installed; raises `SettingError` for a key that is none."""
    if settings.client_id is None or settings.client_secret is None:
        return None
    from bot.adapters.slack import AppIdentity, Installing

    Seal(read_keys(given.get("key", "")))
    secret = settings.client_secret.get_secret_value()
    app = AppIdentity(settings.client_id, secret, given.get("public_url", ""))
    return Installing(app, _NoInstallations(), Leaves(Catalogue()))


async def _discord(given: Mapping[str, str]) -> AsyncIterator[Finding]:
    settings = DiscordSettings.model_validate(dict(given))
    adapter = discord_adapter(settings, _NoRecord(), Catalogue(), _NoRecord())
    if adapter is None:
        return
    async with AsyncExitStack() as stack:
        stack.push_async_callback(adapter.close)
        async for finding in adapter.check(_tell):
            yield finding


def _tell(key: str, **values: object) -> str:
    return Catalogue().say(key, language_here(os.environ), **values)


class _NoInstallations:
    """A record of installations without any."""

    def invite(self) -> str:
        """Invite nobody."""
        return ""

    async def admit(self, state: str) -> bool:
        """Admit nobody."""
        return False

    async def keep(self, installation: Installation) -> None:
        """Keep none."""

    async def find(self, workspace: str) -> Installation | None:
        """Find none."""
        return None

    async def workspaces(self) -> Sequence[tuple[str, str]]:
        """List none."""
        return ()

    async def remove(self, workspace: str, at: datetime) -> bool:
        """Remove none."""
        return True

    async def close_anew(self) -> int:
        """Encrypt none."""
        return 0


class _NoRecord:
    """A record that knows of nothing: while a token is tried, nothing is listened to."""

    async def newest(self, workspace: str) -> Mapping[str, str]:
        """Tell of no message."""
        return {}

    async def settings(self, platform: Platform, workspace: str) -> WorkspaceSettings:
        """Tell of no choice."""
        return WorkspaceSettings()

    async def change(
        self, platform: Platform, workspace: str, *, answers: str | None = None, language: str | None = None
    ) -> WorkspaceSettings:
        """Keep no choice."""
        return WorkspaceSettings()
