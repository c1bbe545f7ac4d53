"""What the two sides of bulk work are made of: entries, and problems told instead of raised.

Names are relative to their side's root, with ``/`` between segments. Both sides give them in byte order of their UTF-8
form, which is the order of S3's listings and, since UTF-8 keeps the order of code points, that of Python's strings.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from deltaglider.errors import DeltaGliderError
from deltaglider.late import dataclass
from deltaglider.layout.attributes import recorded_mtime
from deltaglider.models import ObjectInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Entry(Protocol):
    """A file or object, as far as comparing needs to know it."""

    @property
    def name(self) -> str:
        """Relative to the root of its side."""

    @property
    def size(self) -> int:
        """Bytes of the file."""

    @property
    def modified(self) -> datetime:
        """When it was written; aware, UTC."""

    @property
    def written(self) -> datetime | None:
        """When the file was last changed, if that is known; aware, UTC."""

    @property
    def where(self) -> str:
        """Its path or URI."""


@dataclass(frozen=True, slots=True)
class LocalEntry:
    """A file of this machine.

    Attributes:
        name: Relative to the root walked.
        size: Bytes.
        modified: Its mtime, UTC.
        path: The file.
        linked: Whether a directory on the way to it, below the root, is a symbolic link.
    """

    name: str
    size: int
    modified: datetime
    path: Path
    linked: bool = False

    @property
    def written(self) -> datetime | None:
        """Its mtime."""
        return self.modified

    @property
    def where(self) -> str:
        """Its path."""
        return str(self.path)


@dataclass(frozen=True, slots=True)
class RemoteEntry:
    """An object of a store.

    Attributes:
        name: Its key, relative to the prefix listed.
        info: The object.
    """

    name: str
    info: ObjectInfo

    @property
    def size(self) -> int:
        """Bytes of the original file."""
        return self.info.size

    @property
    def modified(self) -> datetime:
        """When it was stored, UTC."""
        return self.info.last_modified

    @property
    def written(self) -> datetime | None:
        """The mtime that was kept of the file, where the metadata are known; to the microsecond, rounded down."""
        moment = recorded_mtime(self.info.metadata)
        return _EPOCH + timedelta(microseconds=moment // 1000) if moment is not None else None

    @property
    def where(self) -> str:
        """Its URI."""
        return self.info.url


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that was found and cannot be worked on.

    It stands where the entry would stand, because it also protects: what the other side has under its name, and below
    it as a directory, is never deleted for being absent here.

    Attributes:
        name: Relative to the root; of a directory, with a slash at its end.
        where: Its path or URI, printable.
        message: Why, as a sentence, in the words of ``aws s3`` where it has any. Empty: nobody needs to be told.
        error: What makes it a failure rather than a warning.
    """

    name: str
    where: str
    message: str
    error: DeltaGliderError | None = None
