"""The token of the console: compared in constant time, turned into sessions, guarded against guessing."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import deque
from collections.abc import Callable

COOKIE = "frontdesk_session"
SESSION_SECONDS = 30 * 24 * 3600


class Sessions:
    """
    Makes and checks sessions that live in a cookie alone.

    They are signed with a key made from the token: a changed token ends them all, and any process with
    the same token honours them.
    """

    def __init__(self, token: str, now: Callable[[], float] = time.time) -> None:
        """Take the token of the console; `now` is in seconds since 1970."""
        self._token = _digest(token)
        self._key = hmac.digest(_bytes(token), b"frontdesk web session", hashlib.sha256)
        self._now = now

    def knows(self, token: str) -> bool:
        """Compare a token in constant time."""
        return hmac.compare_digest(self._token, _digest(token))

    def begin(self) -> str:
        """Make a session, as the cookie's value."""
        body = f"{int(self._now())}.{secrets.token_urlsafe(18)}"
        return f"{body}.{self._sign(body)}"

    def holds(self, cookie: str) -> bool:
        """Tell whether a cookie is a session of this token that has not run out."""
        body, _, signature = cookie.rpartition(".")
        if not hmac.compare_digest(self._sign(body).encode(), _bytes(signature)):
            return False
        begun = int(body.partition(".")[0])
        return 0 <= self._now() - begun < SESSION_SECONDS

    def _sign(self, body: str) -> str:
        return hmac.new(self._key, _bytes(body), hashlib.sha256).hexdigest()


class Tries:
    """
    Counts failed tries by address: after `limit` within `window` seconds even the right token waits.

    At most `addresses` are remembered; the one that failed longest ago is forgotten first.
    """

    def __init__(
        self,
        limit: int = 5,
        window: float = 60.0,
        addresses: int = 1_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the limits; `clock` is monotonic, in seconds."""
        self._limit = limit
        self._window = window
        self._addresses = addresses
        self._clock = clock
        self._failed: dict[str, deque[float]] = {}

    def wait(self, address: str) -> float:
        """Say how many seconds the address has to wait before its next try; 0.0 if none."""
        failed = self._failed.get(address)
        if failed is None or len(failed) < self._limit:
            return 0.0
        return max(0.0, failed[0] + self._window - self._clock())

    def failed(self, address: str) -> None:
        """Note a failed try."""
        failed = self._failed.pop(address, None) or deque(maxlen=self._limit)
        failed.append(self._clock())
        self._failed[address] = failed
        while len(self._failed) > self._addresses:
            del self._failed[next(iter(self._failed))]


def _digest(text: str) -> bytes:
    return hashlib.sha256(_bytes(text)).digest()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
