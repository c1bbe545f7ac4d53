"""A request body that is sent in slices, so that progress shows, stalls are noticed and buffers stay small."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable

import anyio

from deltaglider.config import KIB, MIB
from deltaglider.errors import DeltaGliderError
from deltaglider.store.base import Moved

_SLICE = 256 * KIB


def content_md5(data: bytes | bytearray | memoryview) -> str:
    """The value of a Content-MD5 header.

    Args:
        data: The body.

    Returns:
        Its MD5 in base64.
    """
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode("ascii")


class SendBody:
    """Bytes that botocore takes for a file and aiohttp for an async iterable.

    Given plain bytes, aiohttp would hand all of them to the transport at once, which copies what the socket does not
    take; given a file, it would read it in the default executor, 64 KB a thread hop.

    Args:
        data: The body.
        moved: Told of bytes sent, each byte once even where a request is repeated.
        sha256: Of the body in hex, where it is known.

    Attributes:
        data: The body.
        sha256: Its SHA-256 in hex; ``None`` where it is not known.
        failure: What ``moved`` raised. It must not go through aiohttp, which would take it for a broken connection.
    """

    def __init__(self, data: bytes | memoryview, moved: Moved | None = None, sha256: str | None = None) -> None:
        self.data = memoryview(data)
        self.sha256 = sha256
        self._position = 0
        self._told = 0
        self._moved = moved
        self._scope: anyio.CancelScope | None = None
        self._patience = 0.0
        self.failure: Exception | None = None

    def watch(self, scope: anyio.CancelScope, patience: float) -> None:
        """Lets a scope end the request when nothing moves any more.

        Args:
            scope: Around the request.
            patience: Seconds from one slice, or the begin of an attempt, to the next.
        """
        self._scope = scope
        self._patience = patience
        self._progress()

    def _progress(self) -> None:
        if self._scope is not None:
            self._scope.deadline = anyio.current_time() + self._patience

    def __len__(self) -> int:
        return len(self.data)

    def __bool__(self) -> bool:
        return True  # botocore takes what is false for no body at all.

    def read(self, size: int | None = None) -> bytes:
        """The next bytes, for hashing and for checksums in trailers."""
        end = len(self.data) if size is None or size < 0 else self._position + size
        piece = self.data[self._position : end]
        self._position += len(piece)
        self._sent(self._position)
        return piece.tobytes()

    def tell(self) -> int:
        """The position of ``read``."""
        return self._position

    def seek(self, offset: int, whence: int = 0) -> int:
        """Sets the position of ``read``; botocore does before each attempt."""
        base = (0, self._position, len(self.data))[whence]
        self._position = max(0, base + offset)
        self._progress()
        return self._position

    def __aiter__(self) -> AsyncIterator[memoryview]:
        return _Slices(self)

    def slice(self, start: int) -> memoryview:
        """The slice that begins at ``start``; all before it were taken."""
        self._sent(start)
        return self.data[start : start + _SLICE]

    def _sent(self, position: int) -> None:
        self._progress()
        news = position - self._told
        if news <= 0 or self._moved is None:
            return
        self._told = position
        try:
            self._moved(news)
        except Exception as error:  # noqa: BLE001 - it is raised where the request was made.
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        self.failure = error
        if self._scope is not None:
            self._scope.cancel()


class UnsentError(Exception):
    """A body that is there but once was not sent, or not taken: it must be sent in another way."""


class FileBody(SendBody):
    """The bytes of a file, read and proven while they are sent: no more of them than a piece is in memory.

    botocore cannot send it, for it cannot be read again.

    Args:
        size: Bytes.
        read: Reads the next ones; raises where they are not what they should be, for the last ones at the latest.
        sha256: Of all of them, in hex.
        moved: Told of bytes sent.
    """

    def __init__(
        self, size: int, read: Callable[[int], Awaitable[memoryview]], sha256: str, moved: Moved | None
    ) -> None:
        super().__init__(b"", moved, sha256)
        self._size = size
        self._read = read
        self._rest = memoryview(b"")

    def rest_of_moved(self) -> Moved | None:
        """What another attempt is to tell of bytes sent: those that this one told of are not told again."""
        moved, told = self._moved, self._told

        def tell(count: int) -> None:
            nonlocal told
            news = max(0, count - told)
            told -= count - news
            if news and moved is not None:
                moved(news)

        return moved and tell

    def __len__(self) -> int:
        return self._size

    def __aiter__(self) -> AsyncIterator[memoryview]:
        # Not a generator, which would stay open where a request fails.
        return self

    async def __anext__(self) -> memoryview:
        """The next slice; all before it were taken."""
        self._sent(self._position)
        if self._position == self._size:
            raise StopAsyncIteration
        if not self._rest:
            try:
                self._rest = await self._read(min(MIB, self._size - self._position))
            except DeltaGliderError as error:
                self._fail(error)
                await anyio.sleep_forever()  # The request ends, and this with it: not one byte more may be sent.
        piece, self._rest = self._rest[:_SLICE], self._rest[_SLICE:]
        self._position += len(piece)
        return piece


class _Slices:
    """One attempt at sending."""

    def __init__(self, body: SendBody) -> None:
        self._body = body
        self._position = 0

    def __aiter__(self) -> _Slices:
        return self

    async def __anext__(self) -> memoryview:
        piece = self._body.slice(self._position)
        if not piece:
            raise StopAsyncIteration
        self._position += len(piece)
        return piece
