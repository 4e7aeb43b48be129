"""What a process does: which doors it opens."""

from __future__ import annotations

from enum import StrEnum

from bot.errors import SettingError


class Role(StrEnum):
    """One part of the work; `docs/decisions/0008-many-processes.md` says what each does."""

    GATEWAY = "gateway"
    WORKER = "worker"
    WEB = "web"


ALL = frozenset(Role)
_ALL = "all"


def read_roles(words: str) -> frozenset[Role]:
    """Read roles parted by commas, or "all"; raises `SettingError` for what is none."""
    names = [word.strip().lower() for word in words.split(",")]
    if _ALL in names:
        return ALL
    known = ", ".join([_ALL, *Role])
    wrong = [name for name in names if name not in set(Role)]
    if wrong:
        raise SettingError(
            f"--role: there is no role {wrong[0]!r}; those there are: {known}, or several by commas"
        )
    return frozenset(Role(name) for name in names)
