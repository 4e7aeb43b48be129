"""Reads what a server sends no further than a bound, whatever length it claims."""

from __future__ import annotations

import aiohttp

from bot.errors import PostRefused

_CHUNK = 64 * 1024


async def read_within(response: aiohttp.ClientResponse, most: int) -> bytes:
    """Read a body of at most `most` bytes; raises `PostRefused` as soon as it is known to be larger."""
    if (response.content_length or 0) > most:
        raise PostRefused(f"the file has {response.content_length} bytes, more than {most}")
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_chunked(_CHUNK):
        size += len(part)
        if size > most:
            raise PostRefused(f"the file has more than {most} bytes")
        parts.append(part)
    return b"".join(parts)
