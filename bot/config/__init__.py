"""Settings, read once from the environment, `.env` and `bot.toml`; a wrong value is one clear line."""

from bot.config.model import ModelChoice, ModelSettings
from bot.config.seeing import MetricsSettings, TracesSettings
from bot.config.settings import (
    PERSONA,
    Access,
    DiscordSettings,
    LogSettings,
    Settings,
    SlackSettings,
    WebSettings,
    read_settings,
)

__all__ = [
    "PERSONA",
    "Access",
    "DiscordSettings",
    "LogSettings",
    "MetricsSettings",
    "ModelChoice",
    "ModelSettings",
    "Settings",
    "SlackSettings",
    "TracesSettings",
    "WebSettings",
    "read_settings",
]
