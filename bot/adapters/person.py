"""Who sits at this machine: their name, time zone and language, as the system tells them."""

from __future__ import annotations

import getpass
import re
from collections.abc import Mapping
from pathlib import Path
from zoneinfo import available_timezones

from bot.dialogue import Author

_LOCALE = re.compile(r"([a-z]{2,3})(?:_([A-Z]{2}))?(?:\..*|@.*)?")


def person_here(environment: Mapping[str, str], clock: Path = Path("/etc/localtime")) -> Author:
    """Read the person from the environment; `clock` is the link that names the time zone."""
    name = _user()
    return Author(name, name, time_zone=_time_zone(environment, clock), locale=language_here(environment))


def language_here(environment: Mapping[str, str]) -> str:
    """Say the language as a BCP 47 tag, by the variables and in the order that POSIX gives; "en" for C."""
    names = (environment.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    match = _LOCALE.fullmatch(next(filter(None, names), ""))
    if match is None:
        return "en"
    return "-".join(part for part in match.groups() if part)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have a number and no name
        return "local"


def _time_zone(environment: Mapping[str, str], clock: Path) -> str:
    linked = str(clock.resolve()).rpartition("/zoneinfo/")[2] if clock.is_symlink() else ""
    name = environment.get("TZ", "").lstrip(":") or linked
    return name if name in available_timezones() else ""
