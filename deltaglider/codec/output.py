"""What a decoder gives: hashed and counted on its way to a file, or to nowhere."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from deltaglider.errors import DeltaCorruptError, LocalFileError
from deltaglider.files import free_space, local_errors

REMEDY = "Free some space, or set temp_dir (DG_TEMP_DIR) to a larger disk"
"""Where a disk is full."""


class Output:
    """A file that is written from its start to its end. For worker threads; to be used as a context.

    Args:
        path: The file, made or overwritten; ``None``: nothing is written.
        size: Bytes it may have.
    """

    def __init__(self, path: Path | None, size: int) -> None:
        self.path = path
        self.size = size
        self.count = 0
        self._digest = hashlib.sha256()
        self._file: BinaryIO | None = None

    def __enter__(self) -> Self:
        if self.path is not None:
            require_room(self.path.parent, self.size)
            with local_errors(str(self.path.parent), "cannot be written", REMEDY):
                self._file = self.path.open("wb", buffering=0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            with local_errors(str(self._file.name), "cannot be written", REMEDY):
                self._file.close()

    def write(self, chunk: bytes | bytearray | memoryview) -> None:
        """Takes the next bytes.

        Raises:
            DeltaCorruptError: There are more than there may be. None of the chunk is written then.
            LocalFileError: The disk is full.
        """
        view = memoryview(chunk)
        self.count += view.nbytes
        if self.count > self.size:
            raise DeltaCorruptError(f"the delta decodes to more than the recorded {self.size} bytes")
        self._digest.update(view)
        if self._file is not None:
            with local_errors(str(self.path and self.path.parent), "cannot be written", REMEDY):
                while view.nbytes:
                    view = view[self._file.write(view) :]

    @property
    def sha256(self) -> str:
        """Of what was written so far, in hex."""
        return self._digest.hexdigest()


def require_room(directory: Path, size: int) -> None:
    """Refuses what cannot fit before anything is written: the size is what metadata says, which may be a lie.

    Args:
        directory: Where it would be written.
        size: Bytes.

    Raises:
        LocalFileError: Fewer bytes are free.
    """
    free = free_space(directory)
    if size > free:
        raise LocalFileError(
            f"the disk is too full: the object is recorded to have {size} bytes, and {free} are free",
            uri=str(directory),
            remedy="Free some space, or set temp_dir (DG_TEMP_DIR) to a larger disk; if you know no object so large, "
            "its metadata is wrong",
        )
