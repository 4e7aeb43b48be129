"""Has a file parsed by a process of its own: what a hostile one breaks, fills or never ends is not ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
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


def read_apart(kind: str, data: bytes, tokens: int, seconds: float) -> Found:
    """Parse a file of this kind, of which about `tokens` tokens will be read, for `seconds` at most."""
    try:
        ended = subprocess.run(
            [sys.executable, "-m", __package__, kind, str(tokens)],
            input=data,
            capture_output=True,
            timeout=seconds,
            cwd=_PROGRAM,
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Found("file-slow")
    if ended.returncode:  # it crashed, or wanted more memory than it was given
        return Found("file-broken")
    header, _, picture = ended.stdout.partition(b"\n")
    told = json.loads(header)
    return Found(**told | {"texts": tuple(told.get("texts", ())), "picture": picture})
