"""Local files: their hashes, and their errors in our words."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from anyio import from_thread

from deltaglider.errors import DeltaGliderError, LocalFileError, LocalFileNotFoundError
from deltaglider.late import dataclass

WINDOWS = os.name == "nt"

CHUNK = 1 << 20
"""Bytes read or written at once: fewer make the calls themselves count, more only cost memory."""
_LEAST = 1 << 16


@dataclass(frozen=True, slots=True)
class Digests:
    """What one pass over a file tells.

    Attributes:
        size: Bytes.
        sha256: In hex.
        md5: In hex; empty where nobody needs it.
    """

    size: int
    sha256: str
    md5: str


def digests_of(path: Path) -> Digests:
    """Hashes a file in one pass. For worker threads: it blocks, and ends when its caller is cancelled.

    Args:
        path: The file.

    Returns:
        Its size and hashes.

    Raises:
        LocalFileError: It cannot be read.
    """
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    size = 0
    for chunk in _chunks(path):
        size += len(chunk)
        sha256.update(chunk)
        md5.update(chunk)
    return Digests(size, sha256.hexdigest(), md5.hexdigest())


def content_of(path: Path, most: int) -> tuple[bytes | None, Digests]:
    """A small file as it is at one moment, with its hashes. For worker threads, as ``digests_of``.

    Args:
        path: The file.
        most: Bytes that are kept.

    Returns:
        Its bytes, ``None`` if there are more; and what they are.

    Raises:
        LocalFileError: It cannot be read.
    """
    with local_errors(str(path), "cannot be read"), path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        return None, digests_of(path)
    md5 = hashlib.md5(data, usedforsecurity=False)
    return data, Digests(len(data), hashlib.sha256(data).hexdigest(), md5.hexdigest())


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hex. For worker threads, as ``digests_of``.

    Args:
        path: The file.

    Returns:
        64 hexadecimal digits.

    Raises:
        LocalFileError: It cannot be read.
    """
    digest = hashlib.sha256()
    for chunk in _chunks(path):
        digest.update(chunk)
    return digest.hexdigest()


class Hashing:
    """The SHA-256 of a file that is being written, taken on the way as far as its bytes come in their order.

    Attributes:
        position: Bytes that were taken in.
    """

    def __init__(self) -> None:
        self.position = 0
        self._digest = hashlib.sha256()
        self._lock = threading.Lock()  # Parts of a file may be written by several threads.

    def take(self, data: bytes | memoryview, offset: int) -> None:
        """Takes in bytes that were written, if they are the next ones.

        Args:
            data: The bytes.
            offset: Where in the file they are.
        """
        with self._lock:
            if offset == self.position:
                self._digest.update(data)
                self.position += len(data)

    def follow(self, path: Path, end: int) -> None:
        """Takes in what is known to be written by now. For worker threads.

        Args:
            path: The file.
            end: Up to where it is written without a gap.

        Raises:
            LocalFileError: It cannot be read.
        """
        with self._lock:
            if self.position >= end:
                return
            for chunk in _chunks(path, self.position):
                piece = chunk[: end - self.position]
                self._digest.update(piece)
                self.position += len(piece)
                if self.position >= end:
                    return

    def finish(self, path: Path, size: int) -> Digests:
        """The hash of the whole file; what did not come in order is read from it. For worker threads, if that is any.

        Args:
            path: The file, written to its end.
            size: Its bytes.

        Returns:
            Its size and SHA-256; no MD5.

        Raises:
            LocalFileError: It cannot be read.
        """
        self.follow(path, size)
        return Digests(self.position, self._digest.hexdigest(), "")


def copy_file(source: Path, target: Path) -> None:
    """Writes the bytes of a file over another one. For worker threads, as ``digests_of``.

    Args:
        source: What to read.
        target: Where to write; made or overwritten.

    Raises:
        LocalFileError: The source cannot be read.
        OSError: The target cannot be written.
    """
    with target.open("wb") as file:
        for chunk in _chunks(source):
            file.write(chunk)


