"""All sections together, how they are read, and what is said of a wrong value."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from dotenv import dotenv_values
from platformdirs import user_data_path
from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from bot.config.checks import check_slack
from bot.config.fields import Address, MaybeAddress, Names, Proxy, Secret, Section, Text, WholePath
from bot.config.model import ModelSettings
from bot.config.seeing import MetricsSettings, TracesSettings
from bot.errors import SettingError

PERSONA = (
    "You are Frontdesk, a helpful teammate. Be accurate, brief and friendly. "
    "Say so when you do not know something; never invent facts, links or sources."
)

_NEVER_SHOWN = (
    "TOKEN",
    "KEY",
    "SECRET",
    "URL",
    "PROXY",
    "ENDPOINT",
    "FALLBACKS",
)  # a wrong value may be a secret all the same


def _postgres(value: str | None) -> str | None:
    if value is not None and not value.startswith(("postgresql", "postgres:")):
        raise ValueError("an address beginning with postgresql:// is needed")
    return value


def _data_dir() -> Path:
    """Choose where data lies; root's own folders are closed to the user that Postgres has to run as."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return Path("/var/lib/frontdesk")
    return user_data_path("frontdesk")


class Access(Section):
    """Who is heard: an empty allow list allows all; a block list wins over an allow list."""

    allow_users: Names = frozenset()
    allow_roles: Names = frozenset()
    allow_channels: Names = frozenset()
    block_users: Names = frozenset()
    block_roles: Names = frozenset()
    block_channels: Names = frozenset()


class SlackSettings(Access):
    """Slack: the bot's token or an app to install, the app-level token or the signing secret."""

    bot_token: Secret = None
    app_token: Secret = None
    signing_secret: Secret = None
    client_id: Text = None
    client_secret: Secret = None
    sockets: int = Field(default=1, ge=1, le=10)
    api_url: Address = "https://slack.com/api/"
    proxy: Proxy = None


class DiscordSettings(Access):
    """Discord."""

    token: Secret = None
    api_url: Address = "https://discord.com/api/v10"
    proxy: Proxy = None


class WebSettings(Section):
    """The web console."""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65_535)
    token: Secret = None
    public_url: MaybeAddress = None


class SecretsSettings(Section):
    """What encrypts the secrets that are kept in the database."""

    key: Secret = None


class LogSettings(Section):
    """How log lines look."""

    format: Literal["console", "json"] = "console"


class WorkSettings(Section):
    """How much one process does at once, and how it ends."""

    answers_at_once: int = Field(default=300, ge=1, le=5_000)
    grace_seconds: float = Field(default=25.0, ge=0, le=3_600)


class GapsSettings(Section):
    """How far back is fetched what people wrote while nobody listened."""

    hours: float = Field(default=24.0, ge=0, le=720)


class LimitSettings(Section):
    """How much is answered a minute; 0 is no limit."""

    person_per_minute: int = Field(default=30, ge=0, le=100_000)
    channel_per_minute: int = Field(default=120, ge=0, le=100_000)


class KeepSettings(Section):
    """How long things are kept; for `conversation_days` and `detail_days` 0 means for ever."""

    deleted_days: int = Field(default=30, ge=0, le=36_500)
    conversation_days: int = Field(default=0, ge=0, le=36_500)
    detail_days: int = Field(default=90, ge=0, le=36_500)


class Settings(BaseSettings):
    """All settings, a section a room: `BOT_SLACK__BOT_TOKEN` is `slack.bot_token`."""

    model_config = SettingsConfigDict(
        env_prefix="BOT_",
        env_nested_delimiter="__",
        env_ignore_empty=True,
        env_file=".env",
        env_file_encoding="utf-8",
        toml_file="bot.toml",
        frozen=True,
        extra="ignore",
    )

    database_url: Annotated[Text, AfterValidator(_postgres)] = None
    data_dir: WholePath = Field(default_factory=_data_dir)
    persona: str = PERSONA
    slack: SlackSettings = SlackSettings()
    discord: DiscordSettings = DiscordSettings()
    model: ModelSettings = ModelSettings()
    web: WebSettings = WebSettings()
    secrets: SecretsSettings = SecretsSettings()
    metrics: MetricsSettings = MetricsSettings()
    traces: TracesSettings = TracesSettings()
    log: LogSettings = LogSettings()
    keep: KeepSettings = KeepSettings()
    gaps: GapsSettings = GapsSettings()
    work: WorkSettings = WorkSettings()
    limits: LimitSettings = LimitSettings()

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
    except SettingsError as error:
        raise SettingError(_section_line(str(error))) from None
    except ValueError as error:
        raise SettingError(f"bot.toml or the environment cannot be read: {error}") from None
    _check_names(given.get("_env_file", ".env"))
    check_slack(settings)
    settings = _with_openai_names(settings, given.get("_env_file", ".env"))
    _check_tokens(settings.model)
    return settings


