"""An object held open: any of its bytes, at any time, and always those of one and the same file."""

from __future__ import annotations

import hashlib
from contextlib import AsyncExitStack
from pathlib import Path

import anyio

from deltaglider.engine.context import Context, uri_of
from deltaglider.engine.listing import info_of
from deltaglider.engine.locate import Form, locate
from deltaglider.engine.materialise import check_format
from deltaglider.engine.reading import decoded, read_window
from deltaglider.errors import ChecksumMismatchError
from deltaglider.files import local_errors
from deltaglider.tasks import map_bounded


class Ranges:
    """Parts of one object, as it was when it was opened. One that is replaced meanwhile is an error, never a mixture.

    What is stored as a delta is decoded and proven before its first part is given, once: the file stays in the cache
    as long as this is open, however small the cache is. What is stored whole is fetched in parts; read from its first
    byte to its last, it is proven with the last one.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        key: The object's key.
        form: Where it is stored.

    Attributes:
        info: What is known of the object.
    """

    def __init__(self, ctx: Context, bucket: str, key: str, form: Form) -> None:
        self.info = info_of(bucket, key, form)
        self._ctx = ctx
        self._form = form
        self._lock = anyio.Lock()
        self._held = AsyncExitStack()
        self._decoded: Path | None = None
        self._hash = hashlib.sha256()
        self._hashed = 0

    @classmethod
    async def open(cls, ctx: Context, bucket: str, key: str) -> Ranges:
        """Finds an object.

        Args:
            ctx: The client's parts.
            bucket: The bucket.
            key: The object's key.

        Returns:
            Its bytes, to be closed at the end.

        Raises:
            NotFoundError: There is no such object.
            UnknownFormatError: It is of a kind that this version cannot read.
        """
        form = await locate(ctx, bucket, key)
        check_format(ctx, bucket, key, form)
        return cls(ctx, bucket, key, form)

    async def read(self, start: int, end: int) -> bytes:
        """Reads a part.

        Args:
            start: The first byte.
            end: The byte after the last one; what lies beyond the object's end is left out.

        Returns:
            The bytes.

        Raises:
            PreconditionFailedError: The object was replaced.
            NotFoundError: It was deleted.
            IntegrityError: Its bytes are not the recorded ones.
        """
        start, end = max(start, 0), min(end, self.info.size)
        if start >= end:
            return b""
        if self._form.is_delta:
            return await self._ctx.thread(_read, await self._whole(), start, end - start)
        step = self._ctx.settings.multipart_chunksize
        windows = [(at, min(step, end - at)) for at in range(start, end, step)]
        limit = self._ctx.settings.max_concurrent_requests
        parts = await map_bounded(lambda window: read_window(self._ctx, self._form, *window), windows, limit=limit)
        data = b"".join(parts)
        await self._prove(start, data)
        return data

    async def aclose(self) -> None:
        """Lets go of the decoded file. Harmless if repeated."""
        self._decoded = None
        await self._held.aclose()

    async def _whole(self) -> Path:
        """The decoded file."""
        async with self._lock:
            if self._decoded is None:
                kept = decoded(self._ctx, self.info.key, self._form)
                self._decoded = await self._held.enter_async_context(kept)
            return self._decoded

    async def _prove(self, start: int, data: bytes) -> None:
        if not self.info.sha256 or start != self._hashed:
            return
        self._hashed += len(data)
        await self._ctx.thread(self._hash.update, data)
        if self._hashed == self.info.size and self._hash.hexdigest() != self.info.sha256:
            raise ChecksumMismatchError(
                f"its bytes have SHA-256 {self._hash.hexdigest()}, not the recorded {self.info.sha256}",
                uri=uri_of(self.info.bucket, self.info.key),
                remedy="Restore it from a backup, or upload the file again",
            )


def _read(path: Path, start: int, length: int) -> bytes:
    with local_errors(str(path), "cannot be read"), path.open("rb") as file:
        file.seek(start)
        return file.read(length)