def settle(path: Path, *, windows: bool = WINDOWS) -> None:
    """Waits until a file and its name are on the disk, and not only in memory. For worker threads.

    Args:
        path: The file.
        windows: Whether only what is open for writing can be waited for, and no directory.

    Raises:
        LocalFileError: It is no file, or the disk failed.
    """
    with local_errors(str(path), "it is not known to be on the disk"):
        with path.open("rb+" if windows else "rb") as file:
            os.fsync(file.fileno())
        settle_names(path.parent, windows=windows)


def settle_names(directory: Path, *, windows: bool = WINDOWS) -> None:
    """Waits until the names in a directory are on the disk. For worker threads.

    Args:
        directory: The directory.
        windows: Whether directories cannot be opened; there the file system's journal does it.

    Raises:
        OSError: It is no directory, or the disk failed.
    """
    if windows:
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # Some file systems do not know the call for directories, and need none.
            raise
    finally:
        os.close(descriptor)


def free_space(directory: Path) -> int:
    """How much a directory has room for.

    Args:
        directory: The directory.

    Returns:
        Bytes; more than there can be where the system does not tell.
    """
    try:
        return shutil.disk_usage(directory).free
    except OSError:
        return 2**64


def rest_of(data: bytes, written: Any) -> bytes:
    """What a ``write`` left of some bytes.

    Args:
        data: What it was given.
        written: What it returned: a number of bytes, or anything else where all were taken.

    Returns:
        The rest, empty if there is none.

    Raises:
        BlockingIOError: It took nothing.
    """
    if not isinstance(written, int) or written >= len(data):
        return b""
    if written <= 0:
        raise BlockingIOError(errno.EAGAIN, "it takes no more at present")
    return data[written:]


def stop_if_cancelled() -> None:
    """Ends work in a thread whose caller was cancelled; in any other thread nothing happens."""
    with contextlib.suppress(RuntimeError):  # Not in a worker thread of anyio: nobody can cancel.
        from_thread.check_cancelled()


def _chunks(path: Path, start: int = 0) -> Iterator[memoryview]:
    with local_errors(str(path), "cannot be read"), path.open("rb", buffering=0) as file:
        rest = os.fstat(file.fileno()).st_size - start
        file.seek(start)
        buffer = bytearray(min(CHUNK, max(rest, _LEAST)))  # Most files are small.
        view = memoryview(buffer)
        while count := file.readinto(buffer):
            yield view[:count]
            stop_if_cancelled()


@contextlib.contextmanager
def local_errors(path: str, problem: str, remedy: str | None = None) -> Iterator[None]:
    """Turns the ``OSError`` of a block into ours.

    Args:
        path: What the block works on, for the message.
        problem: What could not be done.
        remedy: What to do about it, where the cause does not tell.

    Raises:
        LocalFileNotFoundError: A path does not exist.
        LocalFileError: Anything else.
    """
    try:
        yield
    except DeltaGliderError:  # Some of ours are an OSError too.
        raise
    except FileNotFoundError as error:
        raise LocalFileNotFoundError(
            "no such file or directory", uri=path, remedy=remedy or "Check the path"
        ) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise LocalFileError(
                f"{problem}: the disk is full", uri=path, remedy=remedy or "Free some space"
            ) from error
        if error.errno == errno.EFBIG:
            raise LocalFileError(
                f"{problem}: the file is too large for its file system or for the limit of this process (ulimit -f)",
                uri=path,
                remedy=remedy or "Use another disk, or raise the limit",
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM):
            raise LocalFileError(
                f"{problem}: permission denied", uri=path, remedy=remedy or "Check its owner and mode"
            ) from error
        raise LocalFileError(f"{problem}: {error.strerror or error}", uri=path, remedy=remedy) from error


@contextlib.contextmanager
def speaking_of(path: str, *, instead_of: Path, remedy: str) -> Iterator[None]:
    """Lets the errors of a temporary file, and of its directory, name what the user knows.

    Args:
        path: The name to give.
        instead_of: The temporary file.
        remedy: What to do.

    Raises:
        LocalFileError: As the block, with that name.
    """
    try:
        yield
    except LocalFileError as error:
        if error.uri not in (str(instead_of), str(instead_of.parent)):
            raise
        raise type(error)(error.message, uri=path, remedy=remedy) from error
