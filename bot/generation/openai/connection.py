"""The connection to a model's server: the cheap transport, kept open, through a proxy where one is given."""

from __future__ import annotations

from base64 import b64encode
from functools import lru_cache
from ssl import SSLContext
from urllib.parse import urlsplit

from httpx2 import URL, InvalidURL, Limits, Proxy, Timeout, create_ssl_context
from openai import AsyncOpenAI, DefaultAioHttpClient

from bot.errors import SettingError

_CONNECT_SECONDS = 10.0
# As many streams as a process can carry; servers close idle connections themselves, most after a minute.
_LIMITS = Limits(max_connections=2_000, max_keepalive_connections=None, keepalive_expiry=55.0)


def connect(base_url: str, api_key: str, first_token_seconds: float, proxy: str | None) -> AsyncOpenAI:
    """
    Make a client; nothing is sent yet. Raises `SettingError` for a proxy's address that is none.

    The environment is not asked for a proxy here: whoever wires the program decides for all its parts.
    The SDK's own retries are off: they see no error inside a stream, and repeat what no credit is left for.
    """
    if proxy is not None:
        checked(proxy, "BOT_MODEL__PROXY")
    timeout = Timeout(None, connect=min(_CONNECT_SECONDS, first_token_seconds))
    way, headers = _way(base_url, proxy)
    return AsyncOpenAI(
        base_url=base_url,
        api_key=api_key or "none",  # the SDK insists on one; servers without keys do not look at it
        max_retries=0,
        timeout=timeout,
        default_headers=headers,
        http_client=DefaultAioHttpClient(
            timeout=timeout, limits=_LIMITS, trust_env=False, proxy=way, verify=_certificates()
        ),
    )


def checked(address: str, setting: str = "BOT_MODEL__BASE_URL") -> str:
    """Return the address; raises `SettingError` where it is none."""
    try:
        parts = urlsplit(address)
        URL(address)
    except (InvalidURL, ValueError) as error:
        raise SettingError(f"{setting}: {address!r} is no address ({error})") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise SettingError(f"{setting}: {address!r} has to begin with http:// or https:// and a host")
    return address


def _way(base_url: str, proxy: str | None) -> tuple[Proxy | None, dict[str, str]]:
    """
    Make the proxy, and what each request has to carry for it.

    The proxy's password goes with the request for a tunnel; where there is none, with the request itself.
    """
    if proxy is None:
        return None, {}
    url = URL(proxy)
    if not url.userinfo:
        return Proxy(url), {}
    word = b64encode(f"{url.username}:{url.password}".encode()).decode()
    carried = {"Proxy-Authorization": f"Basic {word}"}
    bare = url.copy_with(username="", password="")
    tunnel = base_url.startswith("https")
    return Proxy(bare, headers=carried), {} if tunnel else carried


@lru_cache(maxsize=1)
def _certificates() -> SSLContext:
    """Read the certificates once for all clients; `SSL_CERT_FILE` is heeded, as a proxy may need it."""
    return create_ssl_context(trust_env=True)
