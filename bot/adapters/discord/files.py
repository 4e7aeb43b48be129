"""Files of Discord, fetched from its own servers; an address that has run out is asked for again."""

from __future__ import annotations

from http import HTTPStatus

import aiohttp
from discord.http import Route
from yarl import URL

from bot.adapters.discord.rest import Rest
from bot.adapters.downloading import read_within
from bot.dialogue import File
from bot.errors import PlatformDown, PostRefused

_HOSTS = frozenset({"cdn.discordapp.com", "media.discordapp.net"})
_SECONDS = 25.0
_GONE = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


class _RunOut(PostRefused):
    """The address holds no longer, or the file is gone."""


async def fetch_file(rest: Rest, file: File, most: int) -> bytes:
    """
    Fetch a file; addresses are good for a day, then its message tells a new one.

    Raises `PostRefused`, `PlatformDown`.
    """
    try:
        return await _download(rest, _address(file.source), most)
    except _RunOut:
        return await _download(rest, await _anew(rest, _address(file.source)), most)


def _address(source: str) -> URL:
    try:
        url, api = URL(source), URL(Route.BASE)
    except ValueError as error:
        raise PostRefused("the file has no address") from error
    at_discord = url.scheme == "https" and url.host in _HOSTS
    if not at_discord and (url.scheme, url.host, url.port) != (api.scheme, api.host, api.port):
        raise PostRefused("the file does not lie at Discord")
    return url


async def _download(rest: Rest, url: URL, most: int) -> bytes:
    client = await rest.client()
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session:
            async with session.get(url, allow_redirects=False, proxy=client.http.proxy) as response:
                if response.status in _GONE:
                    raise _RunOut(f"Discord does not hand the file out ({response.status})")
                busy = response.status == HTTPStatus.TOO_MANY_REQUESTS
                if busy or response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                    raise PlatformDown(f"Discord does not hand the file out now ({response.status})")
                if response.status != HTTPStatus.OK:
                    raise PostRefused(f"Discord does not hand the file out ({response.status})")
                return await read_within(response, most)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise PlatformDown(f"Discord does not hand the file out: {type(error).__name__}") from error


async def _anew(rest: Rest, url: URL) -> URL:
    """Ask the file's message, whose id the address carries behind it, where the file lies now."""
    parts = url.parts  # /attachments/<channel>/<attachment>/<name>
    if not url.fragment.isdigit() or len(parts) < 4:
        raise PostRefused("the file's address has run out")
    message = await rest.call(
        "GET",
        "/channels/{channel_id}/messages/{message_id}",
        channel_id=parts[-3],
        message_id=url.fragment,
    )
    for attached in message.get("attachments") or ():
        if str(attached.get("id")) == parts[-2]:
            return _address(str(attached.get("url") or ""))
    raise PostRefused("the file is not with its message any more")
