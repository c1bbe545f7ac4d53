"""``--files-from``: names, one a line, from a file or standard input."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


def names_from(source: str, *, zero: bool) -> Iterator[str]:
    """The names in a list. For worker threads.

    Args:
        source: A file, or ``-`` for standard input.
        zero: Each name ends with a NUL character, as ``find -print0`` writes them; otherwise with its line.

    Yields:
        Names; none for an empty line.

    Raises:
        LocalFileError: The list cannot be read.
    """
    # Imported here: the help needs nothing of it.
    from deltaglider.cli.streams import stdin_chunks

    end = b"\0" if zero else b"\n"
    rest = b""
    for chunk in stdin_chunks() if source == "-" else _chunks(source):
        *lines, rest = (rest + chunk).split(end)
        yield from _names(lines, zero=zero)
    yield from _names([rest], zero=zero)


def _names(lines: list[bytes], *, zero: bool) -> Iterator[str]:
    for line in lines:
        name = line if zero else line.removesuffix(b"\r")  # Written on Windows.
        if name:
            yield os.fsdecode(name)


def _chunks(path: str) -> Iterator[bytes]:
    from deltaglider.files import CHUNK, local_errors

    with local_errors(path, "cannot be read"), Path(path).open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk
