"""Has a file parsed by a process of its own: what a hostile one breaks, fills or never ends is not ours."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

_PROGRAM = Path(__file__).resolve().parents[2]
# A parser of strangers' files gets none of our secrets.
_ENVIRONMENT = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "TEMP", "TMP", "VIRTUAL_ENV")


@dataclass(frozen=True, slots=True)
class Found:
    """What the parser tells: texts of pages, or a picture, or the catalogue's key of why there is nothing."""

    note: str = ""
    texts: tuple[str, ...] = ()
    pages: int = 0
    picture: bytes = b""
    media_type: str = ""
    tokens: int = 0


async def read_apart(kind: str, data: bytes, tokens: int, seconds: float) -> Found:
    """Parse a file of this kind, of which about `tokens` tokens will be read, for `seconds` at most."""
    parser = _Parser()
    try:
        # In a thread, since not every event loop of ours can wait for processes.
        return await asyncio.to_thread(parser.run, kind, data, tokens, seconds)
    except asyncio.CancelledError:
        parser.end()
        raise


class _Parser:
    """One process, which may be ended from outside at any moment."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._unwanted = False

    def run(self, kind: str, data: bytes, tokens: int, seconds: float) -> Found:
        with self._lock:
            if self._unwanted:
                return Found("file-slow")
            self._process = started(kind, tokens)
        with self._process as process:
            try:
                output, _ = process.communicate(data, seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                return Found("file-slow")
        # A code other than 0: it crashed, or wanted more memory than it was given.
        return _told(output) if process.returncode == 0 else Found("file-broken")

    def end(self) -> None:
        with self._lock:
            self._unwanted = True
            if self._process is not None:
                self._process.kill()


def started(kind: str, tokens: int) -> subprocess.Popen[bytes]:
    """Start the process that parses a file of this kind."""
    return subprocess.Popen(
        [sys.executable, "-m", __package__, kind, str(tokens)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=_PROGRAM,
        env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
    )


def _told(output: bytes) -> Found:
    header, _, picture = output.partition(b"\n")
    told = json.loads(header)
    return Found(**told | {"texts": tuple(told.get("texts", ())), "picture": picture})
