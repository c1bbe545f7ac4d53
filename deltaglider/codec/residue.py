"""A delta of stretches that resemble each other: the differences of their bytes, and what is like nothing.

To the byte in docs/bucket-format.md. The differences are mostly 0, and repeat where addresses moved by the same number
of bytes, so that LZMA makes little of them.
"""

from __future__ import annotations

import contextlib
import lzma
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from deltaglider.archive.numbers import Numbers, folded, packed, unfolded
from deltaglider.codec.alignment import Content, Stretch
from deltaglider.codec.output import Output
from deltaglider.config import KIB, MIB
from deltaglider.errors import DeltaCorruptError, UnknownFormatError
from deltaglider.files import local_errors, stop_if_cancelled

MAGIC = b"\xd7DGR"
VERSION = 1

_REMEDY = "Free some space, or set temp_dir (DG_TEMP_DIR) to a larger disk"
_DICTIONARY = 8 * MIB
_FILTERS = {  # Differences are mostly 0: a slower way saves 3 % of them.
    level: [{"id": lzma.FILTER_LZMA2, "preset": level, "dict_size": _DICTIONARY}] for level in (3, 6)
}
_PIECE = 64 * KIB
_HEAD = 64  # Bytes that the numbers of the head take at most.
_MOST_NUMBERS = 64 * MIB
_LEAST_PER_STRETCH = 3  # Bytes of numbers.


def write(stretches: list[Stretch], reference: Content, target: Content, delta: Path, limit: int) -> bool:
    """Writes a delta.

    Args:
        stretches: What resembles what.
        reference: The reference's bytes.
        target: The file's bytes.
        delta: Where to.
        limit: Bytes. It is given up when it is larger.

    Returns:
        Whether it is there.

    Raises:
        LocalFileError: The disk is full.
    """
    numbers = _numbers(stretches)
    if len(numbers) > _MOST_NUMBERS:
        return False
    with local_errors(str(delta.parent), "cannot be written", _REMEDY), contextlib.ExitStack() as stack:
        parts = [_Packed(stack.enter_context(tempfile.TemporaryFile(dir=delta.parent)), level) for level in (6, 3, 6)]
        parts[0].write(numbers)
        end = 0
        for number, stretch in enumerate(stretches):
            if not number % 256:
                stop_if_cancelled()
            for at in range(end, stretch.start, _PIECE):
                parts[2].write(target[at : min(at + _PIECE, stretch.start)])
            for at in range(0, stretch.size, _PIECE):
                size = min(_PIECE, stretch.size - at)
                ours, theirs = stretch.start + at, stretch.source + at
                parts[1].write(difference(target[ours : ours + size], reference[theirs : theirs + size]))
            end = stretch.end
            if sum(part.size for part in parts) > limit:
                return False
        for at in range(end, len(target), _PIECE):
            parts[2].write(target[at : at + _PIECE])
        sizes = [part.finish() for part in parts]
        head = MAGIC + bytes([VERSION]) + packed([len(target), len(stretches), len(numbers), *sizes])
        if len(head) + sum(sizes) > limit:
            return False
        with delta.open("wb") as out:
            out.write(head)
            for part in parts:
                part.file.seek(0)
                shutil.copyfileobj(part.file, out)
    return True


