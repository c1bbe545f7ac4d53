"""The directories of a cache: private, and somewhere else where they cannot be made as asked."""

from __future__ import annotations

import logging
import uuid
from contextlib import AbstractContextManager
from pathlib import Path

from deltaglider.files import local_errors
from deltaglider.scratch import Scratch

logger = logging.getLogger("deltaglider.cache")

_REMEDY = "Free some space, or set cache_dir (DG_CACHE_DIR)"


def errors(path: Path) -> AbstractContextManager[None]:
    """Turns the ``OSError`` of writing to the cache into ours.

    Args:
        path: What is written.
    """
    return local_errors(str(path.parent), "the cache cannot be written", _REMEDY)


class Home:
    """Where a cache lives. A home that is read-only, as in a container or a lambda, or full, is no reason to fail.

    Args:
        path: The directory asked for.
        temp_dir: Where one is made in its place if need be; ``None`` for the system's temporary directory.
    """

    def __init__(self, path: Path, temp_dir: Path | None = None) -> None:
        self.path = path
        self._proven: Path | None = None
        self._in_use = [Scratch(path / "in-use")]
        self._substitute = Scratch(temp_dir)
        self._is_substitute = False

    @property
    def references(self) -> Path:
        """What is kept."""
        return self.path / "references"

    @property
    def in_use(self) -> Path:
        """What this client is reading, or is on its way in; there once the directory is prepared."""
        return self._in_use[-1].directory()

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
            self.leave(self.path, error)
        return self.path

    def leave(self, path: Path, error: OSError) -> bool:
        """Goes to a temporary directory that lasts as long as the client, because another one cannot be written.

        Args:
            path: The directory that was tried.
            error: Why.

        Returns:
            Whether there is another one to try.

        Raises:
            LocalFileError: No temporary directory can be made.
        """
        if path != self.path:
            return True  # Somebody else has left it meanwhile.
        if self._is_substitute:
            return False
        logger.warning("the cache directory %s cannot be used (%s): using a temporary one", self.path, error)
        with local_errors(str(self._substitute.parent), "no temporary directory can be made", _REMEDY):
            self.path = self._substitute.directory()
            self._in_use.append(Scratch(self.path / "in-use"))  # What is in use in the other one stays there.
            self._is_substitute = True
            self._make()
        return True

    def close(self) -> None:
        """Removes what is temporary. Harmless if repeated."""
        for scratch in self._in_use:
            scratch.remove()
        self._substitute.remove()

    def _make(self) -> None:
        parts = (self.references, self.path / "in-use", self.locks)
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
