"""Events as metrics."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from opentelemetry import metrics
from opentelemetry.metrics import MeterProvider

from deltaglider._version import __version__
from deltaglider.events import (
    BytesMoved,
    CacheUsed,
    CallEnded,
    CodecRan,
    Event,
    ItemFinished,
    ObjectStored,
    RequestSent,
)
from deltaglider.telemetry.attributes import codec_attributes, request_attributes, without_blanks

DURATIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "deltaglider.call.duration": "Seconds that calls of the client took.",
        "deltaglider.request.duration": "Seconds until requests to S3 were answered, repetitions included.",
        "deltaglider.codec.duration": "Seconds that deltas took to be made or applied.",
    }
)
"""Histograms, in seconds."""

COUNTERS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "deltaglider.objects": ("{object}", "Objects stored."),
        "deltaglider.original.size": ("By", "Bytes of the files that were stored."),
        "deltaglider.stored.size": ("By", "Bytes that were stored for them, new references included."),
        "deltaglider.network.io": ("By", "Bytes of bodies that went over the wire."),
        "deltaglider.cache.lookups": ("{lookup}", "References asked of the cache."),
        "deltaglider.items": ("{item}", "Items that bulk work is done with."),
    }
)
"""Counters, with their units."""

RATIO: Final = "deltaglider.delta.ratio"
"""A histogram of the sizes of deltas as shares of their files'; of those that were kept."""
SAVED: Final = "deltaglider.saved.size"
"""Bytes that were not stored: an up-down counter, since a new reference is stored beside the first delta."""

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)
_RATIOS: Final = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1)
_DIRECTIONS: Final[Mapping[str, str]] = MappingProxyType({"up": "transmit", "down": "receive"})


class Metrics:
    """An observer that counts and measures.

    Args:
        provider: Gives the meter. ``None``: the global one.
    """

    def __init__(self, provider: MeterProvider | None = None) -> None:
        meter = metrics.get_meter("deltaglider", __version__, provider)
        self._durations = {
            name: meter.create_histogram(name, "s", text, explicit_bucket_boundaries_advisory=_SECONDS)
            for name, text in DURATIONS.items()
        }
        self._counters = {name: meter.create_counter(name, unit, text) for name, (unit, text) in COUNTERS.items()}
        self._ratio = meter.create_histogram(
            RATIO, "1", "Sizes of deltas by those of their files.", explicit_bucket_boundaries_advisory=_RATIOS
        )
        self._saved = meter.create_up_down_counter(SAVED, "By", "Bytes that deltas saved.")

    def __call__(self, event: Event, /) -> None:
        """Takes note of an event."""
        match event:
            case CallEnded():
                attributes = without_blanks({"deltaglider.verb": event.verb, "error.type": event.error})
                self._durations["deltaglider.call.duration"].record(event.seconds, attributes)
            case RequestSent():
                self._durations["deltaglider.request.duration"].record(event.seconds, request_attributes(event))
            case CodecRan():
                self._codec(event)
            case ObjectStored():
                self._stored(event)
            case BytesMoved():
                direction = {"network.io.direction": _DIRECTIONS[event.direction]}
                self._counters["deltaglider.network.io"].add(event.count, direction)
            case CacheUsed():
                self._counters["deltaglider.cache.lookups"].add(1, {"deltaglider.cache.hit": event.hit})
            case ItemFinished():
                outcome = {
                    "deltaglider.action": event.outcome.action,
                    "deltaglider.status": event.outcome.status,
                }
                self._counters["deltaglider.items"].add(1, outcome)

    def _codec(self, event: CodecRan) -> None:
        self._durations["deltaglider.codec.duration"].record(event.seconds, codec_attributes(event))
        if event.operation == "encode" and event.delta_size and event.original_size:
            self._ratio.record(event.delta_size / event.original_size)

    def _stored(self, event: ObjectStored) -> None:
        operation = {"deltaglider.operation": event.operation}
        self._counters["deltaglider.objects"].add(1, operation)
        self._counters["deltaglider.original.size"].add(event.original_size, operation)
        self._counters["deltaglider.stored.size"].add(event.stored_size, operation)
        self._saved.add(event.original_size - event.stored_size, operation)
