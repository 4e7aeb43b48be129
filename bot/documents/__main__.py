"""The process in which one file is parsed: the file comes by stdin, what was read leaves by stdout."""

from __future__ import annotations

import contextlib
import json
import os
import sys

from bot.documents.kinds import Kind

# A picture of 60 million points takes 240 MB, and as much again to turn it.
_MEMORY = 2**30
_CPU_SECONDS = 15


def main(kind: str, tokens: int) -> None:
    """Read stdin as a file of this kind; write one line of JSON and, if there is one, a picture."""
    _bind()
    data = sys.stdin.buffer.read()
    told, picture = _parse(Kind(kind), data, tokens)
    sys.stdout.buffer.write(json.dumps(told).encode() + b"\n" + picture)


def _parse(kind: Kind, data: bytes, tokens: int) -> tuple[dict[str, object], bytes]:
    # Imported where needed: each costs a tenth of a second.
    if kind is Kind.PICTURE:
        from bot.documents.pictures import shrink

        return shrink(data)
    if kind is Kind.PDF:
        from bot.documents.pdf import read_pages

        return read_pages(data, tokens), b""
    from bot.documents.pages import read_page

    return read_page(data), b""


def _bind() -> None:
    """Take as little of the machine as is needed."""
    with contextlib.suppress(ImportError, OSError, ValueError):  # where the system has no such limits
        import resource

        os.nice(5)
        resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
