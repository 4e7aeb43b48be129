"""Counts tokens with o200k_base, without a network: the vocabulary comes from an installed wheel."""

from __future__ import annotations

import gzip
import hashlib
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import distribution
from pathlib import Path

import tiktoken

from bot.errors import SettingError

ENCODING = "o200k_base"

# tiktoken's name for the file in its cache (the sha1 of the address it would load from), and the
# sha256 that tiktoken itself asks of the content.
_CACHE_NAME = "fb374d419588a4632f3f557e76b4b70aebbca790"
_SHA256 = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"

# tiktoken's time grows faster than the text where one "word" is very long; by stretches it is linear.
_STRETCH = 8_000

_environment = threading.Lock()


class TiktokenCounter:
    """A `TokenCounter` on o200k_base whose vocabulary is unpacked once into a folder of ours."""

    def __init__(self, cache_folder: Path) -> None:
        """Unpack the vocabulary if the folder does not hold it yet, and load it (half a second)."""
        unpack_vocabulary(cache_folder)
        with _tiktoken_reads_from(cache_folder):
            self._encoding = tiktoken.get_encoding(ENCODING)
        # What the vocabulary was built from: 28 MB that are read again only for pickling it.
        self._encoding._mergeable_ranks = {}

    @property
    def encoding(self) -> str:
        """The vocabulary's name."""
        return ENCODING

    def count(self, text: str) -> int:
        """Count the tokens; texts over 8,000 characters by stretches, which may count a few more."""
        return sum(len(self._encoding.encode_ordinary(part)) for part in _stretches(text))


def unpack_vocabulary(folder: Path) -> Path:
    """
    Put the vocabulary into the folder under tiktoken's name for it, and return its path.

    Safe while other processes do the same: the file appears whole or not at all. A damaged one is
    replaced. Raises `SettingError` where the folder cannot be written.
    """
    target = folder / _CACHE_NAME
    if target.is_file() and _is_right(target.read_bytes()):
        return target
    # Found without importing the wheel's package, which would load three vocabularies.
    packed = distribution("bpe-openai").locate_file(f"bpe_openai/data/{ENCODING}.tiktoken.gz")
    data = gzip.decompress(Path(str(packed)).read_bytes())
    if not _is_right(data):
        raise SettingError("the installed bpe-openai holds another vocabulary; install again by `make run`")
    try:
        _write_whole(target, data)
    except OSError as error:
        raise SettingError(f"BOT_DATA_DIR: {folder} cannot be written ({error.strerror})") from error
    return target


def _is_right(data: bytes) -> bool:
    return hashlib.sha256(data).hexdigest() == _SHA256


def _write_whole(target: Path, data: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".vocabulary-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).replace(target)
    finally:
        Path(name).unlink(missing_ok=True)


@contextmanager
def _tiktoken_reads_from(folder: Path) -> Iterator[None]:
    """Point tiktoken at the folder while it loads; it takes the place from the environment only."""
    with _environment:
        before = os.environ.get("TIKTOKEN_CACHE_DIR")
        os.environ["TIKTOKEN_CACHE_DIR"] = str(folder)
        try:
            yield
        finally:
            if before is None:
                del os.environ["TIKTOKEN_CACHE_DIR"]
            else:
                os.environ["TIKTOKEN_CACHE_DIR"] = before


def _stretches(text: str) -> Iterator[str]:
    """Cut a long text, at a space where there is one, so that few words are cut in two."""
    start = 0
    while len(text) - start > _STRETCH:
        space = text.rfind(" ", start + _STRETCH // 2, start + _STRETCH)
        end = space if space > start else start + _STRETCH
        yield text[start:end]
        start = end
    yield text[start:]
