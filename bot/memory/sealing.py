"""Encrypts what may not lie readable in the database, and makes marks that only we can have made."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from bot.errors import SettingError

_MARK = b"mark:"
_SECRET = b"secret:"


def new_key() -> str:
    """Make a key for `BOT_SECRETS__KEY`."""
    return Fernet.generate_key().decode()


def read_keys(text: str) -> list[str]:
    """Read keys that are parted by commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


class Seal:
    """
    Fernet with several keys: the first one encrypts, all of them decrypt.

    So a key is changed by putting the new one in front; the old one may go once all was encrypted anew.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        """Raises `SettingError` for a key that is none."""
        try:
            made = [Fernet(key) for key in keys]
            self._all = MultiFernet(made)
        except ValueError:
            raise SettingError(
                "BOT_SECRETS__KEY: a key is 32 bytes in URL-safe base64, several are parted by commas; "
                "`bot key` makes one"
            ) from None
        self._first = made[0]

    def close(self, secret: str) -> str:
        """Encrypt a secret."""
        return self._first.encrypt(_SECRET + secret.encode()).decode()

    def open(self, closed: str) -> str | None:
        """Decrypt a secret; None where none of the keys closed it."""
        return _opened(self._all, closed)

    def is_old(self, closed: str) -> bool:
        """Say whether it can be opened, but not by the key that closes now."""
        return _opened(self._first, closed) is None and self.open(closed) is not None

    def mark(self) -> str:
        """Make a mark that nobody can guess or make but who has the key; it knows its own moment."""
        return self._first.encrypt(_MARK + secrets.token_hex(16).encode()).decode().rstrip("=")

    def read_mark(self, mark: str, seconds: int) -> str | None:
        """
        Read the number of a mark that we made within the last so many seconds; None for any other.

        One mark can be written in several ways, for base64 is lenient; they all have the same number.
        """
        try:
            padded = mark.encode("ascii") + b"=" * (-len(mark) % 4)
            told = self._all.decrypt(padded, ttl=seconds)
        except (InvalidToken, ValueError):
            return None
        return told.removeprefix(_MARK).decode() if told.startswith(_MARK) else None


def _opened(fernet: Fernet | MultiFernet, closed: str) -> str | None:
    try:
        told = fernet.decrypt(closed.encode())
    except InvalidToken:
        return None
    return told.removeprefix(_SECRET).decode() if told.startswith(_SECRET) else None
