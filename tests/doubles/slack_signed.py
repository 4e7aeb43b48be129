"""Slack's side of signed HTTP: requests with a signature, again where they are not answered with 200."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from itertools import count
from typing import Any
from urllib.parse import urlencode

import aiohttp

from tests.doubles.slack_state import TEAM

SECRET = "signing-secret-double"


class SignedDeliveries:
    """Posts to one address; `answers` are the statuses in order."""

    def __init__(self, url: str, secret: str = SECRET) -> None:
        self.url = url
        self.secret = secret
        self.answers: list[int] = []
        self._waiting: list[tuple[bytes, str]] = []
        self._numbers = count(1)

    async def deliver(self, event: Any, **more: Any) -> int:
        """Send an event; what is refused waits for `redeliver`."""
        payload = {
            "type": "event_callback",
            "team_id": TEAM,
            "event": event,
            "event_id": f"Ev{next(self._numbers)}",
            **more,
        }
        return await self._post(json.dumps(payload).encode(), "application/json")

    async def send(self, kind: str, payload: dict[str, Any]) -> int:
        """Send an interaction or a command, which are never sent again."""
        form = payload if kind == "slash_commands" else {"payload": json.dumps(payload)}
        status, _ = await self.post(urlencode(form).encode(), "application/x-www-form-urlencoded")
        return status

    async def redeliver(self) -> None:
        """Send again what was not answered with 200."""
        waiting, self._waiting = self._waiting, []
        for body, kind in waiting:
            again = {"x-slack-retry-num": "1", "x-slack-retry-reason": "http_error"}
            await self._post(body, kind, again)

    async def post(
        self,
        body: bytes,
        kind: str = "application/json",
        headers: dict[str, str] | None = None,
        stamp: int | None = None,
        signature: str | None = None,
    ) -> tuple[int, str]:
        """Post a body with its signature, or with another stamp or signature; return status and text."""
        when = str(int(time.time()) if stamp is None else stamp)
        signed = {
            "content-type": kind,
            "x-slack-request-timestamp": when,
            "x-slack-signature": self.sign(body, when) if signature is None else signature,
        }
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session,
            session.post(self.url, data=body, headers={**signed, **(headers or {})}) as response,
        ):
            self.answers.append(response.status)
            return response.status, await response.text()

    def sign(self, body: bytes, stamp: str) -> str:
        """Sign as Slack's documentation tells."""
        base = b"v0:" + stamp.encode() + b":" + body
        return "v0=" + hmac.new(self.secret.encode(), base, hashlib.sha256).hexdigest()

    async def _post(self, body: bytes, kind: str, headers: dict[str, str] | None = None) -> int:
        status, _ = await self.post(body, kind, headers)
        if status != 200:
            self._waiting.append((body, kind))
        return status
