"""Many streams packed by one run of a program: starting one costs more than packing what is small."""

from __future__ import annotations

import contextlib
import struct
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from deltaglider.archive.gzips import MAGIC, TRAILER
from deltaglider.archive.view import File, View
from deltaglider.config import MIB
from deltaglider.files import stop_if_cancelled

T = TypeVar("T")

FILES, BATCH = 400, 24 * MIB
"""What a program is given at once, at most: files, and bytes in all. Of several, the results are read into memory."""

_HEADER = 10  # Bytes: no name, no time.


def grouped(items: Iterable[T], size: Callable[[T], int], most: int, count: int = sys.maxsize) -> Iterator[list[T]]:
    """Puts what is small together; what is large stays alone.

    Args:
        items: What to group, which keeps its order.
        size: Bytes of an item.
        most: Bytes of a group of several.
        count: Items of a group, at most.

    Yields:
        The groups; none is empty.
    """
    group: list[T] = []
    total = 0
    for item in items:
        if group and (len(group) >= count or total + size(item) > most):
            yield group
            group, total = [], 0
        group.append(item)
        total += size(item)
    if group:
        yield group


class Program(Protocol):
    """A program that packs files, called from a worker thread."""

    def __call__(self, sources: Sequence[Path], output: Path, level: int) -> bool:
        """Packs files into gzip members, one after the other.

        Args:
            sources: What to pack.
            output: Where to write; made or overwritten.
            level: How hard it tries.

        Returns:
            Whether it did; not if it is missing, or failed.
        """


class Bench:
    """A directory where programs work, and their results until the end.

    Args:
        directory: Where to put it.
    """

    def __init__(self, directory: Path) -> None:
        self._stack = contextlib.ExitStack()
        self._directory = Path(self._stack.enter_context(tempfile.TemporaryDirectory(dir=directory)))
        self._runs = 0

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def pack(self, program: Program, level: int, contents: Sequence[Iterable[bytes]]) -> list[View] | None:
        """Packs some contents.

        Args:
            program: What packs.
            level: How hard it tries.
            contents: The bytes of each, in pieces.

        Returns:
            The deflate streams, valid until the end of the context; ``None`` if the program failed, or gave what
            gzip does not.
        """
        self._runs += 1
        output = self._directory / f"packed-{self._runs}"
        sources, trailers = [], []
        try:
            for number, content in enumerate(contents):
                sources.append(self._directory / f"{number}")
                trailers.append(_write(sources[-1], content))
            if not program(sources, output, level):
                return None
        finally:
            for source in sources:
                source.unlink(missing_ok=True)
        packed = self._stack.enter_context(File(output)).view()
        return _members(packed, trailers)


def _write(path: Path, content: Iterable[bytes]) -> bytes:
    """Writes a file, and returns the end of a gzip member that holds the same."""
    checksum, size = 0, 0
    with path.open("wb") as file:
        for piece in content:
            checksum, size = zlib.crc32(piece, checksum), size + len(piece)
            file.write(piece)
            stop_if_cancelled()
    return struct.pack("<II", checksum, size & 0xFFFFFFFF)


def _members(packed: View, trailers: Sequence[bytes]) -> list[View] | None:
    """The streams in gzip members.

    A member ends with the checksum and the length of what it holds. These eight bytes, and the beginning of the next
    member's header, are looked for: inflating all of it would cost a third of what packing did.
    """
    if len(trailers) == 1:  # It may be larger than memory.
        data, end = packed.read(0, _HEADER), packed.size - TRAILER
        good = data.startswith(MAGIC + b"\0") and packed.read(end, TRAILER) == trailers[0] and end > _HEADER
        return [packed.part(_HEADER, end - _HEADER)] if good else None
    data, found, position = packed.read(0, packed.size), [], 0
    for number, trailer in enumerate(trailers):
        if data[position : position + 4] != MAGIC + b"\0":
            return None
        position += _HEADER
        end = data.find(trailer if number == len(trailers) - 1 else trailer + MAGIC, position)
        if end < 0:
            return None
        found.append(packed.part(position, end - position))
        position = end + TRAILER
    return found if position == packed.size else None
