"""What the windows of a delta add up to, before any is decoded: RFC 3284, section 4, and the checksums of xdelta3."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from deltaglider.archive.container import MAGIC as ARCHIVE_MAGIC
from deltaglider.archive.container import Head
from deltaglider.codec import headers
from deltaglider.errors import DeltaCorruptError
from deltaglider.files import local_errors
from deltaglider.late import dataclass

_MAGIC = b"\xd6\xc3\xc4\x00"
_SECONDARY, _CODE_TABLE, _APPLICATION = 1, 2, 4
_FROM_SOURCE, _FROM_TARGET, _CHECKSUM = 1, 2, 4
_LONGEST_INTEGER = 10
_LONGEST_NOTE = 1 << 16
_MOST_WINDOWS = 1 << 20  # Of 8 MiB, unless the file is small.


@dataclass(frozen=True, slots=True)
class Outline:
    """The frame of a delta.

    Attributes:
        size: Bytes it decodes to, as its windows say.
        checked: Whether every window has a checksum, so that a wrong reference is noticed.
        sourced: Whether any window takes bytes from a reference. Without that, every reference is as good.
        made_of: The name of the file it was made of, as xdelta3 noted it; empty if it did not.
        codec: What decodes it, as ``dg-codec`` has it.
    """

    size: int
    checked: bool
    sourced: bool
    made_of: str = ""
    codec: str = ""


def outline(path: Path) -> Outline:
    """Reads the frame of a delta, and nothing of its content. For worker threads.

    Args:
        path: The delta, not trusted.

    Returns:
        What its windows say.

    Raises:
        DeltaCorruptError: It is no delta that xdelta3 could have made, or is cut off.
        LocalFileError: It cannot be read.
    """
    with local_errors(str(path), "cannot be read"), path.open("rb") as file:
        total = path.stat().st_size
        magic = file.read(4)
        if magic == ARCHIVE_MAGIC:
            file.seek(0)
            head = Head.read(file)
            return Outline(head.size, checked=head.inner == "", sourced=True, codec="archive")
        if magic == headers.MAGIC:
            file.seek(0)
            alike = headers.Head.read(file)
            return Outline(alike.size, checked=alike.inner == "", sourced=True, codec="headers")
        if magic != _MAGIC:
            raise DeltaCorruptError("it does not begin as a delta does")
        header = _byte(file)
        if header & _CODE_TABLE:
            raise DeltaCorruptError("it has a code table of its own, as no delta of ours")
        if header & _SECONDARY:
            _byte(file)
        made_of = _noted_name(file, total) if header & _APPLICATION else ""
        size, checked, sourced = 0, True, False
        for _ in range(_MOST_WINDOWS):
            if file.tell() >= total:
                break
            indicator = _byte(file)
            if indicator & (_FROM_SOURCE | _FROM_TARGET):
                _integer(file)
                _integer(file)
            length = _integer(file)
            end = file.tell() + length
            size += _integer(file)
            checked = checked and bool(indicator & _CHECKSUM)
            sourced = sourced or bool(indicator & _FROM_SOURCE)
            if end > total:
                raise DeltaCorruptError("it is cut off")
            file.seek(end)
        else:
            raise DeltaCorruptError("it has more windows than xdelta3 would make")
        return Outline(size, checked, sourced, made_of)


def _noted_name(file: BinaryIO, total: int) -> str:
    """From ``name/compressor/reference's name/compressor``, where xdelta3 noted these."""
    length = _integer(file)
    start = file.tell()
    if start + length > total:
        raise DeltaCorruptError("it is cut off")
    parts = file.read(min(length, _LONGEST_NOTE)).split(b"/")
    file.seek(start + length)
    return parts[0].decode("utf-8", "surrogateescape") if len(parts) == 4 else ""


def _byte(file: BinaryIO) -> int:
    piece = file.read(1)
    if not piece:
        raise DeltaCorruptError("it is cut off")
    return piece[0]


def _integer(file: BinaryIO) -> int:
    """Seven bits a byte, the most significant first."""
    value = 0
    for _ in range(_LONGEST_INTEGER):
        byte = _byte(file)
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            return value
    raise DeltaCorruptError("it holds a number that is too long")