def _line(item: Any) -> str:
    name = "BOT_" + "__".join(str(part).upper() for part in item["loc"])
    text = item["msg"].removeprefix("Value error, ")
    if item["type"] == "extra_forbidden":
        return f"{name}: there is no such setting; .env.example names all"
    if name.endswith(_NEVER_SHOWN) or not isinstance(item["input"], str | int | float):
        return f"{name}: {text}"
    return f"{name}: {text} (it is {item['input']!r})"


def _section_line(text: str) -> str:
    """Say which section was set as if it were one value; the value itself may be a secret."""
    field = re.search(r'field "(\w+)"', text)
    name = f"BOT_{field[1].upper()}" if field else "The environment"
    return f"{name}: cannot be read; a section's settings are named one by one, see .env.example"


def _check_names(env_file: Any) -> None:
    """A name that is misspelt, or before its `__`, is nobody's, and would be passed over in silence."""
    known = "|".join(Settings.model_fields)
    ours = {name.upper() for name in os.environ if re.match(r"BOT_\w+?__", name, re.IGNORECASE)}
    # A single `BOT_TOKEN` or the like may be another program's in the environment, but not in our own files.
    ours |= {name.upper() for name in _written(env_file) if re.match(r"BOT_", name, re.IGNORECASE)}
    strange = sorted(
        name for name in ours if not re.fullmatch(rf"BOT_({known})(__\w+)?", name, re.IGNORECASE)
    )
    if strange:
        raise SettingError(
            "\n".join(f"{name}: there is no such setting; .env.example names all" for name in strange)
        )


def _written(env_file: Any) -> Iterator[str]:
    """Name what stands in `.env` and at the top of `bot.toml`, as the environment would."""
    yield from dotenv_values(env_file) if env_file else {}
    yield from (f"BOT_{name}" for name in TomlConfigSettingsSource(Settings)())


def _check_tokens(model: ModelSettings) -> None:
    """An answer needs less than the whole context; on board its room is half at most, whatever is set."""
    needed = "it has to be smaller than"
    if model.hosted and model.answer_tokens >= model.context_tokens:
        raise SettingError(
            f"BOT_MODEL__ANSWER_TOKENS: it is {model.answer_tokens}, and {needed} "
            f"BOT_MODEL__CONTEXT_TOKENS, which is {model.context_tokens}"
        )
    for number, choice in enumerate(model.fallbacks, 1):
        if choice.answer_tokens >= choice.context_tokens:
            raise SettingError(
                f"BOT_MODEL__FALLBACKS: answer_tokens of number {number} is {choice.answer_tokens}, and "
                f"{needed} its context_tokens, {choice.context_tokens}"
            )


def _with_openai_names(settings: Settings, env_file: Any) -> Settings:
    model = settings.model
    known = {**(dotenv_values(env_file) if env_file else {}), **os.environ}
    if model.path is not None or model.hosted:
        key, url = model.api_key, model.base_url
        if model.base_url is None or model.api_key is not None:
            return settings
    else:
        key, url = None, None
    found_key = (known.get("OPENAI_API_KEY") or "").strip()
    found_url = (known.get("OPENAI_BASE_URL") or "").strip()
    if not (found_key or found_url):
        return settings
    changed = {
        "api_key": key or (SecretStr(found_key) if found_key else None),
        "base_url": url or found_url or None,
    }
    return settings.model_copy(update={"model": model.model_copy(update=changed)})
