"""Temporary files: one private directory a client, cleaned at the end, and after the dead.

<temp_dir>/deltaglider-<random>/           mode 0700
<temp_dir>/deltaglider-<random>/.lock      held while the client lives; whoever finds it free removes the directory
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from deltaglider.errors import ClientStateError
from deltaglider.files import local_errors

if TYPE_CHECKING:
    from filelock import FileLock

logger = logging.getLogger("deltaglider.engine")

_PREFIX = "deltaglider-"
_ATTEMPTS = 10
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
        self._in_use = 0
        self._closed = False

    @contextmanager
    def file(self) -> Iterator[Path]:
        """The path of a new, empty file, removed when the context ends.

        Raises:
            ClientStateError: The client is closed.
            LocalFileError: It cannot be made.
        """
        with self._name() as path:
            try:
                with local_errors(str(path.parent), "no temporary file can be made", _REMEDY):
                    path.touch(mode=0o600, exist_ok=False)
                yield path
            finally:
                path.unlink(missing_ok=True)

    @contextmanager
    def directory(self) -> Iterator[Path]:
        """The path of a new, empty directory, removed with all that is in it when the context ends.

        Raises:
            ClientStateError: The client is closed.
            LocalFileError: It cannot be made.
        """
        with self._name() as path:
            try:
                with local_errors(str(path.parent), "no temporary directory can be made", _REMEDY):
                    path.mkdir(mode=0o700)
                yield path
            finally:
                shutil.rmtree(path, ignore_errors=True)

    @contextmanager
    def _name(self) -> Iterator[Path]:
        if self._closed:
            raise ClientStateError("the client was closed in the middle of this call")
        path = self._home() / uuid.uuid4().hex
        self._in_use += 1
        try:
            yield path
        finally:
            self._in_use -= 1
            self._remove_when_done()

    def close(self) -> None:
        """Makes no more files, and removes the directory as soon as none is in use. Harmless if repeated.

        Files that vanish under a call that goes on would look like damage to it.
        """
        self._closed = True
        self._remove_when_done()

    def _remove_when_done(self) -> None:
        if not self._closed or self._in_use:
            return
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _home(self) -> Path:
        # Those who clean up /tmp remove what a service has not used for days.
        if self._directory is None or not self._directory.is_dir():
            where = str(self._parent or tempfile.gettempdir())
            with local_errors(where, "no temporary directory can be made", _REMEDY):
                if self._parent is not None:
                    self._parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._sweep(Path(where))
                self._directory, self._lock = self._make()
        return self._directory

    def _make(self) -> tuple[Path, FileLock]:
        from filelock import FileLock, Timeout

        for _ in range(_ATTEMPTS):
            directory = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=self._parent))
            marker = directory / ".lock"
            lock = FileLock(marker, thread_local=False, mode=0o600)
            try:
                lock.acquire(blocking=False)
            except Timeout:
                continue  # Another client found it before it was locked, and is removing it.
            except (OSError, NotImplementedError):
                break  # A file system without locks: then nothing is swept either.
            if marker.exists():
                break
            lock.release()  # It was removed.
        return directory, lock

    @staticmethod
    def _sweep(parent: Path) -> None:
        """Removes the directories of clients that were killed."""
        from filelock import FileLock, Timeout

        for directory in parent.glob(f"{_PREFIX}*/"):
            marker = directory / ".lock"
            # In a directory open to all, others may leave what looks like ours, with a link for a lock.
            if directory.is_symlink() or marker.is_symlink() or not marker.is_file() or not _is_own(directory):
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


def _is_own(path: Path) -> bool:
    try:
        return not hasattr(os, "geteuid") or path.stat().st_uid == os.geteuid()
    except OSError:
        return False
