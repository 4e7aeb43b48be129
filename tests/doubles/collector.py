"""An OpenTelemetry collector that keeps what it is sent, over OTLP's HTTP with protobuf."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Self

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True, slots=True)
class SpanSeen:
    """A span as it came over the wire."""

    name: str
    trace: bytes
    id: bytes
    parent: bytes
    links: tuple[bytes, ...]
    values: dict[str, object]
    seconds: float
    failed: bool


class CollectorDouble:
    """A collector on a free port of this machine."""

    def __init__(self) -> None:
        self.spans: list[SpanSeen] = []
        self.resources: list[dict[str, object]] = []
        self.raw = b""
        self.url = ""

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/v1/traces", self._take)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        assert request.content_type == "application/x-protobuf"
        body = await request.read()
        self.raw += body
        for group in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.resources.append(_values(group.resource.attributes))
            for scope in group.scope_spans:
                self.spans += [_seen(span) for span in scope.spans]
        return web.Response(content_type="application/x-protobuf")

    def named(self, name: str) -> list[SpanSeen]:
        """Give the spans of a name, in the order they came."""
        return [span for span in self.spans if span.name == name]


def _seen(span: object) -> SpanSeen:
    return SpanSeen(
        span.name,  # type: ignore[attr-defined]
        span.trace_id,  # type: ignore[attr-defined]
        span.span_id,  # type: ignore[attr-defined]
        span.parent_span_id,  # type: ignore[attr-defined]
        tuple(link.trace_id for link in span.links),  # type: ignore[attr-defined]
        _values(span.attributes),  # type: ignore[attr-defined]
        (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,  # type: ignore[attr-defined]
        span.status.code == 2,  # type: ignore[attr-defined]
    )


def _values(attributes: object) -> dict[str, object]:
    return {
        one.key: getattr(one.value, one.value.WhichOneof("value"))
        for one in attributes  # type: ignore[attr-defined]
    }
