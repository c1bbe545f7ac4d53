"""An object into a file: one GET, or parallel ranges of one generation."""

from __future__ import annotations

import contextlib

from anyio.abc import TaskStatus

from deltaglider.config import MIB
from deltaglider.errors import LocalFileError, StoreError, TransferBrokenError
from deltaglider.store.base import Moved, StoredObject
from deltaglider.store.s3.limits import task_group
from deltaglider.store.s3.local import Target
from deltaglider.store.s3.receiving import Incoming, is_beyond_the_end
from deltaglider.store.s3.session import S3Session
from deltaglider.tasks import map_bounded

_FLUSH = 2 * MIB  # Bytes gathered for one trip to a worker thread.


async def fetch(
    session: S3Session,
    bucket: str,
    key: str,
    target: Target,
    *,
    if_match: str | None,
    moved: Moved | None,
    version: str | None = None,
) -> StoredObject:
    """See ``ObjectStore.fetch``."""
    await session.connection.client()
    try:
        target.open()
        job = _Fetch(session, bucket, key, target, moved, version)
        found = await job.run(if_match)
        if target.is_open:
            await session.in_thread(target.close)
    except BaseException:
        with contextlib.suppress(LocalFileError):
            target.close()
        raise
    if job.written != found.size:
        text = f"{job.written} of {found.size} bytes came"
        raise TransferBrokenError(text, uri=f"s3://{bucket}/{key}", remedy="Try again later")
    return found


class _Fetch:
    """One object on its way into one file."""

    def __init__(
        self, session: S3Session, bucket: str, key: str, target: Target, moved: Moved | None, version: str | None
    ) -> None:
        self.written = 0
        self._session = session
        self._bucket = bucket
        self._key = key
        self._target = target
        self._moved = moved
        self._version = version
        self._complete: dict[int, int] = {}  # Ends of ranges behind a gap, by their starts.
        self._gapless = 0

    async def run(self, if_match: str | None) -> StoredObject:
        settings = self._session.settings
        first = max(settings.multipart_threshold, settings.multipart_chunksize)
        async with task_group() as group:
            found, begun = await group.start(self._begin, first, if_match)
            chunk = self._session.part_size(found.size)

            async def fetch_range(ends: tuple[int, int]) -> None:
                await self._range(ends, found.etag)

            ranges = ((start, min(start + chunk, found.size)) for start in range(begun, found.size, chunk))
            await map_bounded(fetch_range, ranges, limit=settings.max_concurrent_requests)
        result: StoredObject = found
        return result

    async def _begin(
        self, stop: int, if_match: str | None, *, task_status: TaskStatus[tuple[StoredObject, int]]
    ) -> None:
        """The first range, whose answer tells the size and the generation of the rest."""
        async with self._session.slot():
            incoming = self._incoming(0, stop, if_match)
            try:
                found = await incoming.open()
            except StoreError as error:
                if not is_beyond_the_end(error):
                    raise
                # No range fits an empty object.
                incoming = self._incoming(0, None, if_match)
                found = await incoming.open()
            if not incoming.partial:
                incoming.stop = found.size
            end = incoming.stop or 0
            task_status.started((found, end))
            await self._save(incoming, found.size)
        if end < found.size:
            await self._follow(0, end)

    async def _range(self, ends: tuple[int, int], etag: str) -> None:
        async with self._session.slot():
            incoming = self._incoming(*ends, etag)
            found = await incoming.open()
            await self._save(incoming, found.size)
        await self._follow(*ends)

    async def _follow(self, start: int, end: int) -> None:
        """Lets the hashing go on as far as there is no gap any more; the rest of it is still on its way."""
        self._complete[start] = end
        gapless = self._gapless
        while (further := self._complete.pop(gapless, None)) is not None:
            gapless = further
        if gapless > self._gapless:
            self._gapless = gapless
            await self._session.in_thread(self._target.follow, gapless)

    def _incoming(self, start: int, stop: int | None, etag: str | None) -> Incoming:
        return Incoming(
            self._session, self._bucket, self._key, start=start, stop=stop, etag=etag, version=self._version
        )

    async def _save(self, incoming: Incoming, size: int) -> None:
        """Writes what comes; ``size`` is the whole object's."""
        pieces: list[bytes] = []
        gathered, offset = 0, incoming.position
        try:
            while piece := await incoming.read():
                pieces.append(piece)
                gathered += len(piece)
                if gathered >= _FLUSH:
                    await self._write(pieces, gathered, offset)
                    offset += gathered
                    pieces, gathered = [], 0
            if pieces:
                # Of a small object, all in one way to a thread and back.
                await self._write(pieces, gathered, offset, last=not offset and gathered == size)
        finally:
            incoming.release()

    async def _write(self, pieces: list[bytes], count: int, offset: int, *, last: bool = False) -> None:
        await self._session.in_thread(self._target.write, pieces, offset, last)
        self.written += count
        if self._moved is not None:
            self._moved(count)
