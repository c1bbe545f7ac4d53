"""The source of the inner delta, made of the reference again as the writer had it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from deltaglider.archive.inflating import Inflating, Spool
from deltaglider.archive.places import after_steps
from deltaglider.archive.recipe import DEFLATE, MOST_STEPS, Recipe, Taken
from deltaglider.archive.view import View
from deltaglider.config import MIB
from deltaglider.errors import DeltaCorruptError
from deltaglider.files import stop_if_cancelled

_DEEPEST = 16
_LOOK = 32  # Streams between two looks whether the caller was cancelled; long ones look themselves.
_DAMAGED = "its recipe does not fit its reference"


def most_inflated(size: int) -> int:
    """Bytes that the streams with others in them may inflate to, together, on the way to a source.

    It may be more than the source has: streams in them are in the source as what they inflate to, which can be less.

    Args:
        size: Bytes of the source.

    Returns:
        Bytes; writers keep to it, too.
    """
    return 4 * size + 64 * MIB


def restore_source(reference: View, recipe: Recipe, size: int, path: Path, scratch: Path) -> None:
    """Writes the reference, expanded.

    Args:
        reference: The reference.
        recipe: Which streams are to be inflated, not trusted.
        size: Bytes of the result, as recorded.
        path: Where to write; made or overwritten.
        scratch: For a temporary file.

    Raises:
        DeltaCorruptError: There are no such streams, or the result would have another size.
    """
    with path.open("wb", buffering=MIB) as out, Spool(scratch) as spool:
        source = _Source(out, spool, iter(recipe.taken), size)
        source.write(reference, recipe.outer_taken, 0)
        if source.room:
            raise DeltaCorruptError(_DAMAGED)


class _Source:
    def __init__(self, out: BinaryIO, spool: Spool, taken: Iterator[Taken], size: int) -> None:
        self._out, self._spool, self._taken = out, spool, taken
        self._most_inflated = most_inflated(size)
        self._count, self._steps = 0, 0
        self.room = size
        """Bytes that may still be written."""

    def write(self, view: View, count: int, depth: int) -> None:
        """Writes a container, its next streams inflated."""
        if depth > _DEEPEST:
            raise DeltaCorruptError(_DAMAGED)
        position = 0
        for _ in range(count):
            each = next(self._taken, None)
            self._steps += each.steps if each is not None else 0
            if self._steps > MOST_STEPS:
                raise DeltaCorruptError(_DAMAGED)
            place = after_steps(view, position, each.steps) if each is not None else None
            if each is None or place is None or each.kind != DEFLATE:
                raise DeltaCorruptError(_DAMAGED)
            start = place.start + each.gap
            if not position <= start <= view.size:
                raise DeltaCorruptError(_DAMAGED)
            for piece in view.pieces(position, start - position):
                self._put(piece)
            position = start + self._inflate(view, start, each.inner, depth)
            self._count += 1
            if self._count % _LOOK == 0:
                stop_if_cancelled()
        for piece in view.pieces(position):
            self._put(piece)

    def _inflate(self, view: View, start: int, inner: int, depth: int) -> int:
        """Writes the content of a stream; the bytes it took."""
        if inner:
            inflated = self._spool.inflate(view, start, view.size - start, self._most_inflated - self._spool.work)
            if inflated is None:
                raise DeltaCorruptError(_DAMAGED)
            self.write(inflated.plain, inner, depth + 1)
            return inflated.packed
        stream = Inflating(view, start, view.size - start)
        for piece in stream:
            self._put(piece)
        if not stream.ended:
            raise DeltaCorruptError(_DAMAGED)
        return stream.packed

    def _put(self, piece: bytes) -> None:
        self.room -= len(piece)
        if self.room < 0:
            raise DeltaCorruptError(_DAMAGED)
        self._out.write(piece)
        stop_if_cancelled()
