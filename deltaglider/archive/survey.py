"""The streams of a file and what tells one from another: the hash of their packed bytes, and not their names."""

from __future__ import annotations

import hashlib

from deltaglider.archive.finding import find
from deltaglider.archive.limits import Ledger
from deltaglider.archive.stream import Stream
from deltaglider.archive.view import PIECE, View
from deltaglider.files import stop_if_cancelled
from deltaglider.late import dataclass

_LOOK = 64  # Pieces between two looks whether the caller was cancelled.


@dataclass(frozen=True, slots=True)
class Found:
    """A stream in a container.

    Attributes:
        stream: Where.
        digest: Of its packed bytes.
    """

    stream: Stream
    digest: bytes


def survey(view: View, ledger: Ledger, *, depth: int = 0) -> list[Found]:
    """Finds the streams of a container, and hashes them.

    Args:
        view: The container.
        ledger: Counts what is looked at.
        depth: Containers it is in.

    Returns:
        The streams, in their order.
    """
    return [Found(stream, digest_of(view, stream.start, stream.size)) for stream in find(view, ledger, depth=depth)]


def digest_of(view: View, start: int, size: int) -> bytes:
    """The hash of a range."""
    if size <= PIECE:
        return hashlib.sha256(view.read(start, size)).digest()
    digest = hashlib.sha256()
    for number, piece in enumerate(view.pieces(start, size)):
        digest.update(piece)
        if number % _LOOK == 0:
            stop_if_cancelled()
    return digest.digest()
