"""What is asked for: the model, Slack, Discord, and the ways to have each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Kind(StrEnum):
    """What an answer has to be."""

    TEXT = "text"
    HIDDEN = "hidden"
    KEY = "key"  # hidden too; one is made where none is given
    ADDRESS = "address"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Field:
    """One setting that is asked for; `question` and the ways' labels are the catalogue's keys."""

    name: str
    question: str
    kind: Kind = Kind.TEXT
    prefix: str = ""
    needed: bool = True
    default: str = ""
    lasting: bool = False  # what else depends on it, so it is not taken away with its section

    def complaint(self, value: str) -> str:
        """Return the catalogue's key for what is wrong with the answer; "" where nothing is."""
        if not value:
            return "setup-needed" if self.needed else ""
        if not value.startswith(self.prefix):
            return "setup-prefix"
        if self.kind is Kind.ADDRESS and not value.startswith(("http://", "https://")):
            return "setup-not-an-address"
        if self.kind is Kind.FILE and not Path(value).is_file():
            return "setup-no-file"
        return ""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to have it; the settings of the section that it does not ask for are removed."""

    label: str
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """
    One part of the settings.

    `first_decides`: where the first thing found is well, what was typed is right, and whatever else is wrong
    is put right elsewhere (a bot that is in no server yet).
    """

    name: str
    ways: tuple[Way, ...]
    removable: bool = True
    first_decides: bool = False

    @property
    def names(self) -> frozenset[str]:
        """Every setting that one of its ways asks for."""
        return frozenset(field.name for way in self.ways for field in way.fields)

    @property
    def lasting(self) -> frozenset[str]:
        """Those that stay where the section is taken away, or is had another way."""
        return frozenset(field.name for way in self.ways for field in way.fields if field.lasting)


_URL, _KEY, _NAME = "BOT_MODEL__BASE_URL", "BOT_MODEL__API_KEY", "BOT_MODEL__NAME"
_model_name = Field(_NAME, "setup-model-name")

MODEL = Section(
    "model",
    (
        Way("setup-model-small"),
        Way(
            "setup-model-openai",
            (
                Field(_KEY, "setup-model-key", Kind.HIDDEN),
                Field(_NAME, "setup-model-name", default="gpt-5-mini"),
            ),
        ),
        Way(
            "setup-model-server",
            (
                Field(_URL, "setup-model-address", Kind.ADDRESS),
                Field(_KEY, "setup-model-key-if-any", Kind.HIDDEN, needed=False),
                _model_name,
            ),
        ),
        Way("setup-model-file", (Field("BOT_MODEL__PATH", "setup-model-path", Kind.FILE),)),
    ),
    removable=False,
)

SLACK = Section(
    "slack",
    (
        Way(
            "setup-slack-connect",
            (
                Field("BOT_SLACK__BOT_TOKEN", "setup-slack-bot-token", Kind.HIDDEN, prefix="xoxb-"),
                Field("BOT_SLACK__APP_TOKEN", "setup-slack-app-token", Kind.HIDDEN, prefix="xapp-"),
            ),
        ),
        Way(
            "setup-slack-http",
            (
                Field("BOT_SLACK__BOT_TOKEN", "setup-slack-bot-token", Kind.HIDDEN, prefix="xoxb-"),
                Field("BOT_SLACK__SIGNING_SECRET", "setup-slack-signing-secret", Kind.HIDDEN),
            ),
        ),
        Way(
            "setup-slack-several",
            (
                Field("BOT_SLACK__CLIENT_ID", "setup-slack-client-id"),
                Field("BOT_SLACK__CLIENT_SECRET", "setup-slack-client-secret", Kind.HIDDEN),
                Field("BOT_SLACK__SIGNING_SECRET", "setup-slack-signing-secret", Kind.HIDDEN),
                Field("BOT_WEB__PUBLIC_URL", "setup-slack-public-url", Kind.ADDRESS, lasting=True),
                Field("BOT_SECRETS__KEY", "setup-slack-key", Kind.KEY, lasting=True),
            ),
        ),
    ),
)

DISCORD = Section(
    "discord",
    (
        Way(
            "setup-discord-connect",
            (Field("BOT_DISCORD__TOKEN", "setup-discord-token", Kind.HIDDEN),),
        ),
    ),
    first_decides=True,
)
