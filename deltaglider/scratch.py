"""A directory for the temporary files of one client: private, and removed by the next one if its owner is killed.

    <parent>/deltaglider-<32 hex>/          mode 0700
    <parent>/deltaglider-<32 hex>/.lock     held while the client lives; whoever finds it free removes the directory

All of this blocks for less than a millisecond, but for the removal of what others left.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shutil
import tempfile
import uuid
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filelock import FileLock

logger = logging.getLogger("deltaglider")

# Long enough that no one else's directory is called so: an empty one of this name may go.
_NAME = re.compile(r"deltaglider-[0-9a-f]{32}")
_LOCK = ".lock"
_ATTEMPTS = 10


class Scratch:
    """The directory of one client, made when it is first asked for.

    Args:
        parent: Where; ``None`` for the system's temporary directory.
    """

    def __init__(self, parent: Path | None = None) -> None:
        self._parent = parent
        self._directory: Path | None = None
        self._removal: weakref.finalize[..., Scratch] | None = None

    @property
    def parent(self) -> Path:
        """Where it is made."""
        return self._parent or Path(tempfile.gettempdir())

    def directory(self) -> Path:
        """The directory, made if it is not there, and again if somebody removed it: cleaners of ``/tmp`` do.

        Raises:
            OSError: It cannot be made.
        """
        if self._directory is None or not self._directory.is_dir():
            self.remove()
            if self._parent is not None:
                self._parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            sweep(self.parent)
            self._directory, lock = _make(self.parent)
            # Clients that nobody closes have files, too.
            self._removal = weakref.finalize(self, _remove, self._directory, lock, os.getpid())
        return self._directory

    def remove(self) -> None:
        """Removes the directory and all that is in it. Harmless if repeated."""
        if self._removal is not None:
            self._removal()
        self._directory = self._removal = None


def sweep(parent: Path) -> None:
    """Removes the directories of clients that were killed.

    Args:
        parent: Where they are.
    """
    from filelock import FileLock, Timeout

    for directory in parent.glob("deltaglider-*/"):
        marker = directory / _LOCK
        # In a directory open to all, others may leave what looks like ours, with a link for a lock.
        if not _NAME.fullmatch(directory.name) or directory.is_symlink() or not _is_own(directory):
            continue
        if not os.path.lexists(marker):
            with contextlib.suppress(OSError):  # Killed before it was locked: then it is empty.
                directory.rmdir()
            continue
        if marker.is_symlink() or not marker.is_file():
            continue
        lock = FileLock(marker, thread_local=False)
        try:
            lock.acquire(blocking=False)
        except (Timeout, OSError, NotImplementedError):
            continue
        logger.info("removing %s, left by a client that was killed", directory)
        shutil.rmtree(directory, ignore_errors=True)
        with contextlib.suppress(OSError):
            lock.release()


def _make(parent: Path) -> tuple[Path, FileLock | None]:
    # Imported here: most clients need no temporary file.
    from filelock import FileLock, Timeout

    for _ in range(_ATTEMPTS):
        directory = parent / f"deltaglider-{uuid.uuid4().hex}"
        directory.mkdir(mode=0o700)
        lock = FileLock(directory / _LOCK, thread_local=False, mode=0o600)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            continue  # Another client found it before it was locked, and is removing it.
        except (OSError, NotImplementedError):
            # A file system without locks: then nothing is swept, once the directory is not empty.
            with contextlib.suppress(FileNotFoundError):  # Another client found it empty, and removed it.
                (directory / _LOCK).touch(mode=0o600)
                return directory, None
            continue
        if (directory / _LOCK).exists():
            directory.chmod(0o700)  # The lock makes a directory that was removed, but not a private one.
            return directory, lock
        lock.release()  # It was removed.
    raise FileExistsError(f"others remove what is made in {parent}")


def _remove(directory: Path, lock: FileLock | None, owner: int) -> None:
    # A forked child, which has this finalizer too, must leave its parent's files alone.
    if os.getpid() == owner:
        shutil.rmtree(directory, ignore_errors=True)
        if lock is not None:
            with contextlib.suppress(OSError):
                lock.release()


def _is_own(path: Path) -> bool:
    try:
        return not hasattr(os, "geteuid") or path.stat().st_uid == os.geteuid()
    except OSError:
        return False
