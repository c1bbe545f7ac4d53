"""What happens during long work, as typed events, and who may listen.

An observer is any callable that takes an event. It runs in the event loop, so it must return at once; an exception
from it ends the work it watches.
"""

from __future__ import annotations

import dataclasses
from typing import Literal, Protocol

from deltaglider.models import Action, Outcome


@dataclasses.dataclass(frozen=True, slots=True)
class ItemFound:
    """Bulk work learned of one more item to do.

    Attributes:
        size: Bytes it will move.
    """

    size: int


@dataclasses.dataclass(frozen=True, slots=True)
class AllFound:
    """Bulk work has seen its last item: totals are final from here on."""


@dataclasses.dataclass(frozen=True, slots=True)
class ItemStarted:
    """Work on one item began.

    Attributes:
        action: What is done.
        source: Path or URI it comes from.
        target: Path or URI it goes to.
    """

    action: Action
    source: str
    target: str | None


@dataclasses.dataclass(frozen=True, slots=True)
class ItemFinished:
    """Work on one item ended, one way or the other.

    Attributes:
        outcome: How.
    """

    outcome: Outcome


@dataclasses.dataclass(frozen=True, slots=True)
class BytesMoved:
    """Bytes of bodies went over the wire, in either direction.

    Attributes:
        direction: ``up`` or ``down``.
        count: Bytes.
    """

    direction: Literal["up", "down"]
    count: int


@dataclasses.dataclass(frozen=True, slots=True)
class CodecRan:
    """A delta was made or applied.

    Attributes:
        operation: ``encode`` or ``decode``.
        seconds: Wall time.
        reference_size: Bytes of the reference.
        original_size: Bytes of the file.
        delta_size: Bytes of the delta; 0 where it was given up as too large.
    """

    operation: Literal["encode", "decode"]
    seconds: float
    reference_size: int
    original_size: int
    delta_size: int


@dataclasses.dataclass(frozen=True, slots=True)
class CacheUsed:
    """A reference was asked of the cache.

    Attributes:
        hit: Whether it was there.
        size: Bytes of the reference.
    """

    hit: bool
    size: int


Event = ItemFound | AllFound | ItemStarted | ItemFinished | BytesMoved | CodecRan | CacheUsed


class Observer(Protocol):
    """Anything that can be called with an event."""

    def __call__(self, event: Event, /) -> None:
        """Take note of one event."""


def ignore(event: Event, /) -> None:
    """The observer that does not care."""
