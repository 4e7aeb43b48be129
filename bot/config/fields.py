"""What settings are made of: names by commas, secrets, addresses, paths; blank means absent."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, SecretStr
from pydantic_settings import NoDecode


def _split(value: object) -> object:
    """Read `a, b` as a list, since nobody wants to write JSON in an environment variable."""
    if isinstance(value, str):
        parts = (part.strip(" \t[]\"'") for part in value.split(","))
        return [part for part in parts if part]
    return value


def _address(value: str | None) -> str | None:
    if value is not None and not value.startswith(("http://", "https://")):
        raise ValueError("an address beginning with http:// or https:// is needed")
    return value


def _proxy(value: str | None) -> str | None:
    if value is not None and value != "none" and not value.startswith(("http://", "https://")):
        raise ValueError('an address beginning with http:// or https:// is needed, or "none"')
    return value


def _whole_path(value: Path | None) -> Path | None:
    return value.expanduser().absolute() if value is not None else None


def _blank_is_absent(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


Names = Annotated[frozenset[str], NoDecode, BeforeValidator(_split)]
Secret = Annotated[SecretStr | None, BeforeValidator(_blank_is_absent)]
Text = Annotated[str | None, BeforeValidator(_blank_is_absent)]
Address = Annotated[str, AfterValidator(_address)]
MaybeAddress = Annotated[str | None, BeforeValidator(_blank_is_absent), AfterValidator(_address)]
Proxy = Annotated[Text, AfterValidator(_proxy)]
WholePath = Annotated[Path, AfterValidator(_whole_path)]
MaybePath = Annotated[Path | None, BeforeValidator(_blank_is_absent), AfterValidator(_whole_path)]


class Section(BaseModel):
    """A part of the settings; what it does not know is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")
