"""What happens during long work, as typed events, and who may listen.

An observer is any callable that takes an event. It runs in the event loop, so it must return at once; an exception
from it ends the work it watches.
"""

from __future__ import annotations

from typing import Literal, Protocol

from deltaglider.late import dataclass
from deltaglider.models import Action, Outcome


@dataclass(frozen=True, slots=True)
class ItemFound:
    """Bulk work learned of one more item to do.

    Attributes:
        size: Bytes it will move.
    """

    size: int


@dataclass(frozen=True, slots=True)
class AllFound:
    """Bulk work has seen its last item: totals are final from here on."""


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class ItemFinished:
    """Work on one item ended, one way or the other.

    Attributes:
        outcome: How.
    """

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class BytesMoved:
    """Bytes of bodies went over the wire, in either direction.

    Attributes:
        direction: ``up`` or ``down``.
        count: Bytes.
    """

    direction: Literal["up", "down"]
    count: int


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class CacheUsed:
    """A reference was asked of the cache.

    Attributes:
        hit: Whether it was there.
        size: Bytes of the reference.
    """

    hit: bool
    size: int


@dataclass(frozen=True, slots=True)
class CallStarted:
    """A method of a client was called.

    Attributes:
        call: A number; that of the call's end is the same.
        verb: The method's name.
        bucket: The bucket it is about, of two the target's; empty if it names none.
        key: The key, or prefix; empty if it names none.
        iterates: Whether it gives one thing after the other, so that its caller does other things in between.
    """

    call: int
    verb: str
    bucket: str
    key: str
    iterates: bool


@dataclass(frozen=True, slots=True)
class CallEnded:
    """It returned or raised.

    Attributes:
        call: The number of its beginning.
        verb: The method's name.
        seconds: Wall time.
        error: The ``code`` of the error, or S3's code for it, or the name of its class; empty if there was none.
    """

    call: int
    verb: str
    seconds: float
    error: str


@dataclass(frozen=True, slots=True)
class RequestSent:
    """A request to a store on S3 was answered, or given up. Repetitions of it are part of it.

    Attributes:
        operation: S3's name of it, such as ``PutObject``.
        bucket: The bucket; empty if it is about none.
        key: The stored key; empty if it is about none.
        seconds: Wall time until the answer's head was there.
        status: The HTTP status; 0 if there is none.
        error: As of ``CallEnded``.
    """

    operation: str
    bucket: str
    key: str
    seconds: float
    status: int
    error: str


@dataclass(frozen=True, slots=True)
class ObjectStored:
    """An object was stored by an upload or a copy.

    Attributes:
        operation: ``create_reference``, ``create_delta`` or ``upload_direct``.
        original_size: Bytes of the file.
        stored_size: Bytes that were stored for it, a new reference included.
    """

    operation: str
    original_size: int
    stored_size: int


Event = (
    ItemFound
    | AllFound
    | ItemStarted
    | ItemFinished
    | BytesMoved
    | CodecRan
    | CacheUsed
    | CallStarted
    | CallEnded
    | RequestSent
    | ObjectStored
)


class Observer(Protocol):
    """Anything that can be called with an event."""

    def __call__(self, event: Event, /) -> None:
        """Take note of one event."""


def ignore(event: Event, /) -> None:
    """The observer that does not care."""
