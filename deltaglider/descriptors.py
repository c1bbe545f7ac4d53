"""Open files that are read and written at given places, by several threads; also where the system has no call for it.

Windows has neither ``pread`` nor ``pwrite``, and would translate line ends unless told not to.
"""

from __future__ import annotations

import os
import threading

PLAIN = getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
"""Flags for ``os.open``: bytes as they are, and no waiting for the other side of a pipe."""

_AT_ONCE = hasattr(os, "preadv") and hasattr(os, "pwrite")
_moving = threading.Lock()


def read_at(descriptor: int, buffer: memoryview, offset: int, *, at_once: bool = _AT_ONCE) -> int:
    """Fills a buffer with what stands at a place.

    Args:
        descriptor: An open file.
        buffer: For the bytes; as many as it holds are asked for.
        offset: Bytes from the front of the file.
        at_once: Whether the system can do that in one call; else the position of the file is moved, one thread at a
            time.

    Returns:
        How many bytes there were; 0 at the end.

    Raises:
        OSError: It cannot be read there: a pipe, a directory, a failing disk.
    """
    if at_once:
        return os.preadv(descriptor, [buffer], offset)
    with _moving:
        os.lseek(descriptor, offset, os.SEEK_SET)
        data = os.read(descriptor, len(buffer))
    buffer[: len(data)] = data
    return len(data)


def write_at(descriptor: int, data: memoryview, offset: int, *, at_once: bool = _AT_ONCE) -> int:
    """Writes bytes at a place.

    Args:
        descriptor: An open file.
        data: The bytes.
        offset: Bytes from the front of the file.
        at_once: As for ``read_at``.

    Returns:
        How many were taken.

    Raises:
        OSError: It cannot be written there.
    """
    if at_once:
        return os.pwrite(descriptor, data, offset)
    with _moving:
        os.lseek(descriptor, offset, os.SEEK_SET)
        return os.write(descriptor, data)
