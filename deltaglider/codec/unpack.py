"""Packed files: told by how they begin, as xdelta3 does, and unpacked within a bound."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Literal, cast

from deltaglider.errors import DeltaCorruptError
from deltaglider.files import CHUNK, local_errors, stop_if_cancelled

Packing = Literal["gzip", "bzip2", "xz"]

LETTERS: dict[str, Packing] = {"G": "gzip", "B": "bzip2", "Y": "xz"}
"""How the application header of a delta names them."""

_GZIP = b"\x1f\x8b"
_MAGIC: dict[bytes, Packing] = {_GZIP: "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz"}


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
    with local_errors(str(target.parent), "cannot be written"), source.open("rb") as file, target.open("wb") as out:
        for piece in _told(_PIECES[packing](file), packing):
            written += len(piece)
            if written > limit:
                raise DeltaCorruptError(f"the reference unpacks to more than {limit} bytes")
            out.write(piece)
            stop_if_cancelled()


def _told(pieces: Iterator[bytes], packing: Packing) -> Iterator[bytes]:
    """The pieces, and what goes wrong with them in our words."""
    try:
        yield from pieces
    except (EOFError, zlib.error, lzma.LZMAError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise DeltaCorruptError(f"the reference does not unpack ({packing}): {error}") from error


def _gzip_pieces(file: BinaryIO) -> Iterator[bytes]:
    """Member after member; Python's own reader loses the last piece before what follows them."""
    rest = b""
    while True:
        machine = zlib.decompressobj(zlib.MAX_WBITS | 16)
        while not machine.eof:
            rest = rest or file.read(CHUNK)
            if not rest:
                raise EOFError("it is cut off")
            yield machine.decompress(rest, CHUNK)
            rest = machine.unconsumed_tail
        rest = machine.unused_data or file.read(CHUNK)
        rest += file.read(CHUNK) if len(rest) < len(_GZIP) else b""
        if not rest.startswith(_GZIP):
            return


def _pieces(packed: BinaryIO) -> Iterator[bytes]:
    with packed:
        while piece := packed.read(CHUNK):
            yield piece


_PIECES: dict[Packing, Callable[[BinaryIO], Iterator[bytes]]] = {
    "gzip": _gzip_pieces,
    "bzip2": lambda file: _pieces(cast("BinaryIO", bz2.BZ2File(file))),
    "xz": lambda file: _pieces(cast("BinaryIO", lzma.LZMAFile(file))),  # noqa: SIM115 - Closed there.
}
