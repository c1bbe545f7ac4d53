"""What the header of a delta tells without decoding it (RFC 3284, section 4.1, and the habits of xdelta3)."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from deltaglider.config import KIB
from deltaglider.files import local_errors
from deltaglider.late import dataclass

MAGIC = b"\xd6\xc3\xc4"

_SECONDARY, _CODE_TABLE, _APPLICATION = 1, 2, 4  # Bits of the header indicator.
_LONGEST = 64 * KIB


@dataclass(frozen=True, slots=True)
class Inputs:
    """What xdelta3 noted of the two files it made a delta of.

    Attributes:
        target: The compressor it undid on the file: ``G`` gzip, ``B`` bzip2, ``Y`` xz, ``Z`` compress; empty for none.
        source: The same of the reference.
    """

    target: str
    source: str


def inputs_of(delta: Path) -> Inputs | None:
    """Reads what the application header of a delta says.

    Args:
        delta: The delta, not trusted.

    Returns:
        What it says; ``None`` where it has no such header, or none of xdelta3's.

    Raises:
        LocalFileError: It cannot be read.
    """
    with local_errors(str(delta), "cannot be read"), delta.open("rb") as file:
        header = _application_header(file)
    parts = header.split(b"/") if header is not None else []
    if len(parts) != 4:  # target name / compressor / source name / compressor
        return None
    return Inputs(parts[1].decode("latin-1"), parts[3].decode("latin-1"))


def _application_header(file: BinaryIO) -> bytes | None:
    start = file.read(5)
    if len(start) < 5 or start[:3] != MAGIC:
        return None
    indicator = start[4]
    if indicator & _CODE_TABLE or not indicator & _APPLICATION:
        return None
    if indicator & _SECONDARY:
        file.read(1)
    length = _number(file)
    header = file.read(length) if length <= _LONGEST else b""
    return header if len(header) == length else None


def _number(file: BinaryIO) -> int:
    value = 0
    for _ in range(5):
        byte = file.read(1)
        if not byte:
            return 0
        value = value << 7 | byte[0] & 0x7F
        if not byte[0] & 0x80:
            return value
    return _LONGEST + 1
