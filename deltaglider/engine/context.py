"""What every verb needs, assembled once where the client is made."""

from __future__ import annotations

import contextlib
import dataclasses
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import islice
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakValueDictionary

import anyio

from deltaglider._version import __version__
from deltaglider.cache.notes import Notes
from deltaglider.cache.references import ReferenceCache
from deltaglider.codec.family import Codecs
from deltaglider.config import Settings
from deltaglider.engine.spool import Spool
from deltaglider.events import BytesMoved, ObjectStored, Observer, ignore
from deltaglider.late import dataclass
from deltaglider.layout.keys import delta_key, without_delta
from deltaglider.models import UploadSummary
from deltaglider.store.base import Moved, ObjectStore
from deltaglider.threads import in_thread

if TYPE_CHECKING:
    from deltaglider.codec.recompress import Recompressor

T = TypeVar("T")

TOOL = f"deltaglider/{__version__}"
"""What ``dg-tool`` records."""

CLEANUP_SECONDS = 30.0
"""How long clean-up may take after an error or a cancellation (rule A5)."""

_REMEMBERED = 4096


@dataclass(slots=True)
class Flight:
    """What a client knows of one deltaspace: who is looking for its reference, and what was found.

    Attributes:
        lock: Held while a first reference is looked for and made, so that one client makes one.
        reference: Key, SHA-256 and size of the reference found last; a hint only, confirmed after each use.
    """

    lock: anyio.Lock = dataclasses.field(default_factory=anyio.Lock)
    reference: tuple[str, str, int] | None = None


class Lead:
    """The lead in a deltaspace: who has it looks for a reference, or becomes it, while the others wait.

    Args:
        flight: Of the deltaspace; its lock is held by who has the lead.
    """

    def __init__(self, flight: Flight) -> None:
        self.flight = flight
        self._held = False

    def take_if_free(self) -> None:
        """Takes it, if nobody has it."""
        with contextlib.suppress(anyio.WouldBlock):
            self.flight.lock.acquire_nowait()
            self._held = True

    async def __aenter__(self) -> None:
        if not self._held:
            await self.flight.lock.acquire()
            self._held = True

    async def __aexit__(self, *error: object) -> None:
        self.release()

    def release(self) -> None:
        """Gives it up, if it was held. By the task that took it."""
        if self._held:
            self._held = False
            self.flight.lock.release()


class Flights:
    """What goes on in a client: the deltaspaces it has met, a bounded number of them, and the keys being written."""

    def __init__(self) -> None:
        self._flights: OrderedDict[tuple[str, str], Flight] = OrderedDict()
        self._writing: WeakValueDictionary[tuple[str, str], anyio.Lock] = WeakValueDictionary()

    def of(self, bucket: str, deltaspace: str) -> Flight:
        """The flight of a deltaspace, made if need be."""
        flight = self._flights.setdefault((bucket, deltaspace), Flight())
        self._flights.move_to_end((bucket, deltaspace))
        for name, oldest in list(islice(self._flights.items(), max(0, len(self._flights) - _REMEMBERED))):
            if not oldest.lock.statistics().locked and oldest is not flight:
                del self._flights[name]
        return flight

    @asynccontextmanager
    async def lead(self, bucket: str, deltaspace: str, *, at_once: bool) -> AsyncIterator[Lead]:
        """The lead in a deltaspace, to be taken at some time; given up at the end.

        Args:
            bucket: The bucket.
            deltaspace: The deltaspace.
            at_once: Whether it is taken now, if it is free and no reference is known: so it is the first upload that
                becomes the reference, and not the one whose file is read first.
        """
        flight = self.of(bucket, deltaspace)
        lead = Lead(flight)
        try:
            if at_once and flight.reference is None:
                lead.take_if_free()
            yield lead
        finally:
            lead.release()

    @asynccontextmanager
    async def writing(self, bucket: str, key: str) -> AsyncIterator[None]:
        """Held while an object is stored, so that no other is stored under its keys unseen.

        ``x.zip``, as a delta, and a user's own ``x.zip.delta`` have a stored key in common; who comes second shall find
        what the first one stored.

        Args:
            bucket: The bucket.
            key: The object's key.
        """
        names = [key, delta_key(key)] if without_delta(key) else [delta_key(key)]
        locks = [self._writing.setdefault((bucket, name), anyio.Lock()) for name in names]
        async with AsyncExitStack() as stack:
            # The shorter key first, by all: so nobody waits for one who waits for him.
            for lock in locks:
                await stack.enter_async_context(lock)
            yield

    def forget(self, bucket: str, deltaspace: str) -> None:
        """Forgets what was found, not who is looking."""
        flight = self._flights.get((bucket, deltaspace))
        if flight is not None:
            flight.reference = None


def _make_recompressor() -> Recompressor:
    from deltaglider.codec import recompress

    return recompress.Recompressor()


@dataclass(frozen=True, slots=True)
class Context:
    """The parts of a client.

    Attributes:
        settings: What the user asked for.
        store: Where objects live.
        codecs: What makes and applies deltas.
        cache: References on this machine.
        spool: Temporary files.
        notes: What was learned of objects and files, on this machine.
        observer: Who listens.
        flights: Deltaspaces met.
        files: Bounds the threads that read and write whole files.
        hashing: Bounds the threads that hash a whole file before it is sent: with no more than there are cores, the
            first are on their way while the others are hashed.
        recompressor: Makes what makes files again whose packing an earlier tool lost.
    """

    settings: Settings
    store: ObjectStore
    codecs: Codecs
    cache: ReferenceCache
    spool: Spool
    notes: Notes
    observer: Observer = ignore
    flights: Flights = dataclasses.field(default_factory=Flights)
    files: anyio.CapacityLimiter = dataclasses.field(default_factory=lambda: anyio.CapacityLimiter(8))
    hashing: anyio.CapacityLimiter = dataclasses.field(default_factory=lambda: anyio.CapacityLimiter(2))
    recompressor: Callable[[], Recompressor] = _make_recompressor

    async def thread(self, function: Callable[..., T], *arguments: object) -> T:
        """Runs a blocking function on files in a worker thread."""
        return await in_thread(function, *arguments, limiter=self.files)

    @property
    def sent(self) -> Moved:
        """Tells the observer of bytes that went up."""
        return lambda count: self.observer(BytesMoved("up", count))

    @property
    def received(self) -> Moved:
        """Tells the observer of bytes that came down."""
        return lambda count: self.observer(BytesMoved("down", count))

    def stored(self, summary: UploadSummary) -> None:
        """Tells the observer of an object that was stored."""
        self.observer(ObjectStored(summary.operation, summary.original_size, summary.stored_size))


def uri_of(bucket: str, key: str) -> str:
    """``s3://bucket/key``, as errors name it."""
    return f"s3://{bucket}/{key}"
