"""Settings, read once from the environment, `.env` and `bot.toml`; a wrong value is one clear line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from platformdirs import user_data_path
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from bot.errors import SettingError

PERSONA = (
    "You are Frontdesk, a helpful teammate. Be accurate, brief and friendly. "
    "Say so when you do not know something; never invent facts, links or sources."
)


def _split(value: object) -> object:
    """Read `a, b` as a list, since nobody wants to write JSON in an environment variable."""
    if isinstance(value, str) and not value.lstrip().startswith("["):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _blank_is_absent(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


def _data_dir() -> Path:
    """Choose where data lies; root's own folders are closed to the user that Postgres has to run as."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return Path("/var/lib/frontdesk")
    return user_data_path("frontdesk")


Names = Annotated[frozenset[str], NoDecode, BeforeValidator(_split)]
Secret = Annotated[SecretStr | None, BeforeValidator(_blank_is_absent)]
Text = Annotated[str | None, BeforeValidator(_blank_is_absent)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Access(_Section):
    """Who is heard: an empty allow list allows all; a block list wins over an allow list."""

    allow_users: Names = frozenset()
    allow_roles: Names = frozenset()
    allow_channels: Names = frozenset()
    block_users: Names = frozenset()
    block_roles: Names = frozenset()
    block_channels: Names = frozenset()


class SlackSettings(Access):
    """Slack by Socket Mode: both tokens or neither."""

    bot_token: Secret = None
    app_token: Secret = None
    api_url: str = "https://slack.com/api/"


class DiscordSettings(Access):
    """Discord."""

    token: Secret = None
    api_url: str = "https://discord.com/api/v10"


class ModelChoice(_Section):
    """One model behind an OpenAI-compatible server."""

    base_url: Text = None
    api_key: Secret = None
    name: Text = None
    context_tokens: int = Field(default=16_384, ge=512)
    answer_tokens: int = Field(default=1_024, ge=16)


class ModelSettings(ModelChoice):
    """The model that answers, and those tried in order when it fails."""

    path: Annotated[Path | None, BeforeValidator(_blank_is_absent)] = None
    fallbacks: tuple[ModelChoice, ...] = ()
    daily_tokens: int = Field(default=2_000_000, ge=0)
    first_token_seconds: float = Field(default=60.0, gt=0)
    next_token_seconds: float = Field(default=30.0, gt=0)

    @property
    def hosted(self) -> bool:
        """Whether a server answers; otherwise the small model on board does."""
        return self.path is None and bool(self.base_url or self.api_key)


class WebSettings(_Section):
    """The web console."""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65_535)
    token: Secret = None


class LogSettings(_Section):
    """How log lines look."""

    format: Literal["console", "json"] = "console"


class Settings(BaseSettings):
    """All settings, a section a room: `BOT_SLACK__BOT_TOKEN` is `slack.bot_token`."""

    model_config = SettingsConfigDict(
        env_prefix="BOT_",
        env_nested_delimiter="__",
        env_file=".env",
        env_file_encoding="utf-8",
        toml_file="bot.toml",
        frozen=True,
        extra="ignore",
    )

    database_url: Text = None
    data_dir: Path = Field(default_factory=_data_dir)
    persona: str = PERSONA
    slack: SlackSettings = SlackSettings()
    discord: DiscordSettings = DiscordSettings()
    model: ModelSettings = ModelSettings()
    web: WebSettings = WebSettings()
    log: LogSettings = LogSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over `.env`, and that over `bot.toml`."""
        return init_settings, env_settings, dotenv_settings, TomlConfigSettingsSource(settings_cls)


def read_settings(**given: Any) -> Settings:
    """
    Read and check all settings.

    Raises `SettingError` with one line a wrong setting. `OPENAI_API_KEY` and `OPENAI_BASE_URL` stand in
    where neither `BOT_MODEL__…` nor a model file is set.
    """
    try:
        settings = Settings(**given)
    except ValidationError as error:
        raise SettingError("\n".join(_line(item) for item in error.errors())) from None
    except (SettingsError, ValueError) as error:
        raise SettingError(f"bot.toml or the environment cannot be read: {error}") from None
    _check_slack(settings.slack)
    return _with_openai_names(settings)


def _line(item: Any) -> str:
    name = "BOT_" + "__".join(str(part).upper() for part in item["loc"])
    shown = "" if "token" in name.lower() or "key" in name.lower() else f" (it is {item.get('input')!r})"
    return f"{name}: {item['msg']}{shown}"


def _check_slack(slack: SlackSettings) -> None:
    if (slack.bot_token is None) != (slack.app_token is None):
        missing = "BOT_SLACK__APP_TOKEN" if slack.app_token is None else "BOT_SLACK__BOT_TOKEN"
        raise SettingError(
            f"{missing}: missing; Slack needs both its tokens (see README, Slack in five steps)"
        )


def _with_openai_names(settings: Settings) -> Settings:
    model = settings.model
    if model.path is not None or model.hosted:
        key, url = model.api_key, model.base_url
        if model.base_url is None or model.api_key is not None:
            return settings
    else:
        key, url = None, None
    found_key = os.environ.get("OPENAI_API_KEY", "").strip()
    found_url = os.environ.get("OPENAI_BASE_URL", "").strip()
    if not (found_key or found_url):
        return settings
    changed = {
        "api_key": key or (SecretStr(found_key) if found_key else None),
        "base_url": url or found_url or None,
    }
    return settings.model_copy(update={"model": model.model_copy(update=changed)})
