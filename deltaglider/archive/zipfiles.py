"""The deflate streams of a zip: by its central directory, and where that is broken by its local headers.

Nothing in it is believed: what lies outside the file, overlaps or makes no sense is left out, and stays packed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from deltaglider.archive.limits import Ledger
from deltaglider.archive.stream import Stream
from deltaglider.archive.view import View
from deltaglider.config import MIB

LOCAL = b"PK\x03\x04"
LOCAL_SIZE = 30
_CENTRAL, _END, _END64, _LOCATOR = b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_CENTRAL_SIZE, _END_SIZE, _END64_SIZE, _LOCATOR_SIZE = 46, 22, 56, 20
_LONGEST_COMMENT = 0xFFFF
_LARGEST_DIRECTORY = 64 * MIB
_ENCRYPTED, _DESCRIBED = 0x01, 0x08
_STORED, _DEFLATED = 0, 8
_UNKNOWN = 0xFFFFFFFF
_LEAST = 8  # Bytes of a stream: a shorter one is not worth a word in a recipe.

_central = struct.Struct("<4s6H3I5H2I")
_local = struct.Struct("<4s5H3I2H")


def is_zip(view: View, head: bytes) -> bool:
    """Whether a file looks like a zip; one with something in front of it does, too.

    Args:
        view: The file.
        head: Its first bytes.

    Returns:
        Whether it does.
    """
    return head.startswith(LOCAL) or _end_of_directory(view) is not None


def streams(view: View, ledger: Ledger) -> Iterator[Stream | tuple[int, int]]:
    """What a zip holds, in the order of its directory.

    Args:
        view: The zip.
        ledger: Counts the members.

    Yields:
        The deflated members; and of members that are stored start and size, as they may be archives themselves.
    """
    directory = _directory(view)
    if directory is None:
        yield from _by_local_headers(view, ledger)
        return
    content, shift, end = directory
    position = 0
    while position + _CENTRAL_SIZE <= len(content) and ledger.member():
        fields = _central.unpack_from(content, position)
        if fields[0] != _CENTRAL:
            break
        flags, method, packed = fields[3], fields[4], fields[8]
        name, extra, comment, offset = fields[10], fields[11], fields[12], fields[16]
        following = position + _CENTRAL_SIZE + name + extra + comment
        if method in (_STORED, _DEFLATED) and not flags & _ENCRYPTED:
            if _UNKNOWN in (packed, offset, fields[9]):
                start = position + _CENTRAL_SIZE + name
                packed, offset = _large(content[start : start + extra], fields[9], packed, offset)
            found = _member(view, offset + shift, packed, method, flags, end)
            if found is not None:
                yield found
        position = following


def _member(view: View, offset: int, packed: int, method: int, flags: int, end: int) -> Stream | tuple[int, int] | None:
    header = view.read(offset, LOCAL_SIZE)
    if len(header) < LOCAL_SIZE or not header.startswith(LOCAL):
        return None
    start = offset + LOCAL_SIZE + header[26] + (header[27] << 8) + header[28] + (header[29] << 8)
    if packed < _LEAST or start + packed > end:
        return None
    return Stream(start, packed, "zip", flags >> 1 & 3) if method == _DEFLATED else (start, packed)


def _large(extra: bytes, plain: int, packed: int, offset: int) -> tuple[int, int]:
    """The packed size and offset that zip64 keeps in the extra field, each only where it does not fit its own."""
    position = 0
    while position + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, position)
        position += 4
        if kind == 1:
            values = iter(struct.unpack_from(f"<{min(size, len(extra) - position) // 8}Q", extra, position))
            if plain == _UNKNOWN:
                next(values, 0)
            if packed == _UNKNOWN:
                packed = next(values, 0)
            if offset == _UNKNOWN:
                offset = next(values, 0)
            return packed, offset
        position += size
    return packed, offset


def _end_of_directory(view: View) -> tuple[int, bytes] | None:
    """Where the end record stands, and its bytes."""
    if view.size < _END_SIZE:
        return None
    length = min(view.size, _END_SIZE + _LONGEST_COMMENT)
    for look in (min(length, _END_SIZE), length):  # Most zips have no comment.
        start = view.size - look
        tail = view.read(start, look)
        found = tail.rfind(_END)
        while found >= 0:
            record = tail[found : found + _END_SIZE]
            # The comment may be cut off, or something may follow: as long as it is plausible it is tried.
            if len(record) == _END_SIZE and found + _END_SIZE + int.from_bytes(record[20:22], "little") <= len(tail):
                return start + found, record
            found = tail.rfind(_END, 0, found)
    return None


def _directory(view: View) -> tuple[bytes, int, int] | None:
    """The central directory, what must be added to its offsets, and where it stands; ``None`` if it is broken."""
    end = _end_of_directory(view)
    if end is None:
        return None
    position, record = end
    size, offset = struct.unpack_from("<II", record, 12)
    if _UNKNOWN in (size, offset) or record[10:12] == b"\xff\xff":
        locator = view.read(position - _LOCATOR_SIZE, _LOCATOR_SIZE) if position >= _LOCATOR_SIZE else b""
        if locator.startswith(_LOCATOR):
            # Right before its locator, unless it is of a kind that nobody writes.
            position -= _LOCATOR_SIZE + _END64_SIZE
            record = view.read(position, _END64_SIZE) if position >= 0 else b""
            if not record.startswith(_END64) or len(record) < _END64_SIZE:
                return None
            size, offset = struct.unpack_from("<QQ", record, 40)
    start = position - size
    if start < 0 or not 0 < size <= _LARGEST_DIRECTORY or start < offset:
        return None
    content = view.read(start, size)
    return (content, start - offset, start) if content.startswith(_CENTRAL) else None


def _by_local_headers(view: View, ledger: Ledger) -> Iterator[Stream | tuple[int, int]]:
    """From one header to the next, as long as each says where its member ends."""
    position = 0
    while ledger.member():
        header = view.read(position, LOCAL_SIZE)
        if len(header) < LOCAL_SIZE or not header.startswith(LOCAL):
            return
        _, _, flags, method, _, _, _, packed, _, name, extra = _local.unpack(header)
        start = position + LOCAL_SIZE + name + extra
        if (flags & _DESCRIBED and not packed) or packed == _UNKNOWN:
            return
        if start + packed > view.size:
            return
        if packed >= _LEAST and not flags & _ENCRYPTED and method in (_STORED, _DEFLATED):
            yield Stream(start, packed, "zip", flags >> 1 & 3) if method == _DEFLATED else (start, packed)
        position = start + packed
