"""The bodies of the embedded store, as files that are never changed once they have their name.

    <root>/blobs/new/<uuid>          being written
    <root>/blobs/<2 hex>/<uuid>      complete and on the disk

A body counts only once the index names it. Whoever dies before that leaves an orphan, which ``strangers`` finds. All of
this blocks: it is for worker threads.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from deltaglider.files import settle_names

_NEW = "new"
_NAME = re.compile(r"[0-9a-f]{32}")  # Anything else is not of our making.
# What a file system says that has no hard links, has no more of them for this file, or allows them to nobody.
_NO_LINK = {errno.EPERM, errno.EMLINK, errno.EXDEV, errno.EOPNOTSUPP, errno.ENOSYS}


class Draft:
    """A body on its way: gone when its context ends, unless it was kept.

    Attributes:
        name: What the index will call it.
    """

    def __init__(self, blobs: Blobs) -> None:
        self.name = uuid.uuid4().hex
        self._blobs = blobs
        self._path = blobs.directory / _NEW / self.name
        self._kept = False

    def write(self) -> BinaryIO:
        """A new file for the bytes."""
        return open(self._path, "xb", opener=_private)

    def settle(self, file: BinaryIO) -> None:
        """Brings the bytes to the disk, closes the file, which may then be renamed anywhere, and gives it its name."""
        file.flush()
        os.fsync(file.fileno())
        file.close()
        path = self._blobs.place(self.name)
        with contextlib.suppress(FileNotFoundError):  # Taken for an orphan; ``is_there`` will tell.
            self._path.rename(path)
        self._path = path
        settle_names(path.parent)

    def link(self, name: str) -> None:
        """Takes the bytes of another body, by a hard link where the file system has them."""
        source, path = self._blobs.path(name), self._blobs.place(self.name)
        try:
            os.link(source, path)
        except OSError as error:
            if error.errno not in _NO_LINK:
                raise
            with source.open("rb") as original, self.write() as copy:
                shutil.copyfileobj(original, copy, 1 << 20)
                self.settle(copy)
        else:
            self._path = path
            settle_names(path.parent)

    def is_there(self) -> bool:
        """Whether the body still lies under its name: another process may have taken it for an orphan."""
        return self._path.exists()

    def keep(self) -> None:
        """Leaves the body in place when the context ends."""
        self._kept = True

    def drop(self) -> None:
        """Removes what is there, unless it is to be kept."""
        if not self._kept:
            with contextlib.suppress(OSError):  # It is an orphan then, and collected as one.
                self._path.unlink(missing_ok=True)


class Blobs:
    """All bodies of one store.

    Args:
        directory: Where they lie.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def create(self) -> None:
        """Makes the directories, for their owner alone."""
        for directory in (self.directory, self.directory / _NEW):
            directory.mkdir(mode=0o700, exist_ok=True)
        settle_names(self.directory)

    def path(self, name: str) -> Path:
        """Where a body lies."""
        return self.directory / name[:2] / name

    def place(self, name: str) -> Path:
        """Where a new body shall lie; its directory is there."""
        path = self.path(name)
        if not path.parent.is_dir():
            path.parent.mkdir(mode=0o700, exist_ok=True)
            settle_names(self.directory)
        return path

    @contextmanager
    def draft(self) -> Iterator[Draft]:
        """A new body; see ``Draft``."""
        draft = Draft(self)
        try:
            yield draft
        finally:
            draft.drop()

    def open(self, name: str) -> FileIO:
        """A body's bytes.

        Raises:
            FileNotFoundError: There is none of that name.
        """
        return FileIO(self.path(name), "rb")

    def remove(self, name: str) -> None:
        """Removes a body that nothing names any more. What cannot be removed now is collected later."""
        with contextlib.suppress(OSError):
            self.path(name).unlink(missing_ok=True)

    def shards(self) -> list[str]:
        """The two-digit directories."""
        return sorted(entry.name for entry in os.scandir(self.directory) if entry.name != _NEW and entry.is_dir())

    def strangers(self, shard: str, known: set[str], age: float) -> list[str]:
        """Bodies in one directory that the index did not know.

        Args:
            shard: One of ``shards``.
            known: The names the index has there.
            age: Seconds. A younger one may belong to a writer that has not got to the index yet.

        Returns:
            Their names.
        """
        return [name for name in _older(self.directory / shard, age) if name not in known]

    def abandoned_drafts(self, age: float) -> list[str]:
        """What dead writers left unfinished.

        Args:
            age: Seconds since a writer last touched it.

        Returns:
            Their names.
        """
        return list(_older(self.directory / _NEW, age))

    def remove_drafts(self, names: list[str]) -> None:
        """Removes bodies that were never finished."""
        for name in names:
            (self.directory / _NEW / name).unlink(missing_ok=True)


def _older(directory: Path, age: float) -> Iterator[str]:
    # The change time: it is set when a file is linked or renamed too, and nobody can set it back.
    latest = time.time() - age
    with os.scandir(directory) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):
                if _NAME.fullmatch(entry.name) and entry.stat(follow_symlinks=False).st_ctime <= latest:
                    yield entry.name


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
