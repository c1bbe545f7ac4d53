"""The new file of a download, in its target's directory until it is proven and renamed.

    <directory>/.deltaglider-<16 hex>.part     locked while its download lives

One that is not locked was left by a process that was killed; the next download into the directory removes it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import secrets
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from deltaglider.descriptors import PLAIN
from deltaglider.errors import LocalFileError
from deltaglider.files import local_errors, speaking_of

logger = logging.getLogger("deltaglider.engine")

_NAME = re.compile(r"\.deltaglider-[0-9a-f]{16}\.part")
_ATTEMPTS = 10
_MOST_SWEPT = 1024
_swept: set[str] = set()
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)


def is_part(name: str) -> bool:
    """Whether a file of this name is a download on its way, or what is left of one, and no file of the user's.

    Args:
        name: Without its directory.
    """
    return _NAME.fullmatch(name) is not None


@contextlib.contextmanager
def beside(target: Path) -> Iterator[Path]:
    """A new file in the target's directory, under a name that nobody can guess; removed unless it was renamed.

    Args:
        target: What it shall become.

    Yields:
        Its path.

    Raises:
        LocalFileError: The target is a directory, or nothing can be made beside it.
    """
    if target.is_dir() and not target.is_symlink():
        raise LocalFileError("is a directory", uri=str(target), remedy="Give the name of a file")
    with local_errors(str(target), "cannot be written"):
        target.parent.mkdir(parents=True, exist_ok=True)
        path, descriptor = _make(target.parent)
    try:
        if sys.platform == "win32":  # There, what is open cannot be renamed.
            os.close(descriptor)
        with speaking_of(str(target), instead_of=path, remedy="Free some space, or choose a target on another disk"):
            yield path
    finally:
        path.unlink(missing_ok=True)
        if sys.platform != "win32":
            os.close(descriptor)


def is_swept(directory: str) -> bool:
    """Whether ``sweep`` was called for a directory lately, so that no thread need be asked.

    Args:
        directory: By its absolute path.
    """
    return directory in _swept


def sweep(directory: str) -> None:
    """Removes what downloads into a directory left that were killed; once a process is enough. For worker threads.

    Args:
        directory: By its absolute path.
    """
    if directory in _swept:
        return
    if len(_swept) >= _MOST_SWEPT:
        _swept.clear()
    _swept.add(directory)
    with contextlib.suppress(OSError), os.scandir(directory) as entries:
        for entry in entries:
            if is_part(entry.name):
                with contextlib.suppress(OSError):
                    _remove_if_abandoned(entry.path)


def _remove_if_abandoned(path: str) -> None:
    # In a directory open to all, others may leave what looks like ours.
    descriptor = os.open(path, os.O_RDWR | PLAIN | _NO_LINK)
    try:
        found = os.fstat(descriptor)
        if stat.S_ISREG(found.st_mode) and _is_own(found) and _lock(descriptor):
            logger.info("removing %s, left by a download that was killed", path)
            Path(path).unlink()
    finally:
        os.close(descriptor)


def _is_own(found: os.stat_result) -> bool:
    return not hasattr(os, "geteuid") or found.st_uid == os.geteuid()


def _make(directory: Path) -> tuple[Path, int]:
    for _ in range(_ATTEMPTS):
        path = directory / f".deltaglider-{secrets.token_hex(8)}.part"
        # The final mode from the start, so that it is the umask's and nobody has to ask for that.
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | _NO_LINK, 0o666)
        # Where there are no locks, nobody can take one and remove it either.
        _lock(descriptor)
        if path.exists():
            return path, descriptor
        os.close(descriptor)  # Another process found it before it was locked.
    raise FileExistsError(f"others remove what is made in {directory}")


if sys.platform == "win32":

    def _lock(descriptor: int) -> bool:
        """Never: there nothing is held open, hence locked."""
        return False

else:
    import fcntl

    def _lock(descriptor: int) -> bool:
        """Takes the lock of a file if nobody has it and the file system has any."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
