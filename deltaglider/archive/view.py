"""Bytes of a file, read where they are asked for: no archive is ever whole in memory.

No ``mmap`` of files of users: reading a mapped file that its owner cuts short ends the process, and users do write to
what is uploaded.
"""

from __future__ import annotations

import mmap
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Protocol

from deltaglider.config import KIB, MIB
from deltaglider.files import stop_if_cancelled

PIECE = 256 * KIB
"""Bytes handled at once."""


STEP = 16 * MIB
"""Bytes that are searched at once: they are in memory then."""

Content = mmap.mmap | bytearray
"""Bytes that are changed in their places: of a file of our own, which nobody else cuts short."""


def rest(content: Content) -> None:
    """A moment's rest in work on many bytes: what was looked at leaves the memory, and whoever is cancelled stops."""
    stop_if_cancelled()
    if isinstance(content, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        content.madvise(mmap.MADV_DONTNEED)  # Of a shared mapping nothing is lost: it is in the file.


class Bytes(Protocol):
    """What a view is a view of."""

    def read(self, offset: int, size: int) -> bytes:
        """Some bytes; fewer where they end."""


class Memory:
    """Bytes in memory, as if they were a file.

    Args:
        data: The bytes.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, offset: int, size: int) -> bytes:
        """Some bytes; fewer where they end."""
        return self._data[offset : offset + size]


class File:
    """A file open for reading from several threads.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        self._lock = threading.Lock()
        found = os.fstat(self._file.fileno())
        self.size = found.st_size
        self.state = (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        """What tells whether it was written since."""

    def __enter__(self) -> File:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes it. Harmless if repeated."""
        self._file.close()

    def read(self, offset: int, size: int) -> bytes:
        """Some bytes; fewer where the file ends."""
        if hasattr(os, "pread"):
            return os.pread(self._file.fileno(), size, offset)
        with self._lock:
            self._file.seek(offset)
            return self._file.read(size)

    def view(self) -> View:
        """All of it, as it was when it was opened."""
        return View(self, 0, self.size)


class View:
    """A part of a file, as if it were one.

    Args:
        file: The file.
        start: Where it begins there.
        size: Bytes.
    """

    __slots__ = ("_file", "_start", "size")

    def __init__(self, file: Bytes, start: int, size: int) -> None:
        self._file, self._start, self.size = file, start, size

    def read(self, offset: int, size: int) -> bytes:
        """Some bytes, not past the end.

        Args:
            offset: From the start of the view.
            size: The most.

        Returns:
            The bytes; fewer, or none, where there are no more.
        """
        size = min(size, self.size - offset)
        return self._file.read(self._start + offset, size) if size > 0 <= offset else b""

    def part(self, start: int, size: int) -> View:
        """A part of it, cut off where the view ends."""
        start = min(max(start, 0), self.size)
        return View(self._file, self._start + start, min(max(size, 0), self.size - start))

    def pieces(self, start: int = 0, size: int | None = None) -> Iterator[bytes]:
        """The bytes of a range, in order, some at a time; it ends early where there are no more."""
        end = self.size if size is None else min(self.size, start + size)
        while start < end and (piece := self.read(start, min(PIECE, end - start))):
            yield piece
            start += len(piece)