def read(delta: Path, reference: Content, out: Output) -> None:
    """Writes the file that a delta makes of its reference.

    Args:
        delta: The delta, not trusted.
        reference: The reference's bytes.
        out: Where to.

    Raises:
        DeltaCorruptError: It is damaged, or makes more bytes than it may.
        UnknownFormatError: It was written by a later version.
    """
    with local_errors(str(delta), "cannot be read"), contextlib.ExitStack() as stack:
        files = [stack.enter_context(delta.open("rb")) for _ in range(3)]
        start = files[0].read(len(MAGIC) + 1 + _HEAD)
        if start[: len(MAGIC)] != MAGIC or len(start) <= len(MAGIC):
            raise DeltaCorruptError("it does not begin as a delta of this format does")
        if start[len(MAGIC)] != VERSION:
            raise UnknownFormatError(
                f"it is in format {start[len(MAGIC)]}, which this version does not know", remedy="Update deltaglider"
            )
        head = Numbers(start[len(MAGIC) + 1 :])
        size, count, plain, *sizes = (head.next() for _ in range(6))
        if plain > _MOST_NUMBERS or count * _LEAST_PER_STRETCH > plain:
            raise DeltaCorruptError("its head makes no sense")
        place = len(MAGIC) + 1 + head.position
        if place + sum(sizes) > delta.stat().st_size:
            raise DeltaCorruptError("it is cut off")
        streams = []
        for file, length in zip(files, sizes, strict=True):
            streams.append(_Unpacked(file, place, length))
            place += length
        numbers = Numbers(b"".join(streams[0].pieces(plain)))
        source = 0
        for number in range(count):
            if not number % 256:
                stop_if_cancelled()
            for piece in streams[2].pieces(numbers.next()):
                out.write(piece)
            length = numbers.next()
            source += unfolded(numbers.next())
            if source < 0 or source + length > len(reference):
                raise DeltaCorruptError("it copies what the reference does not have")
            for piece in streams[1].pieces(length):
                out.write(total(piece, reference[source : source + len(piece)]))
                source += len(piece)
        for piece in streams[2].pieces(size - out.count):
            out.write(piece)


def difference(one: bytes, other: bytes) -> bytes:
    """Bytes of the same length, each less that of the other, modulo 256: all at once, as one long number."""
    size = len(one)
    high = int.from_bytes(b"\x80" * size, "little")
    a, b = int.from_bytes(one, "little"), int.from_bytes(other, "little")
    # The highest bit of each byte is kept out of the subtraction, so that no byte borrows of the next.
    return (((a | high) - (b & ~high)) ^ ((a ^ b ^ high) & high)).to_bytes(size, "little")


def total(one: bytes, other: bytes) -> bytes:
    """The opposite: bytes of the same length, each added to that of the other."""
    size = len(one)
    high = int.from_bytes(b"\x80" * size, "little")
    a, b = int.from_bytes(one, "little"), int.from_bytes(other, "little")
    return (((a & ~high) + (b & ~high)) ^ ((a ^ b) & high)).to_bytes(size, "little")


def _numbers(stretches: list[Stretch]) -> bytes:
    """Of each stretch: the bytes before it that are like nothing, its own, and how far its source is from the last."""
    numbers = []
    end = source = 0
    for stretch in stretches:
        numbers += [stretch.start - end, stretch.size, folded(stretch.source - source)]
        end, source = stretch.end, stretch.source + stretch.size
    return packed(numbers)


class _Packed:
    """Packs what it is given into a file."""

    def __init__(self, file: BinaryIO, level: int) -> None:
        self.file = file
        self.size = 0
        self._compressor = lzma.LZMACompressor(lzma.FORMAT_RAW, filters=_FILTERS[level])

    def write(self, data: bytes) -> None:
        stop_if_cancelled()
        self.size += self.file.write(self._compressor.compress(data))

    def finish(self) -> int:
        self.size += self.file.write(self._compressor.flush())
        return self.size


class _Unpacked:
    """Reads a packed part of a file, as much as is asked for."""

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        file.seek(start)
        self._file, self._rest = file, size
        self._decompressor = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=_FILTERS[6])

    def pieces(self, size: int) -> Iterator[bytes]:
        """The next bytes.

        Raises:
            DeltaCorruptError: There are not so many, or they are damaged.
        """
        while size > 0:
            stop_if_cancelled()
            feed = b""
            if self._decompressor.needs_input and not self._decompressor.eof:
                feed = self._file.read(min(_PIECE, self._rest))
                self._rest = self._rest - len(feed) if feed else 0  # Nothing: the file ends before it should.
            try:
                piece = self._decompressor.decompress(feed, min(_PIECE, size))
            except (lzma.LZMAError, EOFError) as error:
                raise DeltaCorruptError(f"what is packed in it is damaged: {error}") from error
            if not piece and (self._decompressor.eof or (self._decompressor.needs_input and not self._rest)):
                raise DeltaCorruptError("it is cut off")
            size -= len(piece)
            yield piece
