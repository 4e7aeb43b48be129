"""Who may come in: the decision on one request, from nothing but its facts."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

ALIVE, READY, METRICS = "/healthz", "/readyz", "/metrics"  # what machines ask
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_LOOPBACK_HOST = re.compile(r"(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?", re.IGNORECASE)
_FORWARDING = re.compile(
    r"forwarded|via|x-forwarded(-.+)?|x-real-ip|x-client-ip|x-cluster-client-ip|x-original-.+|"
    r"x-envoy-.+|true-client-ip|fastly-.+|cf-.+|cdn-loop|fly-.+|tailscale-.+|x-appengine-.+|x-arr-.+",
    re.IGNORECASE,
)


class Refusal(StrEnum):
    """Why a request is turned away, as the end of its key in the catalogue."""

    NOT_LOCAL = "not-local"
    CROSS_SITE = "cross-site"
    LOGIN = "login"
    TOO_MANY = "too-many"


@dataclass(frozen=True, slots=True)
class Knock:
    """The facts of one request; `headers` are lower-case, `hosts` all its Host headers."""

    method: str
    path: str
    client: str
    hosts: tuple[str, ...]
    headers: Mapping[str, str]


def is_loopback(address: str) -> bool:
    """Tell whether an address (or the name `localhost`) stands for this machine alone."""
    if address.lower() == "localhost":
        return True
    try:
        parsed = ipaddress.ip_address(address.strip("[]").partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return (mapped or parsed).is_loopback


def refuse_stranger(knock: Knock, bound_to_loopback: bool) -> Refusal | None:
    """
    Decide without a token: only who sits at this machine, and came straight here.

    The Host header stops a page that rebinds its own name to 127.0.0.1; the forwarding headers tell
    of a proxy or tunnel that lends a stranger a loopback address.
    """
    straight = (
        bound_to_loopback
        and is_loopback(knock.client)
        and len(knock.hosts) == 1
        and _LOOPBACK_HOST.fullmatch(knock.hosts[0]) is not None
        and not _was_forwarded(knock.headers)
    )
    return None if straight else Refusal.NOT_LOCAL


def refuse_cross_site(knock: Knock) -> Refusal | None:
    """
    Refuse what another site's page sends: all that changes something, and all of the API.

    Browsers say by themselves where a request comes from (Fetch Metadata, else Origin); a program
    that says neither is no browser and carries no cookie of its user's.
    """
    if knock.method in SAFE_METHODS and not knock.path.startswith("/api/"):
        return None
    site = knock.headers.get("sec-fetch-site")
    if site is not None:
        return None if site in {"same-origin", "none"} else Refusal.CROSS_SITE
    origin = knock.headers.get("origin")
    if origin is None or _same_host(origin, knock.hosts):
        return None
    return Refusal.CROSS_SITE


def bearer(headers: Mapping[str, str]) -> str:
    """Read the token of an `Authorization: Bearer …` header; "" where there is none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _was_forwarded(names: Iterable[str]) -> bool:
    return any(_FORWARDING.fullmatch(name) for name in names)


def _same_host(origin: str, hosts: tuple[str, ...]) -> bool:
    try:
        place = urlsplit(origin)
    except ValueError:
        return False
    return place.scheme in {"http", "https"} and hosts == (place.netloc,)
