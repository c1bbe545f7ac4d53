"""Packed files: told by how they begin, as xdelta3 does, and unpacked within a bound."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from pathlib import Path
from typing import BinaryIO, Literal, cast

from deltaglider.errors import DeltaCorruptError
from deltaglider.files import CHUNK, local_errors, stop_if_cancelled

Packing = Literal["gzip", "bzip2", "xz"]

LETTERS: dict[str, Packing] = {"G": "gzip", "B": "bzip2", "Y": "xz"}
"""How the application header of a delta names them."""

_MAGIC: dict[bytes, Packing] = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz"}


def packing_of(path: Path) -> Packing | None:
    """How a file is packed, by its first bytes; ``None`` if it is not, or in another way.

    Args:
        path: The file.

    Returns:
        The way.

    Raises:
        LocalFileError: It cannot be read.
    """
    with local_errors(str(path), "cannot be read"), path.open("rb") as file:
        start = file.read(max(map(len, _MAGIC)))
    return next((packing for magic, packing in _MAGIC.items() if start.startswith(magic)), None)


def unpack(source: Path, target: Path, *, limit: int) -> None:
    """Writes what a packed file holds. For worker threads: it blocks, and ends when its caller is cancelled.

    As with the programs of these names, what follows the packed data and is none is left out.

    Args:
        source: A file for which ``packing_of`` gives a way.
        target: Where to write; made or overwritten.
        limit: Bytes to write at most.

    Raises:
        DeltaCorruptError: It does not unpack, or to more than ``limit`` bytes.
        LocalFileError: A file cannot be read or written.
    """
    packing = packing_of(source)
    assert packing is not None
    written = 0
    with (
        local_errors(str(target.parent), "cannot be written"),
        _open(source, packing) as packed,
        target.open("wb") as out,
    ):
        while chunk := _read(packed, packing, written):
            written += len(chunk)
            if written > limit:
                raise DeltaCorruptError(f"the reference unpacks to more than {limit} bytes")
            out.write(chunk)
            stop_if_cancelled()


def _open(path: Path, packing: Packing) -> BinaryIO:
    if packing == "gzip":
        return cast("BinaryIO", gzip.open(path, "rb"))
    return cast("BinaryIO", bz2.open(path, "rb") if packing == "bzip2" else lzma.open(path, "rb"))


def _read(packed: BinaryIO, packing: Packing, written: int) -> bytes:
    try:
        return packed.read(CHUNK)
    except (gzip.BadGzipFile, EOFError, zlib.error, lzma.LZMAError, OSError) as error:
        if isinstance(error, gzip.BadGzipFile) and written and "Not a gzipped file" in str(error):
            return b""  # What follows the last member.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise DeltaCorruptError(f"the reference does not unpack ({packing}): {error}") from error
