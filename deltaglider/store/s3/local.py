"""Local files as sources and targets. Everything here blocks: call it in a worker thread."""

from __future__ import annotations

import contextlib
import hashlib
import mmap
import os
from pathlib import Path
from typing import Protocol

from deltaglider.config import MIB
from deltaglider.descriptors import PLAIN, read_at, write_at
from deltaglider.errors import ChecksumMismatchError
from deltaglider.files import Hashing, local_errors


class Digest(Protocol):
    """A running hash."""

    def update(self, data: bytes | memoryview, /) -> None:
        """Takes more bytes in."""

    def hexdigest(self) -> str:
        """The hash so far, in hex."""


class Source:
    """What is to be stored, read once from front to back and hashed on the way.

    Args:
        source: A file, or the bytes themselves.

    Attributes:
        size: Bytes, as found when it was opened.
        in_memory: Whether it needs no file.
    """

    def __init__(self, source: Path | bytes) -> None:
        self._data = None if isinstance(source, Path) else memoryview(source)
        self._path = source if isinstance(source, Path) else None
        self._file = -1
        self._position = 0
        self._digest: Digest = hashlib.sha256()
        self.in_memory = self._data is not None
        self.size = 0 if self._data is None else len(self._data)

    @property
    def name(self) -> str | None:
        """The file, for messages."""
        return str(self._path) if self._path is not None else None

    def open(self) -> None:
        """Opens the file.

        Raises:
            LocalFileError: It cannot be read.
        """
        if self._path is None:
            return
        with local_errors(str(self._path), "cannot be read"):
            # A pipe without a writer would block here; reading at a place refuses it, and a directory.
            self._file = os.open(self._path, os.O_RDONLY | PLAIN)
            read_at(self._file, memoryview(bytearray(1)), 0)
            self.size = os.fstat(self._file).st_size

    def read(self, count: int) -> memoryview:
        """The next ``count`` bytes.

        Raises:
            ChecksumMismatchError: There are fewer: the file was cut short.
            LocalFileError: It cannot be read.
        """
        data = self._read(count) if self._data is None else self._data[self._position : self._position + count]
        if len(data) != count:
            raise self.changed()
        self._position += count
        self._digest.update(data)
        return data

    def read_proven(self, count: int, sha256: str) -> memoryview:
        """The same, and what ``check`` does with the last of them.

        Raises:
            ChecksumMismatchError: The source changed.
            LocalFileError: It cannot be read.
        """
        data = self.read(count)
        if self._position == self.size:
            self.check(sha256)
        return data

    def rewind(self) -> None:
        """Begins at the front again."""
        self._position = 0
        self._digest = hashlib.sha256()

    def _read(self, count: int) -> memoryview:
        if count == 0:
            return memoryview(b"")
        # Of few bytes, pages that are new each time cost more than to read them.
        buffer = memoryview(_pages(count) if count > MIB else bytearray(count))
        filled = 0
        with local_errors(str(self._path), "cannot be read"):
            while filled < count:
                got = read_at(self._file, buffer[filled:], self._position + filled)
                if got == 0:
                    break
                filled += got
        return buffer[:filled]

    def check(self, sha256: str) -> None:
        """Compares what was read with what was promised.

        Raises:
            ChecksumMismatchError: They differ.
        """
        if self._digest.hexdigest() != sha256:
            raise self.changed()

    def changed(self) -> ChecksumMismatchError:
        """The error for a source that is not what it was when its SHA-256 was taken."""
        what = "the file changed while it was stored" if self._path else "the bytes do not have the SHA-256 given"
        return ChecksumMismatchError(what, uri=self.name, remedy="Nothing was stored; try again when it is at rest")

    def close(self) -> None:
        """Closes the file. Harmless if repeated."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _pages(count: int) -> mmap.mmap:
    """Memory of its own, which the system gets back at once: the allocator would keep what threads free.

    What is shared with nobody, and comes in large pages, takes a fifth of the time.
    """
    if not hasattr(mmap, "MADV_HUGEPAGE"):
        return mmap.mmap(-1, count)
    pages = mmap.mmap(-1, count, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with contextlib.suppress(OSError):  # The kernel may have been built without.
        pages.madvise(mmap.MADV_HUGEPAGE)
    return pages


class Target:
    """A file that is filled piece by piece, in any order.

    Args:
        path: An existing file.
        hashing: Told of what is written.
    """

    def __init__(self, path: Path, hashing: Hashing | None = None) -> None:
        self._path = path
        self._hashing = hashing
        self._file = -1

    @property
    def is_open(self) -> bool:
        """Whether it has to be closed yet."""
        return self._file >= 0

    def open(self) -> None:
        """Opens and empties the file: a moment, as it exists.

        Raises:
            LocalFileError: It cannot be written.
        """
        with local_errors(str(self._path), "cannot be written"):
            self._file = os.open(self._path, os.O_WRONLY | os.O_TRUNC | PLAIN)

    def write(self, pieces: list[bytes], offset: int, last: bool = False) -> None:
        """Writes pieces that follow each other.

        Args:
            pieces: They.
            offset: Where the first one belongs.
            last: Close it then.

        Raises:
            LocalFileError: The disk is full, or the file cannot be written.
        """
        for piece in pieces:  # One after the other: to put them together would copy them.
            if self._hashing is not None:
                self._hashing.take(piece, offset)
            data = memoryview(piece)
            with local_errors(str(self._path), "cannot be written"):
                while data:
                    written = write_at(self._file, data, offset)
                    data, offset = data[written:], offset + written
        if last:
            self.close()

    def follow(self, end: int) -> None:
        """Lets the hashing take in what was written, up to ``end``, if it has not."""
        if self._hashing is not None:
            self._hashing.follow(self._path, end)

    def close(self) -> None:
        """Closes the file. Harmless if repeated.

        Raises:
            LocalFileError: Only now does the system say that it could not be written.
        """
        if self._file >= 0:
            file, self._file = self._file, -1
            with local_errors(str(self._path), "cannot be written"):
                os.close(file)
