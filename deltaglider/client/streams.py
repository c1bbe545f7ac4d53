"""Streams of bytes, of users' own kinds, into files and out of them.

Files that stay open between two calls of the user's are read in the client's own threads: those of the event loop are
gone before a program ends, and then could not even close what they have open.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any

import anyio

from deltaglider.engine.context import Context
from deltaglider.errors import InvalidInputError
from deltaglider.files import CHUNK, local_errors, stop_if_cancelled


def save_object(source: IO[Any], path: Path) -> None:
    """Writes what is left of a file object to a file; the object stays open. For worker threads.

    Args:
        source: Open for reading bytes.
        path: Where to.

    Raises:
        InvalidInputError: It gives something else than bytes.
        LocalFileError: The object cannot be read, or the file not written.
    """
    save_pieces(_pieces_of(source), path)


def save_pieces(pieces: Iterable[Any], path: Path) -> None:
    """Writes the pieces of an iterable to a file. For worker threads: it ends when its caller is cancelled.

    Args:
        pieces: Bytes. What the iterable raises goes through as it is.
        path: Where to.

    Raises:
        InvalidInputError: A piece is not bytes.
        LocalFileError: The file cannot be written.
    """
    with _saving(path):
        file = path.open("wb")
    try:
        for piece in pieces:
            data = _bytes_of(piece)
            with _saving(path):
                file.write(data)
            stop_if_cancelled()
    finally:
        with _saving(path):
            file.close()


async def save_async_pieces(pieces: AsyncIterable[Any], path: Path) -> None:
    """Writes the pieces of an asynchronous iterable to a file.

    Args:
        pieces: Bytes. What the iterable raises goes through as it is.
        path: Where to.

    Raises:
        InvalidInputError: A piece is not bytes.
        LocalFileError: The file cannot be written.
    """
    # Imported here: most sources are files already.
    import aiofiles

    with _saving(path):
        file = await aiofiles.open(path, "wb")
    waiting = bytearray()  # Each write is a hop to a thread: small pieces wait for company.

    async def write() -> None:
        with _saving(path):
            await file.write(bytes(waiting))
        waiting.clear()

    try:
        async for piece in pieces:
            waiting += _bytes_of(piece)
            if len(waiting) >= CHUNK:
                await write()
        await write()
    finally:
        with anyio.CancelScope(shield=True), _saving(path):
            await file.close()


async def pieces_of_file(ctx: Context, path: Path) -> AsyncGenerator[bytes, None]:
    """The bytes of a file in pieces of 1 MiB.

    Args:
        ctx: The client's parts.
        path: The file.

    Yields:
        Pieces.

    Raises:
        LocalFileError: It cannot be read.
    """
    with local_errors(str(path), "cannot be read"):
        file = path.open("rb", buffering=0)
    with file:
        while True:
            with local_errors(str(path), "cannot be read"):
                piece = await ctx.thread(file.read, CHUNK)
            if not piece:
                return
            yield piece


def _pieces_of(source: IO[Any]) -> Iterator[Any]:
    name = str(getattr(source, "name", "the source stream"))
    while True:
        with local_errors(name, "cannot be read"):
            piece = source.read(CHUNK)
        # Also an empty string is no bytes, and None is a stream that does not block and has nothing at present.
        if not _bytes_of(piece):
            return
        yield piece


def _saving(path: Path) -> AbstractContextManager[None]:
    remedy = "Free some space, or set temp_dir (DG_TEMP_DIR) to another disk"
    return local_errors(str(path.parent), "the data cannot be buffered", remedy)


def _bytes_of(piece: object) -> bytes | bytearray | memoryview:
    if not isinstance(piece, (bytes, bytearray, memoryview)):
        raise InvalidInputError(
            f"the source gives {type(piece).__name__}, not bytes", remedy="Open files in binary mode ('rb')"
        )
    # Files take memory in one piece only.
    return piece.tobytes() if isinstance(piece, memoryview) and not piece.c_contiguous else piece
