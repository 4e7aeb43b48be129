"""Reads and changes `.env`: only the lines that are meant, all at once, for the owner's eyes only."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

from dotenv.parser import Binding, parse_stream

_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=~-]*")


class EnvFile:
    """A `.env` file whose unknown lines and comments stay as they are."""

    def __init__(self, path: Path) -> None:
        """The file need not exist yet; a link to it stays a link."""
        self.path = path

    def values(self) -> dict[str, str]:
        """Return what it sets, names in upper case as the settings read them."""
        return {
            binding.key.upper(): binding.value
            for binding in self._bindings()
            if binding.key is not None and binding.value is not None
        }

    def write(self, changes: Mapping[str, str]) -> None:
        """
        Set each name to its value, or take its line away where the value is "".

        A commented line of the same name is where a new one goes. The file is replaced in one step and only
        its owner may read it. Raises `OSError` where it cannot be written.
        """
        left = dict(changes)
        parts = [self._changed(binding, changes, left) for binding in self._bindings()]
        text = "".join(_uncommented(part, left) for part in parts)
        if text and not text.endswith("\n"):
            text += "\n"
        text += "".join(f"{name}={_quoted(value)}\n" for name, value in left.items() if value)
        _replace(Path(os.path.realpath(self.path)), text)

    def _bindings(self) -> list[Binding]:
        try:
            text = self.path.read_text("utf-8-sig")
        except FileNotFoundError:
            return []
        return list(parse_stream(StringIO(text)))

    @staticmethod
    def _changed(binding: Binding, changes: Mapping[str, str], left: dict[str, str]) -> str:
        """Return the binding's lines as they shall be; a name that is set twice is set once after that."""
        name = binding.key.upper() if binding.key else ""
        written = binding.original.string
        if name not in changes:
            return written
        before = re.match(r"\s*?(?=[^\S\n]*\S)", written)
        space = before.group() if before else ""
        value = left.pop(name, "")
        return space + (f"{name}={_quoted(value)}\n" if value else "")


def _uncommented(part: str, left: dict[str, str]) -> str:
    """Let a commented-out setting become the setting."""
    match = re.fullmatch(r"(\s*)#[ \t]*([A-Za-z_]+)=[^\n]*\n?", part)
    if match is None or not left.get(match[2].upper()):
        return part
    name = match[2].upper()
    return f"{match[1]}{name}={_quoted(left.pop(name))}\n"


def _quoted(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".env-", dir=path.parent)  # made with mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        _keep_owner(path, name)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def _keep_owner(path: Path, name: str) -> None:
    """A file that root rewrites still belongs to the person whose it was."""
    if hasattr(os, "geteuid") and os.geteuid() == 0 and path.exists():
        known = path.stat()
        os.chown(name, known.st_uid, known.st_gid)
