"""
Spans of one turn through its rooms, sent to an OpenTelemetry collector; loaded only where one is set.

A trace's id comes from the first message's own key. So the process that accepts and the one that answers
write into one trace, though nothing is carried from the one to the other.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from urllib.parse import urlsplit

from opentelemetry import trace
from opentelemetry.context import Context, get_current
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, StatusCode, TraceFlags

from bot.dialogue import Message, Turn

_PATH = "/v1/traces"
_SEND_SECONDS = 5
_GOODBYE_SECONDS = 3.0

Values = dict[str, str | bool | int | float]

_chosen: ContextVar[SpanContext | None] = ContextVar("chosen_span", default=None)


class Tracing:
    """Makes spans, and sends them in the background; a collector that is away costs nothing but spans."""

    def __init__(self, endpoint: str, version: str, process: str, goodbye: float = _GOODBYE_SECONDS) -> None:
        """
        `endpoint` is a collector's address (its usual path is added); `process` is this process' id.

        At the end the last spans have `goodbye` seconds to be sent.
        """
        self._goodbye = goodbye
        self._exporter = OTLPSpanExporter(endpoint=_whole(endpoint), timeout=_SEND_SECONDS)
        told = {"service.name": "frontdesk", "service.version": version, "service.instance.id": process}
        self._provider = TracerProvider(
            resource=Resource.create(told), id_generator=_Ids(), shutdown_on_exit=False
        )
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer("frontdesk", version)

    async def close(self) -> None:
        """Send what is left; a collector that does not answer is not waited for long."""
        closing = asyncio.create_task(asyncio.to_thread(self._provider.shutdown))
        await asyncio.wait({closing}, timeout=self._goodbye)
        if not closing.done():
            self._exporter.shutdown()  # type: ignore[no-untyped-call]
        await closing

    def accepted(self, message: Message, began: int, values: Values) -> None:
        """Tell that a message was accepted: the root of its trace. `began` is in nanoseconds of the clock."""
        token = _chosen.set(_root_of(message))
        try:
            root = self._tracer.start_span("accept", Context(), attributes=values, start_time=began)
        finally:
            _chosen.reset(token)
        root.end()

    @contextmanager
    def turn(self, turn: Turn) -> Iterator[None]:
        """Open the span of a turn, from when it was claimed; what is told within belongs to it."""
        now, monotonic = time.time_ns(), time.monotonic()
        began = now - int((monotonic - (turn.taken_at or monotonic)) * 1e9)
        first, *joined = turn.question
        span = self._tracer.start_span(
            "turn",
            trace.set_span_in_context(NonRecordingSpan(_root_of(first)), Context()),
            attributes=_of(turn),
            links=[Link(_root_of(message)) for message in joined],
            start_time=began,
        )
        with trace.use_span(span, end_on_exit=False, record_exception=False, set_status_on_exception=False):
            self.past("claim", began, {"attempts": turn.attempts, "taken_over": turn.taken_over})
            try:
                yield
            except BaseException as error:
                _fail(span, error)
                raise
            finally:
                span.end()

    @contextmanager
    def part(self, name: str, values: Values | None = None) -> Iterator[None]:
        """Tell of a step within the turn, when it has ended or failed."""
        began, failure = time.time_ns(), None
        within = get_current()  # a stream that is left may be closed by the loop, far from its turn
        try:
            yield
        except BaseException as error:
            failure = error
            raise
        finally:
            self.past(name, began, values or {}, failure, within)

    def past(
        self,
        name: str,
        began: int,
        values: Values,
        failure: BaseException | None = None,
        within: Context | None = None,
    ) -> None:
        """Tell of a step that lies behind us, since `began` in nanoseconds of the clock."""
        span = self._tracer.start_span(name, within, attributes=values, start_time=began)
        if failure is not None:
            _fail(span, failure)
        span.end()

    def remark(self, values: Values) -> None:
        """Note something about the turn itself."""
        trace.get_current_span().set_attributes(values)


class _Ids(RandomIdGenerator):
    """Random ids, but for the root of a trace, whose ids were chosen."""

    def generate_trace_id(self) -> int:
        chosen = _chosen.get()
        return chosen.trace_id if chosen else super().generate_trace_id()

    def generate_span_id(self) -> int:
        chosen = _chosen.get()
        return chosen.span_id if chosen else super().generate_span_id()


def _root_of(message: Message) -> SpanContext:
    """Derive the ids by a hash, which leads nobody back to the place or the person."""
    digest = hashlib.sha256(message.key.encode()).digest()
    ids = int.from_bytes(digest[:16]) or 1, int.from_bytes(digest[16:24]) or 1
    return SpanContext(*ids, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def _of(turn: Turn) -> Values:
    told: Values = {"turn": turn.id, "messages": len(turn.question)}
    told["platform"] = str(turn.conversation.channel.platform)
    if turn.waited is not None:
        told["waited_seconds"] = turn.waited
    return told


def _fail(span: Span, error: BaseException) -> None:
    """By its name alone: what an error says may quote somebody. To be stopped is no failure."""
    if not isinstance(error, Exception):
        span.set_attribute("left", True)
        return
    span.set_attribute("error.type", type(error).__name__)
    span.set_status(StatusCode.ERROR)


def _whole(endpoint: str) -> str:
    return endpoint if urlsplit(endpoint).path.strip("/") else endpoint.rstrip("/") + _PATH
