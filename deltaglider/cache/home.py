"""The directories of a cache: private, and somewhere else where they cannot be made as asked."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import tempfile
import uuid
import weakref
from contextlib import AbstractContextManager
from pathlib import Path

from deltaglider.files import local_errors

logger = logging.getLogger("deltaglider.cache")


def errors(path: Path) -> AbstractContextManager[None]:
    """Turns the ``OSError`` of writing to the cache into ours.

    Args:
        path: What is written.
    """
    return local_errors(
        str(path.parent), "the cache cannot be written", "Free some space, or set cache_dir (DG_CACHE_DIR)"
    )


class Home:
    """Where a cache lives. A read-only home, as in a container or a lambda, is no reason to fail.

    Args:
        path: The directory asked for.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._proven: Path | None = None
        self._removal: weakref.finalize[[Path, int], Home] | None = None

    @property
    def references(self) -> Path:
        """What is kept."""
        return self.path / "references"

    @property
    def in_use(self) -> Path:
        """What is being read, or is on its way in."""
        return self.path / "in-use"

    @property
    def locks(self) -> Path:
        """Held by those who download."""
        return self.path / "locks"

    def prepare(self) -> Path:
        """Makes what is missing: where that fails, a temporary directory that lasts as long as the client.

        Returns:
            The directory that is used from now on.

        Raises:
            LocalFileError: No temporary directory can be made either.
        """
        try:
            self._make()
        except OSError as error:
            logger.warning("the cache directory %s cannot be used (%s): using a temporary one", self.path, error)
            with local_errors(tempfile.gettempdir(), "cannot be written"):
                self.path = Path(tempfile.mkdtemp(prefix="deltaglider-cache-"))
                self._removal = weakref.finalize(self, _remove, self.path, os.getpid())
                self._make()
        return self.path

    def close(self) -> None:
        """Removes the temporary directory, if there is one. Harmless if repeated."""
        if self._removal is not None:
            self._removal()

    def _make(self) -> None:
        parts = (self.references, self.in_use, self.locks)
        if self._proven == self.path and all(map(Path.is_dir, parts)):
            return
        # Not the mode of a directory that exists: it may be anyone's. Ours are those in it.
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        for part in parts:
            part.mkdir(mode=0o700, exist_ok=True)
            part.chmod(0o700)
        probe = self.in_use / f"probe-{uuid.uuid4().hex}"
        probe.touch(mode=0o600)
        probe.unlink()
        self._proven = self.path


def _remove(path: Path, owner: int) -> None:
    # A forked child, which has this finalizer too, must leave its parent's files alone.
    if os.getpid() == owner:
        with contextlib.suppress(OSError):
            shutil.rmtree(path)
