"""Which proxy leads to which server: one rule for the platforms and the model."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit
from urllib.request import getproxies_environment

NONE = "none"


def proxy_to(address: str, given: str | None) -> str | None:
    """
    Say through which proxy an address is reached; None means directly.

    What the setting gives counts for every address ("none" for no proxy). Without one it is the environment's
    `HTTPS_PROXY`, `HTTP_PROXY` or `ALL_PROXY`, with `NO_PROXY`, and never for this machine itself.
    """
    if given is not None:
        return None if given == NONE else given
    parts = urlsplit(address.replace("wss://", "https://", 1).replace("ws://", "http://", 1))
    host = parts.hostname or ""
    proxies = getproxies_environment()
    if _is_here(host) or _is_spared(host, proxies.get("no", "")):
        return None
    return proxies.get(parts.scheme) or proxies.get("all")


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _is_spared(host: str, spared: str) -> bool:
    """Look into `NO_PROXY`: names by commas, each with all names below it; "*" is everything."""
    names = [name.strip().lower().lstrip(".") for name in spared.split(",")]
    return any(name and (name == "*" or f".{host}".endswith(f".{name}")) for name in names)
