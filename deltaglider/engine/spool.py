"""Temporary files: one private directory a client, cleaned at the end, and after the dead.

<temp_dir>/deltaglider-<random>/           mode 0700
<temp_dir>/deltaglider-<random>/.lock      held while the client lives; whoever finds it free removes the directory
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from deltaglider.errors import InvalidInputError
from deltaglider.files import CHUNK, local_errors, stop_if_cancelled

if TYPE_CHECKING:
    from filelock import FileLock

logger = logging.getLogger("deltaglider.engine")

_PREFIX = "deltaglider-"
_REMEDY = "Free some space, or set temp_dir (DG_TEMP_DIR) to another disk"


class Spool:
    """Names for temporary files that nobody can guess and nobody else can read.

    Args:
        parent: Where; ``None`` for the system's temporary directory.
    """

    def __init__(self, parent: Path | None = None) -> None:
        self._parent = parent
        self._directory: Path | None = None
        self._lock: FileLock | None = None

    @contextmanager
    def file(self) -> Iterator[Path]:
        """The path of a new, empty file, removed when the context ends.

        Raises:
            LocalFileError: It cannot be made.
        """
        path = self._home() / uuid.uuid4().hex
        with local_errors(str(path.parent), "no temporary file can be made", _REMEDY):
            path.touch(mode=0o600, exist_ok=False)
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Removes all that is left. Harmless if repeated."""
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _home(self) -> Path:
        if self._directory is None:
            from filelock import FileLock

            where = str(self._parent or tempfile.gettempdir())
            with local_errors(where, "no temporary directory can be made", _REMEDY):
                if self._parent is not None:
                    self._parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._sweep(Path(where))
                directory = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=self._parent))
                lock = FileLock(directory / ".lock", thread_local=False, mode=0o600)
                with contextlib.suppress(OSError):  # A file system without locks: then nothing is swept either.
                    lock.acquire(blocking=False)
            self._directory, self._lock = directory, lock
        return self._directory

    @staticmethod
    def _sweep(parent: Path) -> None:
        """Removes the directories of clients that were killed."""
        from filelock import FileLock, Timeout

        for directory in parent.glob(f"{_PREFIX}*/"):
            marker = directory / ".lock"
            if directory.is_symlink() or not marker.is_file():
                continue
            lock = FileLock(marker, thread_local=False)
            try:
                lock.acquire(blocking=False)
            except (Timeout, OSError):
                continue
            logger.info("removing %s, left by a client that was killed", directory)
            shutil.rmtree(directory, ignore_errors=True)
            with contextlib.suppress(OSError):
                lock.release()


def copy_file_object(source: IO[Any], path: Path) -> None:
    """Writes what is left of a file object to a file; the object stays open. For worker threads.

    Args:
        source: Open for reading bytes.
        path: Where to.

    Raises:
        InvalidInputError: It gives something else than bytes.
        LocalFileError: The object cannot be read, or the file not written.
    """
    write_chunks(_chunks_of(source), path)


def write_chunks(chunks: Iterable[Any], path: Path) -> None:
    """Writes the pieces of an iterable to a file. For worker threads: it ends when its caller is cancelled.

    Args:
        chunks: Pieces of bytes. What they raise goes through as it is.
        path: Where to.

    Raises:
        InvalidInputError: A piece is not bytes.
        LocalFileError: The file cannot be written.
    """
    with _buffering(path):
        file = path.open("wb")
    try:
        for chunk in chunks:
            data = _bytes_of(chunk)
            with _buffering(path):
                file.write(data)
            stop_if_cancelled()
    finally:
        with _buffering(path):
            file.close()


async def write_async_chunks(chunks: AsyncIterable[Any], path: Path) -> None:
    """Writes the pieces of an asynchronous iterable to a file.

    Args:
        chunks: Pieces of bytes. What they raise goes through as it is.
        path: Where to.

    Raises:
        InvalidInputError: A piece is not bytes.
        LocalFileError: The file cannot be written.
    """
    import aiofiles

    with _buffering(path):
        # Each write is a hop to a thread: small pieces wait in the buffer for company.
        file = await aiofiles.open(path, "wb", buffering=CHUNK)
    try:
        async for chunk in chunks:
            data = _bytes_of(chunk)
            with _buffering(path):
                await file.write(data)
    finally:
        with _buffering(path):
            await file.close()


async def read_async_chunks(path: Path) -> AsyncIterator[bytes]:
    """The bytes of a file in pieces of 1 MiB.

    Args:
        path: The file.

    Yields:
        Pieces.
    """
    import aiofiles

    async with aiofiles.open(path, "rb", buffering=0) as file:
        while chunk := await file.read(CHUNK):
            yield chunk


def _chunks_of(source: IO[Any]) -> Iterator[Any]:
    name = str(getattr(source, "name", "the source stream"))
    while True:
        with local_errors(name, "cannot be read"):
            chunk = source.read(CHUNK)
        # Also an empty string is no bytes, and None is a stream that does not block and has nothing at present.
        if not _bytes_of(chunk):
            return
        yield chunk


def _buffering(path: Path) -> AbstractContextManager[None]:
    return local_errors(str(path.parent), "the data cannot be buffered", _REMEDY)


def _bytes_of(chunk: object) -> bytes | bytearray | memoryview:
    if not isinstance(chunk, (bytes, bytearray, memoryview)):
        raise InvalidInputError(
            f"the source gives {type(chunk).__name__}, not bytes", remedy="Open files in binary mode ('rb')"
        )
    # Files take memory in one piece only.
    return chunk.tobytes() if isinstance(chunk, memoryview) and not chunk.c_contiguous else chunk
