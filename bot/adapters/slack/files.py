"""Files of Slack, fetched with the bot's token, which goes to nobody but Slack."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urljoin

import aiohttp
from yarl import URL

from bot.adapters.downloading import read_within
from bot.adapters.slack.enclosed import BY_ID
from bot.adapters.slack.web import Web
from bot.dialogue import File
from bot.errors import PermissionMissing, PlatformDown, PostRefused

_HOSTS = frozenset({"files.slack.com", "files.slack-gov.com"})
_PAGES = frozenset({"text/html", "application/vnd.slack-docs"})
_SECONDS = 25.0
_MOST_STEPS = 3


async def fetch_file(web: Web, file: File, most: int) -> bytes:
    """
    Fetch a file that was shared where the bot is.

    Raises `PermissionMissing` where the scope files:read is, `PostRefused`, `PlatformDown`. A file of a
    channel shared with another workspace comes by its id alone, and is looked up first.
    """
    address = file.source
    if address.startswith(BY_ID):
        told = (await web.read("files.info", file=address.removeprefix(BY_ID))).get("file")
        address = str(told.get("url_private") or "") if isinstance(told, dict) else ""
    return await _download(web, address, most, page=file.media_type in _PAGES)


async def _download(web: Web, address: str, most: int, *, page: bool) -> bytes:
    client = web.client()
    headers = {"Authorization": f"Bearer {client.token}"}
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session:
            for _ in range(_MOST_STEPS):
                if not _is_slacks(address, client.base_url):
                    raise PostRefused("the file does not lie at Slack")
                async with session.get(
                    address, headers=headers, allow_redirects=False, proxy=client.proxy
                ) as response:
                    if response.status not in {301, 302, 303, 307, 308}:
                        return await _body(response, most, page=page)
                    address = urljoin(address, response.headers.get("Location", ""))
                    if not _is_slacks(address, client.base_url):
                        raise _no_scope()
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise PlatformDown(f"Slack does not hand the file out: {type(error).__name__}") from error
    raise PostRefused("the file's address leads in a ring")


async def _body(response: aiohttp.ClientResponse, most: int, *, page: bool) -> bytes:
    if response.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        raise _no_scope()
    if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR or response.status == HTTPStatus.TOO_MANY_REQUESTS:
        raise PlatformDown(f"Slack does not hand the file out now ({response.status})")
    if response.status != HTTPStatus.OK:
        raise PostRefused(f"Slack does not hand the file out ({response.status})")
    # Without the scope Slack shows its login page in place of the file.
    if response.content_type == "text/html" and not page:
        raise _no_scope()
    return await read_within(response, most)


def _is_slacks(address: str, api_url: str) -> bool:
    url, api = URL(address), URL(api_url)
    if (url.scheme, url.host, url.port) == (api.scheme, api.host, api.port):
        return True
    return url.scheme == "https" and url.host in _HOSTS


def _no_scope() -> PermissionMissing:
    return PermissionMissing(
        "Slack shows its login page in place of the file: the scope files:read is missing"
    )
