"""Events as spans: one a call of a client, and under it one a request, encoding and decoding.

The span of a call is current while it runs, so that spans of libraries below are its children, too. What ends is told
when it has ended: its span is made then, with the times it had.
"""

from __future__ import annotations

import time
from contextvars import Token

from opentelemetry import context, trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, TracerProvider
from opentelemetry.util.types import AttributeValue

from deltaglider._version import __version__
from deltaglider.events import CallEnded, CallStarted, CodecRan, Event, RequestSent
from deltaglider.telemetry.attributes import codec_attributes, request_attributes, without_blanks

_NANO = 1_000_000_000

_Open = tuple[Span, Token[context.Context] | None]


class Spans:
    """An observer that makes spans.

    Args:
        provider: Gives the tracer. ``None``: the global one.
    """

    def __init__(self, provider: TracerProvider | None = None) -> None:
        self._tracer = trace.get_tracer("deltaglider", __version__, provider)
        self._open: dict[int, _Open] = {}

    def __call__(self, event: Event, /) -> None:
        """Takes note of an event."""
        if isinstance(event, CallStarted):
            self._begin(event)
        elif isinstance(event, CallEnded):
            self._end(event)
        elif isinstance(event, RequestSent):
            name = f"S3.{event.operation}"
            attributes = request_attributes(event) | without_blanks(
                {"aws.s3.bucket": event.bucket, "aws.s3.key": event.key}
            )
            self._past(name, event.seconds, SpanKind.CLIENT, attributes, event.error)
        elif isinstance(event, CodecRan):
            attributes = codec_attributes(event) | {
                "deltaglider.reference.size": event.reference_size,
                "deltaglider.original.size": event.original_size,
                "deltaglider.delta.size": event.delta_size,
            }
            self._past(f"deltaglider.{event.operation}", event.seconds, SpanKind.INTERNAL, attributes, "")

    def _begin(self, event: CallStarted) -> None:
        attributes = without_blanks({"aws.s3.bucket": event.bucket, "aws.s3.key": event.key})
        span = self._tracer.start_span(f"deltaglider.{event.verb}", attributes=attributes)
        # Between two items, a caller does other things, which are not part of the call.
        token = None if event.iterates else context.attach(trace.set_span_in_context(span))
        self._open[event.call] = span, token

    def _end(self, event: CallEnded) -> None:
        span, token = self._open.pop(event.call)
        if token is not None:
            context.detach(token)
        _close(span, event.error)

    def _past(
        self, name: str, seconds: float, kind: SpanKind, attributes: dict[str, AttributeValue], error: str
    ) -> None:
        end = time.time_ns()
        span = self._tracer.start_span(name, kind=kind, attributes=attributes, start_time=end - int(seconds * _NANO))
        _close(span, error, end)


def _close(span: Span, error: str, end: int | None = None) -> None:
    if error:
        span.set_attribute("error.type", error)
        span.set_status(Status(StatusCode.ERROR, error))
    span.end(end)
