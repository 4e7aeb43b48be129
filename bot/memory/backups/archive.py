"""
The file of a backup, whose lines gunzip shows as they are.

The first line says what it is; then comes each table with a line that names it and its columns, its rows as
COPY writes them, and `\\.`; the last line holds the number of rows and the SHA-256 of all lines before it.
Rows as text mean the same to every version of Postgres on every kind of machine.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bot.errors import BackupRefused

_FORMAT = "frontdesk-backup"
_LAYOUT = 1
_END = b"\\.\n"
_QUICK = 3  # half the time of gzip's own choice for a tenth more bytes


@dataclass(frozen=True, slots=True)
class Label:
    """What a backup says of itself: the tables' revision, the programs that made it, and when."""

    revision: str
    version: str
    postgres: str
    taken_at: str


@dataclass(frozen=True, slots=True)
class Contents:
    """A table of a backup, as it is read: its rows have to be taken before the next table comes."""

    table: str
    columns: tuple[str, ...]
    rows: Iterator[bytes]


class Writer:
    """Writes the lines and reckons their checksum."""

    def __init__(self, file: gzip.GzipFile, label: Label) -> None:
        """Begin with the label."""
        self._file = file
        self._sum = hashlib.sha256()
        self.rows = 0
        self._line({"format": _FORMAT, "layout": _LAYOUT, **asdict(label)})

    @contextmanager
    def table(self, name: str, columns: Sequence[str]) -> Iterator[None]:
        """Write a table, whose rows are given within the block."""
        self._line({"table": name, "columns": list(columns)})
        yield
        self._write(_END)

    def row(self, line: bytes) -> None:
        """Write a row as COPY gave it."""
        self.rows += 1
        self._write(line)

    def close(self) -> None:
        """Write the last line."""
        self._line({"rows": self.rows, "sha256": self._sum.hexdigest()})

    def _line(self, told: Mapping[str, Any]) -> None:
        self._write(json.dumps(told).encode() + b"\n")

    def _write(self, line: bytes) -> None:
        self._sum.update(line)
        self._file.write(line)


@contextmanager
def writing(path: Path, label: Label) -> Iterator[Writer]:
    """
    Write a backup to a file that only its owner may read, and that has its name only once it is whole.

    Raises `BackupRefused` where the file is there already, or cannot be written.
    """
    half = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        if path.exists():
            raise FileExistsError(f"{path} is there already")
        descriptor = os.open(half, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as plain:
                with gzip.GzipFile("", "wb", _QUICK, plain, mtime=0) as file:
                    writer = Writer(file, label)
                    yield writer
                    writer.close()
                plain.flush()
                os.fsync(plain.fileno())
            _name(half, path)
        finally:
            half.unlink(missing_ok=True)
    except FileExistsError:
        raise BackupRefused(f"{path} is there already: choose another name, or move it away") from None
    except OSError as error:
        raise BackupRefused(f"{path} cannot be written: {error.strerror or error}") from error


def verified(path: Path) -> Label:
    """Read a backup to its end and give its label; raises `BackupRefused` unless every line is as written."""
    with _lines(path) as (label, file):
        for contents in _tables(path, file):
            for _ in contents.rows:
                pass
    return label


@contextmanager
def reading(path: Path) -> Iterator[Iterator[Contents]]:
    """Read the tables of a backup, one after the other; raises `BackupRefused` where it is damaged."""
    with _lines(path) as (_, file):
        yield _tables(path, file)


class _Checked:
    """Gives lines, and reckons the checksum of those that were given."""

    def __init__(self, file: gzip.GzipFile) -> None:
        self._file = file
        self.sum = hashlib.sha256()
        self.rows = 0

    def __next__(self) -> bytes:
        line = self._file.readline()
        if not line.endswith(b"\n"):
            raise EOFError("it ends too early")
        return line

    def ends(self) -> bool:
        """Say whether nothing comes any more; only then has gzip looked at its own checksum."""
        return not self._file.read(1)


@contextmanager
def _lines(path: Path) -> Iterator[tuple[Label, _Checked]]:
    try:
        with gzip.open(path, "rb") as file:
            checked = _Checked(file)
            first = next(checked)
            checked.sum.update(first)
            yield _label(path, first), checked
    except (gzip.BadGzipFile, EOFError, zlib.error, ValueError, KeyError, TypeError) as error:
        raise BackupRefused(
            f"{path} is damaged, or no backup ({type(error).__name__}): use another one"
        ) from error
    except OSError as error:
        raise BackupRefused(f"{path} cannot be read: {error.strerror or error}") from error


def _label(path: Path, line: bytes) -> Label:
    told = json.loads(line)
    if told.pop("format") != _FORMAT:
        raise ValueError("another format")
    if (layout := told.pop("layout")) != _LAYOUT:
        raise BackupRefused(f"{path} has layout {layout}, which only a newer Frontdesk can read")
    return Label(**told)


def _tables(path: Path, file: _Checked) -> Iterator[Contents]:
    while True:
        line = next(file)
        told = json.loads(line)
        if "table" not in told:
            whole = (told["rows"], told["sha256"]) == (file.rows, file.sum.hexdigest())
            if not (whole and file.ends()):
                raise BackupRefused(f"{path} is damaged: its checksum is another one. Use another backup")
            return
        file.sum.update(line)
        yield Contents(told["table"], tuple(told["columns"]), _rows(file))


def _rows(file: _Checked) -> Iterator[bytes]:
    while True:
        line = next(file)
        file.sum.update(line)
        if line == _END:
            return
        file.rows += 1
        yield line


def _name(half: Path, path: Path) -> None:
    """Give the whole file its name, without ever taking the place of another."""
    try:
        os.link(half, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if path.exists():
            raise FileExistsError(path) from None
        half.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
