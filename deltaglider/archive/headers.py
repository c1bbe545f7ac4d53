"""Archives with their headers made alike: what every release changes in each of them is taken out, into a table.

The *neutral form* of a file has its bytes, but in the headers of the tars and zips in it there is nothing that differs
though no member does: no times, no checksums, no places. Behind them stands the table that tells how to put it back.
"""

from __future__ import annotations

import contextlib
import mmap
from collections.abc import Iterator
from pathlib import Path

from deltaglider.archive import tarheaders, zipheaders
from deltaglider.archive.numbers import Numbers
from deltaglider.archive.view import PIECE, Content, View
from deltaglider.errors import DeltaCorruptError
from deltaglider.files import stop_if_cancelled


def begins_with_archive(view: View) -> bool:
    """Whether there is an archive at the beginning of a file, or soon after.

    Args:
        view: The file.

    Returns:
        Whether the first 256 KiB have a header of a zip or tar.
    """
    start = bytearray(view.read(0, PIECE))
    return zipheaders.SIGNATURE in start or tarheaders.first_header(start, 0, len(start)) is not None


def neutralise(view: View, path: Path) -> int:
    """Writes the neutral form of a file. For worker threads.

    Args:
        view: The file.
        path: Where to; made or overwritten.

    Returns:
        How many headers were made alike.
    """
    with path.open("wb", buffering=0) as out:
        for piece in view.pieces():
            stop_if_cancelled()
            out.write(piece)
    with _content(path) as content:
        of_tars, tars = tarheaders.take_out(content, len(content))
        of_zips, zips = zipheaders.take_out(content, len(content))
    with path.open("ab") as out:
        # What was taken out last is put back first.
        out.write(of_zips + of_tars)
    return tars + zips


def restore(path: Path, size: int) -> None:
    """Makes of the neutral form of a file the file, in its place. For worker threads.

    Args:
        path: The neutral form, not trusted.
        size: Bytes of the file.

    Raises:
        DeltaCorruptError: It is none.
    """
    with path.open("r+b", buffering=0) as file:
        file.seek(size)
        data = file.read()
        file.truncate(size)
    table = Numbers(data)
    with _content(path) as content:
        zipheaders.put_back(content, len(content), table)
        tarheaders.put_back(content, len(content), table)
    if table.position != len(data):
        raise DeltaCorruptError("its table of headers makes no sense")


@contextlib.contextmanager
def _content(path: Path) -> Iterator[Content]:
    """A file of our own, to be changed in its place."""
    if not path.stat().st_size:
        yield bytearray()
        return
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as content:
        yield content
