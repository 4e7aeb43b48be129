"""Builds what it takes that workspaces install the bot by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.app.ground import Ground
from bot.config import Settings
from bot.dialogue import Platform

if TYPE_CHECKING:  # loaded where it is used
    from bot.adapters.slack import Installing


def installing(settings: Settings, ground: Ground) -> Installing | None:
    """
    Make it, or None where Slack is used by the token of one workspace, or not at all.

    Raises `SettingError` for a key that is none.
    """
    slack, web, key = settings.slack, settings.web, settings.secrets.key
    if slack.client_id is None or slack.client_secret is None or web.public_url is None or key is None:
        return None
    from bot.adapters.slack import AppIdentity, Installing
    from bot.memory.installations import Installations
    from bot.memory.sealing import Seal, read_keys
    from bot.web.leaves import Leaves

    app = AppIdentity(slack.client_id, slack.client_secret.get_secret_value(), web.public_url)
    seal = Seal(read_keys(key.get_secret_value()))
    record = Installations(ground.database, Platform.SLACK, seal)
    return Installing(app, record, Leaves(ground.words))
