"""Traces and metrics for OpenTelemetry: an observer that makes them of the events of a client.

    client = create_client(observer=opentelemetry_observer())

Only ``opentelemetry-api`` is needed (``pip install 'deltaglider[otel]'``). Which SDK records them, and where to, is the
application's business. Nothing in the package knows this room: who does not ask for it pays nothing.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from deltaglider.events import Event, Observer, ignore

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

__all__ = ["opentelemetry_observer"]

logger = logging.getLogger("deltaglider.telemetry")


def opentelemetry_observer(
    tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None
) -> Observer:
    """An observer that makes spans and metrics of events; one may serve any number of clients.

    Args:
        tracer_provider: Gives the tracer. ``None``: the global one.
        meter_provider: Gives the meter. ``None``: the global one.

    Returns:
        The observer. Without the package ``opentelemetry-api`` it does nothing, and the log says so.
    """
    try:
        from deltaglider.telemetry.metrics import Metrics
        from deltaglider.telemetry.spans import Spans
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "opentelemetry":
            raise
        logger.info("no traces and no metrics: opentelemetry-api is not installed ('deltaglider[otel]' brings it)")
        return ignore
    spans, metrics = Spans(tracer_provider), Metrics(meter_provider)

    def observe(event: Event, /) -> None:
        spans(event)
        metrics(event)

    return observe
