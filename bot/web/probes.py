"""What machines ask: whether the process lives, whether it is ready, and its metrics."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot.errors import SettingError
from bot.web.gate import knock_of
from bot.web.guard import ALIVE, METRICS, READY, bearer, is_loopback, refuse_stranger

_TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8"
_CLOSED = (
    "The metrics are open only to this machine, or with a token: set BOT_METRICS__TOKEN and send it "
    "as `Authorization: Bearer …`.\n"
)

Found = Mapping[str, bool | float | str]


@dataclass(frozen=True, slots=True)
class Probes:
    """
    What is answered to machines.

    `ready` names each part, False where it is not well; `metrics` is Prometheus' text; `token` reads the
    metrics from anywhere.
    """

    ready: Callable[[], Awaitable[Found]]
    metrics: Callable[[], Awaitable[bytes]]
    token: str = ""

    def routes(self, trusts: Callable[[Request], bool]) -> list[Route]:
        """Make the routes; `trusts` says who sees without the token what is not well, and the metrics."""

        def trusted(request: Request) -> bool:
            return self.knows(bearer(request.headers)) or trusts(request)

        async def alive(request: Request) -> Response:
            return JSONResponse({"ok": True})

        async def ready(request: Request) -> Response:
            found = await self.ready()
            well = all(value is not False for value in found.values())
            shown: dict[str, bool | float | str] = {"ok": well}
            if trusted(request):
                shown |= found
            return JSONResponse(shown, status_code=200 if well else 503)

        async def metrics(request: Request) -> Response:
            if not trusted(request):
                return PlainTextResponse(_CLOSED, status_code=403)
            return Response(await self.metrics(), media_type=_TEXT_FORMAT)

        return [Route(ALIVE, alive), Route(READY, ready), Route(METRICS, metrics)]

    def knows(self, token: str) -> bool:
        """Say whether it is the token of the metrics."""
        return bool(self.token) and secrets.compare_digest(token.encode(), self.token.encode())


def probe_app(probes: Probes, host: str) -> Starlette:
    """
    Build the small server of a process without pages, as it will be served on `host`.

    Who sits at this machine sees all; with a token set, only who has it sees more than the bare state.
    """
    check_metrics_open(host, probes.token)

    def trusts(request: Request) -> bool:
        return not probes.token and refuse_stranger(knock_of(request), is_loopback(host)) is None

    app = Starlette(routes=probes.routes(trusts))
    app.state.close = lambda: None
    return app


def check_metrics_open(host: str, token: str) -> None:
    """Raise `SettingError` where others could reach the metrics and no token keeps them out."""
    if not token and not is_loopback(host):
        raise SettingError(
            f"BOT_METRICS__TOKEN: missing, and BOT_METRICS__HOST={host} lets other machines in; "
            "set BOT_METRICS__TOKEN to a long secret, or BOT_METRICS__HOST to 127.0.0.1"
        )
