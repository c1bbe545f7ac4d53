"""Streams inflated into one temporary file, from which they can be read again and again."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

from deltaglider.archive.view import PIECE, File, View
from deltaglider.files import stop_if_cancelled
from deltaglider.late import dataclass

_AT_ONCE = 4 * PIECE  # Bytes a piece unpacks to before they are looked at: a bomb is noticed before it goes off.


@dataclass(frozen=True, slots=True)
class Inflated:
    """A stream, unpacked.

    Attributes:
        packed: The bytes it takes packed, by its own account.
        plain: What it holds.
    """

    packed: int
    plain: View


class Inflating:
    """A stream that is being inflated.

    Args:
        view: Where it lies.
        start: Where it begins.
        size: The bytes it may take there.
    """

    def __init__(self, view: View, start: int, size: int) -> None:
        self._packed = view.pieces(start, size)
        self.packed = 0
        """Bytes it took, once it has ended."""
        self.ended = False
        """Whether it came to its end: if not, it is damaged, or cut off."""

    def __iter__(self) -> Iterator[bytes]:
        machine = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            for piece in self._packed:
                self.packed += len(piece)
                yield from _inflate(machine, piece)
                if machine.eof:
                    self.packed -= len(machine.unused_data)
                    self.ended = True
                    return
                stop_if_cancelled()
        except zlib.error:
            return


def _inflate(machine: zlib._Decompress, piece: bytes) -> Iterator[bytes]:
    while True:
        plain = machine.decompress(piece, _AT_ONCE)
        if plain:
            yield plain
        piece = machine.unconsumed_tail
        if machine.eof or (not piece and len(plain) < _AT_ONCE):
            return


class Spool:
    """A temporary file that takes one inflated stream after the other.

    Args:
        path: Where; made or overwritten.
    """

    def __init__(self, path: Path) -> None:
        self._out = path.open("wb", buffering=0)
        self._file = File(path)
        self._end = 0
        self.work = 0
        """Bytes inflated so far, in vain or not."""

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        self._out.close()
        self._file.close()

    def inflate(self, view: View, start: int, size: int, allowance: int) -> Inflated | None:
        """Unpacks a deflate stream.

        Args:
            view: Where it lies.
            start: Where it begins.
            size: The bytes it may take there.
            allowance: The bytes it may unpack to.

        Returns:
            The stream; ``None`` if it is none, does not end, or unpacks to more.
        """
        begin = self._end
        stream = Inflating(view, start, size)
        for plain in stream:
            self.work += len(plain)
            if self._end - begin + len(plain) > allowance:
                break
            self._write(plain)
        if stream.ended:
            return Inflated(stream.packed, View(self._file, begin, self._end - begin))
        self._out.seek(begin)
        self._out.truncate()
        self._end = begin
        return None

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[self._out.write(view) :]
        self._end += len(data)
