"""Open files: read in blocks of an object that stays the same, written to a temporary file that becomes one."""

from __future__ import annotations

import warnings
from types import TracebackType
from typing import Any

from fsspec.asyn import AbstractAsyncStreamedFile, sync
from fsspec.spec import AbstractBufferedFile

from deltaglider.engine.ranges import Ranges
from deltaglider.fs import paths
from deltaglider.fs.base import FileSystemBase
from deltaglider.fs.clients import Staged


class ReadFile(AbstractBufferedFile):
    """An object open for reading. fsspec keeps its blocks; an object stored as a delta is decoded once.

    Args:
        fs: The filesystem.
        path: ``bucket/key``.
        ranges: Its bytes.
        **options: What fsspec keeps of it, and how: ``block_size``, ``cache_type``, ``cache_options``.
    """

    def __init__(self, fs: FileSystemBase, path: str, ranges: Ranges, **options: Any) -> None:
        self._ranges = ranges
        self._details = paths.file(ranges.info)
        super().__init__(fs, path, "rb", **{**options, "size": ranges.info.size})

    def _fetch_range(self, start: int, end: int) -> bytes:
        return sync(self.fs.loop, self._ranges.read, start, end)  # type: ignore[no-any-return]

    def close(self) -> None:
        """Lets go of its blocks, and of the decoded file."""
        if not self.closed:
            super().close()
            self.fs.let_go(self._ranges.aclose)


class WriteFile(AbstractBufferedFile):
    """An object open for writing: stored as a whole when the file is closed, or the transaction ends; else not at all.

    Args:
        fs: The filesystem.
        path: ``bucket/key``.
        mode: ``wb``, ``ab`` or ``xb``.
        staged: Where it is written.
        **options: ``autocommit=False`` leaves it to ``commit``; ``block_size`` means nothing here.
    """

    closed: bool

    def __init__(self, fs: FileSystemBase, path: str, mode: str, staged: Staged, **options: Any) -> None:
        super().__init__(fs, path, mode, **options)
        self._staged = staged
        self.loc = staged.file.tell()

    def write(self, data: Any) -> int:
        """Writes bytes.

        Args:
            data: The bytes.

        Returns:
            How many.

        Raises:
            ValueError: The file is closed.
        """
        if self.closed:
            raise ValueError("I/O operation on closed file.")
        written = self._staged.file.write(data)
        self.loc += written
        return written

    def flush(self, force: bool = False) -> None:
        """Nothing is stored before the end.

        Args:
            force: Means nothing here.

        Raises:
            ValueError: The file is closed.
        """
        if self.closed:
            raise ValueError("Flush on closed file")

    def close(self) -> None:
        """Stores the object; in a transaction, that is left to its end. When this returns it is readable."""
        if self.closed:
            return
        self.closed = True
        try:
            self._staged.file.close()
            if self.autocommit:
                self.commit()
        except BaseException:
            self.discard()
            raise

    def commit(self) -> None:
        """Stores the object. For transactions."""
        sync(self.fs.loop, self._staged.store)
        self.discard()

    def discard(self) -> None:
        """Forgets what was written. For transactions."""
        self.closed = True
        self._staged.discard()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.discard()  # What is incomplete is no object.
        self.close()


class AsyncReadFile(AbstractAsyncStreamedFile):
    """An object open for reading, awaited.

    Args:
        fs: The filesystem.
        path: ``bucket/key``.
        ranges: Its bytes.
        **options: As for ``ReadFile``.
    """

    closed: bool

    def __init__(self, fs: FileSystemBase, path: str, ranges: Ranges, **options: Any) -> None:
        self._ranges = ranges
        self._details = paths.file(ranges.info)
        super().__init__(fs, path, "rb", **{**options, "size": ranges.info.size, "cache_type": "none"})

    async def _fetch_range(self, start: int, end: int) -> bytes:
        return await self._ranges.read(start, end)

    async def close(self) -> None:
        """Lets go of the decoded file."""
        if not self.closed:
            self.closed = True
            await self._ranges.aclose()

    def __del__(self) -> None:
        """Whoever does not close it leaves it to the end of the client."""


class AsyncWriteFile(AbstractAsyncStreamedFile):
    """An object open for writing, awaited: stored as a whole when the file is closed, or not at all.

    Args:
        fs: The filesystem.
        path: ``bucket/key``.
        mode: ``wb``, ``ab`` or ``xb``.
        staged: Where it is written.
        **options: ``block_size`` means nothing here.
    """

    closed: bool

    def __init__(self, fs: FileSystemBase, path: str, mode: str, staged: Staged, **options: Any) -> None:
        super().__init__(fs, path, mode, **options)
        self._staged = staged
        self.loc = staged.file.tell()

    async def write(self, data: Any) -> int:
        """Writes bytes.

        Args:
            data: The bytes.

        Returns:
            How many.

        Raises:
            ValueError: The file is closed.
        """
        if self.closed:
            raise ValueError("I/O operation on closed file.")
        written = await self._staged.write(data)
        self.loc += written
        return written

    async def flush(self, force: bool = False) -> None:
        """Nothing is stored before the end.

        Args:
            force: Means nothing here.
        """

    async def close(self) -> None:
        """Stores the object. When this returns it is readable."""
        if self.closed:
            return
        self.closed = True
        try:
            self._staged.file.close()
            await self._staged.store()
        finally:
            self._staged.discard()

    def discard(self) -> None:
        """Forgets what was written."""
        self.closed = True
        self._staged.discard()

    async def __aexit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if kind is not None:
            self.discard()  # What is incomplete is no object.
        await self.close()

    def __del__(self) -> None:
        if not self.closed and hasattr(self, "_staged"):
            self.discard()
            warnings.warn(f"{self.path} was never closed, and so not stored", ResourceWarning, stacklevel=2)
