"""``Body``: the bytes of an answer, drawn as the caller likes, in both worlds.

No connection is held for a body that nobody reads: what comes from the store comes in windows, one ranged request each.
"""

from __future__ import annotations

import hashlib
import io
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from deltaglider.engine.context import Context
from deltaglider.errors import ChecksumMismatchError
from deltaglider.files import CHUNK, local_errors

if TYPE_CHECKING:
    from botocore.response import StreamingBody

_STEP = 1024
"""Bytes of a piece where the caller names no size; boto3's own number."""


class Source(Protocol):
    """Where the bytes come from, once, in order."""

    async def draw(self) -> bytes:
        """The next piece; empty at the end."""

    def release(self) -> None:
        """Lets go of what is held. From any thread; harmless if repeated."""


class FileSource:
    """A temporary file, removed when it is released.

    Args:
        ctx: The client's parts.
        path: The file.
        held: Owns the file.
        start: The first byte wanted.
        length: Bytes wanted.
    """

    def __init__(self, ctx: Context, path: Path, held: ExitStack, start: int, length: int) -> None:
        self._ctx = ctx
        self._path = path
        self._held = held
        self._next, self._end = start, start + length

    async def draw(self) -> bytes:
        """The next piece."""
        data = await self._ctx.thread(self._read) if self._next < self._end else b""
        self._next += len(data)
        return data

    def _read(self) -> bytes:
        # Opened anew for each piece: nobody knows when, or whether, the next one will be wanted.
        with local_errors(str(self._path), "cannot be read"), self._path.open("rb") as file:
            file.seek(self._next)
            return file.read(min(CHUNK, self._end - self._next))

    def release(self) -> None:
        """Removes the file."""
        self._held.close()


Window = Callable[[int, int], Awaitable[bytes]]
"""Brings bytes of an object: from a position, so many."""


class WindowSource:
    """An object of the store, one window after the other.

    Args:
        ctx: The client's parts.
        window: Brings them.
        start: The first byte wanted.
        length: Bytes wanted.
        sha256: Of them, in hex; empty where it is not known. The last piece is given only if it is right.
        uri: The object, for errors.
    """

    def __init__(self, ctx: Context, window: Window, start: int, length: int, *, sha256: str = "", uri: str) -> None:
        self._ctx = ctx
        self._window = window
        self._next, self._end = start, start + length
        self._expected = sha256
        self._hash = hashlib.sha256()
        self._uri = uri
        self._first = b""

    async def prepare(self) -> None:
        """Brings the first window, so that an object that is gone is told of before its body is read.

        Raises:
            StoreError: The store failed.
        """
        self._first = await self.draw()

    async def draw(self) -> bytes:
        """The next window.

        Raises:
            ChecksumMismatchError: The bytes are not the recorded ones.
            StoreError: The store failed, or the object was replaced meanwhile.
        """
        if self._first:
            data, self._first = self._first, b""
            return data
        if self._next >= self._end:
            return b""
        data = await self._window(self._next, min(self._ctx.settings.multipart_chunksize, self._end - self._next))
        self._next += len(data)
        if self._expected:
            await self._ctx.thread(self._hash.update, data)
            if self._next >= self._end and self._hash.hexdigest() != self._expected:
                raise ChecksumMismatchError(
                    f"its bytes have SHA-256 {self._hash.hexdigest()}, not the recorded {self._expected}",
                    uri=self._uri,
                    remedy="Restore it from a backup, or upload the file again",
                )
        return data

    def release(self) -> None:
        """Nothing is held."""


class AsyncStreamingBody:
    """The body of an answer of the asynchronous client, as aiobotocore's.

    Args:
        source: Where the bytes come from.
        length: How many there are.
    """

    def __init__(self, source: Source, length: int) -> None:
        self._source = source
        self._length = length
        self._buffer = bytearray()
        self._told = 0
        self._closed = False
        self._finalizer = weakref.finalize(self, source.release)

    async def read(self, amt: int | None = None) -> bytes:
        """Reads.

        Args:
            amt: Bytes at most; ``None`` or a negative number for all that is left.

        Returns:
            The bytes; fewer than asked for only at the end.

        Raises:
            DeltaGliderError: They cannot be had, or are not the recorded ones.
        """
        wanted = amt if amt is not None and amt >= 0 else self._length
        while len(self._buffer) < wanted and not self._closed:
            piece = await self._source.draw()
            if not piece:
                break
            self._buffer += piece
        data = bytes(self._buffer[:wanted])
        del self._buffer[:wanted]
        self._told += len(data)
        if self._told >= self._length:
            self._finalizer()
        return data

    async def iter_chunks(self, chunk_size: int = _STEP) -> AsyncIterator[bytes]:
        """The rest in pieces.

        Args:
            chunk_size: Bytes of each but the last one.

        Yields:
            Pieces.
        """
        while piece := await self.read(chunk_size):
            yield piece

    async def iter_lines(self, chunk_size: int = _STEP, keepends: bool = False) -> AsyncIterator[bytes]:
        """The rest in lines.

        Args:
            chunk_size: Bytes read at a time.
            keepends: Keep the line breaks.

        Yields:
            Lines.
        """
        rest = b""
        async for piece in self.iter_chunks(chunk_size):
            *lines, rest = (rest + piece).splitlines(keepends=True)  # The last one may not be complete.
            for line in lines:
                yield line if keepends else line.splitlines()[0]
        for line in rest.splitlines(keepends):
            yield line

    async def readlines(self) -> list[bytes]:
        """The rest, as a list of lines without their breaks."""
        return [line async for line in self.iter_lines()]

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        piece = await self.read(_STEP)
        if not piece:
            raise StopAsyncIteration
        return piece

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def length(self) -> int:
        """Bytes there are, read or not."""
        return self._length

    def tell(self) -> int:
        """Bytes read so far."""
        return self._told

    def at_eof(self) -> bool:
        """Whether all was read."""
        return self._told >= self._length

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    def close(self) -> None:
        """Lets go of what is held; there is nothing more to read. Harmless if repeated, and from any thread."""
        self._closed = True
        self._buffer.clear()
        self._finalizer()


Run = Callable[[Callable[[int], Awaitable[bytes]], int], bytes]
"""Calls a coroutine function in the client's event loop and waits for it."""


def streaming_body(body: AsyncStreamingBody, run: Run) -> StreamingBody:
    """The body of an answer of the synchronous client: botocore's own class, over bytes of ours.

    Args:
        body: The asynchronous one.
        run: Calls its methods.

    Returns:
        The body.
    """
    # Imported here: it brings all of botocore's parsers.
    from botocore.response import StreamingBody

    # Buffered, because lines and kilobytes must not go through the loop one by one.
    return StreamingBody(io.BufferedReader(_Raw(body, run), CHUNK), body.length)


class _Raw(io.RawIOBase):
    def __init__(self, body: AsyncStreamingBody, run: Run) -> None:
        self._body = body
        self._run = run

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._run(self._body.read, len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def tell(self) -> int:
        return self._body.tell()

    def close(self) -> None:
        self._body.close()
        super().close()
