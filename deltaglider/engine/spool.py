"""Temporary files: one private directory a client, cleaned at the end, and after the dead; see ``scratch``."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deltaglider.errors import ClientStateError
from deltaglider.files import local_errors, speaking_of
from deltaglider.scratch import Scratch

_REMEDY = "Free some space, or set temp_dir (DG_TEMP_DIR) to another disk"


class Spool:
    """Names for temporary files that nobody can guess and nobody else can read.

    Args:
        parent: Where; ``None`` for the system's temporary directory.
    """

    def __init__(self, parent: Path | None = None) -> None:
        self._scratch = Scratch(parent)
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
                with speaking_of(str(path.parent), instead_of=path, remedy=_REMEDY):
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
        with local_errors(str(self._scratch.parent), "no temporary directory can be made", _REMEDY):
            path = self._scratch.directory() / uuid.uuid4().hex
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
        if self._closed and not self._in_use:
            self._scratch.remove()
