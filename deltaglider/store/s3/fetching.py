"""An object into a file: one GET, or ranges of one generation in lanes beside each other.

The lanes of all objects together are as many as there may be requests. A single object has all of them. Where many are
fetched, each has one, and its bytes come in their order: what comes in order is hashed on its way, and the rest must be
read again.
"""

from __future__ import annotations

import contextlib

from anyio.abc import TaskGroup

from deltaglider.config import MIB
from deltaglider.errors import LocalFileError, StoreError, TransferBrokenError
from deltaglider.store.base import Moved, StoredObject
from deltaglider.store.s3.limits import task_group
from deltaglider.store.s3.local import Target
from deltaglider.store.s3.receiving import Incoming, is_beyond_the_end
from deltaglider.store.s3.session import RUN, S3Session

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
    with session.moving():
        await session.connection.client()
        job = _Fetch(session, bucket, key, target, moved, version)
        try:
            target.open()
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
        self._asked = 0  # Where the next range begins.
        self._lanes = 1

    async def run(self, if_match: str | None) -> StoredObject:
        async with task_group() as group:
            found, begun = await self._begin(group, if_match)
            if begun < found.size:
                await self._follow(0, begun)
                await self._lane(group, found, self._next_range(found.size))
        return found

    async def _begin(self, group: TaskGroup, if_match: str | None) -> tuple[StoredObject, int]:
        """The first range, whose answer tells the size and the generation of the rest."""
        async with self._session.slot():
            stop = self._run_of(max(self._session.settings.multipart_threshold, self._session.part_size(0)))
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
            self._asked = end = incoming.stop or 0
            self._spread(group, found)
            await self._save(incoming, found.size)
        return found, end

    async def _lane(self, group: TaskGroup, found: StoredObject, ends: tuple[int, int] | None) -> None:
        """Fetches ranges one after the other, as long as there are any and the lane is not needed elsewhere."""
        while ends:
            async with self._session.slot():
                incoming = self._incoming(*ends, found.etag)
                await incoming.open()
                await self._save(incoming, found.size)
            await self._follow(*ends)
            self._spread(group, found)
            ends = self._next_range(found.size) if self._lanes <= self._session.lanes else None
        self._lanes -= 1

    def _spread(self, group: TaskGroup, found: StoredObject) -> None:
        """Opens the lanes that nobody else needs."""
        while self._lanes < self._session.lanes and (ends := self._next_range(found.size)):
            self._lanes += 1
            group.start_soon(self._lane, group, found, ends)

    def _next_range(self, size: int) -> tuple[int, int] | None:
        start = self._asked
        self._asked = min(start + self._run_of(self._session.part_size(size)), size)
        return (start, self._asked) if start < size else None

    def _run_of(self, part: int) -> int:
        """Bytes to ask for at once. Where there is one lane, they come in their order however many they are."""
        return part * RUN if self._session.lanes == 1 else part

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
