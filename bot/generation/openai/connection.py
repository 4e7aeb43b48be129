"""The connection to a model's server: kept open, through a proxy where one is given."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from functools import lru_cache
from ssl import SSLContext, create_default_context
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from bot import __version__
from bot.errors import SettingError

_CONNECT_SECONDS = 10.0
# As many streams as a process can carry; servers close idle connections themselves, most after a minute.
_MOST = 2_000
_IDLE_SECONDS = 55.0


class ServerRefused(Exception):
    """An answer that is no success: its status, its headers, and what it says of the error."""

    def __init__(self, status: int, headers: Mapping[str, str], text: str) -> None:
        """`text` is the body of the answer."""
        super().__init__(f"status {status}")
        self.status = status
        self.headers = headers
        self.text = text

    @property
    def told(self) -> Mapping[str, object]:
        """The error object, however the server wraps it; its plain words as `message` where it sends none."""
        try:
            body = json.loads(self.text)
        except ValueError:
            body = self.text.strip()
        inner = body.get("error", body) if isinstance(body, dict) else body
        return inner if isinstance(inner, dict) else {"message": str(inner or "")}


class Connection:
    """One server, and the connections to it that are open."""

    def __init__(self, base_url: str, api_key: str, first_token_seconds: float, proxy: str | None) -> None:
        """
        Prepare; nothing is sent yet. Raises `SettingError` for a proxy's address that is none.

        The environment is not asked for a proxy here: whoever wires the program decides for all its parts.
        """
        if proxy is not None:
            checked(proxy, "BOT_MODEL__PROXY")
        self._base_url = base_url.rstrip("/")
        self._proxy, self._proxy_headers, carried = _way(base_url, proxy)
        self._headers = {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": f"Frontdesk/{__version__}",
            "Authorization": f"Bearer {api_key or 'none'}",  # a server without keys does not look at it
            **carried,
        }
        seconds = min(_CONNECT_SECONDS, first_token_seconds)
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=seconds)
        self._session: aiohttp.ClientSession | None = None

    async def post(self, path: str, body: Mapping[str, object]) -> aiohttp.ClientResponse:
        """Send a request and return the open answer; raises `ServerRefused`, or what the transport raises."""
        return await self._request("POST", path, json.dumps(body, ensure_ascii=False).encode())

    async def get(self, path: str) -> object:
        """Ask for something; None for what is no JSON. Raises as `post` does."""
        response = await self._request("GET", path)
        try:
            return json.loads(await response.read())
        except ValueError:
            return None

    async def close(self) -> None:
        """Close all connections; answers still on their way break off."""
        if self._session is not None:
            await self._session.close()

    async def _request(self, method: str, path: str, data: bytes | None = None) -> aiohttp.ClientResponse:
        try:
            response = await self._opened().request(
                method,
                self._base_url + path,
                data=data,
                headers=self._headers,
                proxy=self._proxy,
                proxy_headers=self._proxy_headers,
            )
        except aiohttp.ServerTimeoutError as error:  # else it would pass for a server that took the question
            raise aiohttp.ClientConnectionError("no connection came about in time") from error
        if response.status >= 300:  # a redirection to nowhere is a refusal too
            async with response:
                text = await response.text(errors="replace")
            raise ServerRefused(response.status, response.headers, text)
        return response

    def _opened(self) -> aiohttp.ClientSession:
        """Open the session with the first request: it belongs to the loop that is running then."""
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=_MOST, keepalive_timeout=_IDLE_SECONDS, ssl=_certificates()
            )
            self._session = aiohttp.ClientSession(connector=connector, timeout=self._timeout, trust_env=False)
        return self._session


def checked(address: str, setting: str = "BOT_MODEL__BASE_URL") -> str:
    """Return the address; raises `SettingError` where it is none."""
    try:
        parts = urlsplit(address)
        URL(address)
    except ValueError as error:
        raise SettingError(f"{setting}: {address!r} is no address ({error})") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise SettingError(f"{setting}: {address!r} has to begin with http:// or https:// and a host")
    return address


def _way(base_url: str, proxy: str | None) -> tuple[URL | None, dict[str, str], dict[str, str]]:
    """
    Give the proxy, what a request for a tunnel has to carry for it, and what each request has to.

    The proxy's password goes with the request for a tunnel; where there is none, with the request itself.
    """
    if proxy is None:
        return None, {}, {}
    url = URL(proxy)
    if not url.user:
        return url, {}, {}
    word = b64encode(f"{url.user}:{url.password or ''}".encode()).decode()
    carried = {"Proxy-Authorization": f"Basic {word}"}
    bare = url.with_user(None)
    return (bare, carried, {}) if base_url.startswith("https") else (bare, {}, carried)


@lru_cache(maxsize=1)
def _certificates() -> SSLContext:
    """Read the certificates once for all; `SSL_CERT_FILE` is heeded, as a proxy may need it."""
    return create_default_context()
