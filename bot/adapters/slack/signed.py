"""Slack's requests over HTTP: signed, fresh, and answered as envelopes of Socket Mode are."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

import structlog
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.signature import SignatureVerifier
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

log = structlog.get_logger()

PATH = "/slack/events"  # events, buttons and commands alike
BODY_BYTES = 1_000_000
STAMP_CHARACTERS = 12


class SignedRequests:
    """
    An ASGI application for Slack alone.

    A request counts where it bears the signature of its body and of a time within five minutes ("Verifying
    requests" in Slack's documentation). Within that window a replay is a delivery again, and changes nothing.
    """

    def __init__(self, signing_secret: str) -> None:
        """Nothing is taken in before `serve`: what comes earlier is told to come again."""
        self._verifier = SignatureVerifier(signing_secret)
        self._app: AsyncApp | None = None

    async def serve(self, app: AsyncApp) -> None:
        """Hand requests to the app until cancelled."""
        self._app = app
        log.info("slack_http_open", path=PATH)
        try:
            await asyncio.Event().wait()
        finally:
            self._app = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            response = await self._answer(Request(scope, receive))
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if request.method != "POST":
            return PlainTextResponse("Slack alone speaks here.\n", 405, {"allow": "POST"})
        body = await _read(request)
        if body is None:
            return PlainTextResponse("too large\n", 413)
        headers = dict(request.headers)
        text = _text(body)
        if text is None or not self._is_signed(text, headers):
            log.warning("slack_signature_refused")
            return PlainTextResponse("not signed by Slack\n", 401)
        return _greeting(text) or await self._taken(text, headers)

    async def _taken(self, text: str, headers: Mapping[str, str]) -> Response:
        if self._app is None:
            return PlainTextResponse("not yet\n", 503)
        try:
            asked = AsyncBoltRequest(body=text, headers=dict(headers))
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            log.warning("slack_envelope_malformed")  # acknowledged, or it would only come again
            return Response(status_code=200)
        answered = await self._app.async_dispatch(asked)
        return Response(answered.body or "", answered.status)

    def _is_signed(self, body: str, headers: Mapping[str, str]) -> bool:
        stamp = headers.get("x-slack-request-timestamp", "")
        signature = headers.get("x-slack-signature", "")
        if not (stamp.isascii() and stamp.isdigit() and signature.isascii()) or len(stamp) > STAMP_CHARACTERS:
            return False
        return self._verifier.is_valid(body, stamp, signature)


async def _read(request: Request) -> bytes | None:
    """Read the body; None where it is larger than anything that Slack sends."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > BODY_BYTES:
            return None
        parts.append(part)
    return b"".join(parts)


def _text(body: bytes) -> str | None:
    """Read the body as text; what Slack signs is UTF-8."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


def _greeting(text: str) -> Response | None:
    """Answer what Slack asks once, when the address is set in the app's settings."""
    if "url_verification" not in text or not text.startswith("{"):
        return None
    try:
        body = json.loads(text)
    except ValueError:
        return None
    if body.get("type") != "url_verification":
        return None
    return JSONResponse({"challenge": str(body.get("challenge") or "")})
