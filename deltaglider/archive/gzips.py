"""The deflate stream of a gzip member."""

from __future__ import annotations

from deltaglider.archive.stream import Stream
from deltaglider.archive.view import View
from deltaglider.config import KIB

MAGIC = b"\x1f\x8b\x08"
TRAILER = 8
"""Bytes after the deflate stream: CRC-32 and length."""

_FIXED = 10
_CHECKED, _EXTRA, _NAMED, _COMMENTED, _RESERVED = 2, 4, 8, 16, 0xE0
_LONGEST = 66 * KIB + 4 * KIB  # An extra field of 64 KiB, a name and a comment.
_USUAL = 512
_LEAST = 2  # Bytes of the shortest deflate stream.


def header_size(view: View, position: int) -> int | None:
    """The length of a gzip header (RFC 1952).

    Args:
        view: Where it is.
        position: Where it begins.

    Returns:
        Bytes; ``None`` if there is none, or it is longer than any program makes it.
    """
    head = view.read(position, _USUAL)
    size = _parse(head)
    if size is None and len(head) == _USUAL and head.startswith(MAGIC):
        size = _parse(view.read(position, _LONGEST))
    return size


def _parse(head: bytes) -> int | None:
    if len(head) < _FIXED or not head.startswith(MAGIC) or head[3] & _RESERVED:
        return None
    flags, size = head[3], _FIXED
    if flags & _EXTRA:
        size += 2 + int.from_bytes(head[size : size + 2], "little")
    for flag in (_NAMED, _COMMENTED):
        if flags & flag:
            size = head.find(b"\0", size) + 1
            if not size:
                return None
    size += 2 if flags & _CHECKED else 0
    return size if size <= len(head) else None


def stream(view: View, position: int = 0) -> Stream | None:
    """The stream of a gzip member.

    Args:
        view: Where it is.
        position: Where the member begins.

    Returns:
        The stream, taken to fill the view but for a trailer: where it ends is seen when it is inflated. ``None`` if
        there is none.
    """
    size = header_size(view, position)
    if size is None:
        return None
    start = position + size
    length = view.size - TRAILER - start
    if length < _LEAST:
        return None
    return Stream(start, length, "gzip", int.from_bytes(view.read(position + 8, 2), "big"))
