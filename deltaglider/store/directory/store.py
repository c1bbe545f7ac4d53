"""The embedded store behind ``file://`` endpoints: the same buckets, keys and rules as S3, without a server.

This is its async face; ``embedded`` does the work, in threads, and has the layout of the directory.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from io import FileIO
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import parse_qsl

import anyio
from anyio import from_thread

from deltaglider.errors import DeltaGliderError, NotSupportedError
from deltaglider.files import CHUNK, Hashing
from deltaglider.store.base import (
    HEADER_NAMES,
    ListedObject,
    ListedPrefix,
    ListedUpload,
    Moved,
    PutResult,
    StoredObject,
)
from deltaglider.store.buckets import ListedBucket
from deltaglider.store.deletions import Deleted, DeleteFailure
from deltaglider.store.directory import catalog, pages
from deltaglider.store.directory.catalog import Condition, Entry, location
from deltaglider.store.directory.disk import store_errors
from deltaglider.store.directory.embedded import Embedded, Progress, Target, ended_early
from deltaglider.store.directory.index import IndexMissingError
from deltaglider.threads import in_thread

T = TypeVar("T")

_BATCH = 1000  # Keys deleted in one transaction: other writers wait for it.
_CLOSING = 30  # Seconds.


class DirectoryStore:
    """An ``ObjectStore`` in a local directory. Nothing is opened before it is needed, or made before the first bucket.

    Any number of processes may use one directory at once, on a local file system. In a child made by ``fork`` a store
    goes on working.

    Args:
        root: The directory.
        timeout: Seconds to wait for other writers.
        max_concurrent_requests: Requests in flight at once; each has a thread and an SQLite connection.

    Attributes:
        identity: The endpoint, ``file:///path``.
    """

    def __init__(self, root: Path, *, timeout: float = 60.0, max_concurrent_requests: int = 8) -> None:
        self._root = Path(root).absolute()
        self._timeout = timeout
        self._concurrency = max_concurrent_requests
        self.identity = self._root.as_uri()
        self._start()

    def _start(self) -> None:
        self._pid = os.getpid()
        self._embedded = Embedded(self._root, self._timeout)
        self._limiter = anyio.CapacityLimiter(self._concurrency)

    async def head(self, bucket: str, key: str, *, version_id: str | None = None) -> StoredObject:
        """See ``ObjectStore``."""
        _refuse_version(bucket, key, version_id)
        find = partial(catalog.find, bucket=bucket, key=key)
        entry = await self._run(location(bucket, key), lambda: self._embedded.read(bucket, find))
        return entry.info

    @asynccontextmanager
    async def open(
        self,
        bucket: str,
        key: str,
        *,
        start: int = 0,
        length: int | None = None,
        if_match: str | None = None,
        version_id: str | None = None,
    ) -> AsyncIterator[_Body]:
        """See ``ObjectStore``."""
        _refuse_version(bucket, key, version_id)
        uri = location(bucket, key)
        with ExitStack() as stack:

            def begin() -> _Body:
                info, file = self._embedded.open(bucket, key, if_match)
                stack.callback(file.close)  # Here, as the caller may be cancelled and never learn of the file.
                file.seek(start)
                left = max(0, info.size - start)
                return _Body(info, file, left if length is None else min(left, length), partial(self._run, uri))

            yield await self._run(uri, begin)

    async def fetch(
        self,
        bucket: str,
        key: str,
        path: Path,
        *,
        if_match: str | None = None,
        moved: Moved | None = None,
        version_id: str | None = None,
        hashing: Hashing | None = None,
    ) -> StoredObject:
        """See ``ObjectStore``."""
        _refuse_version(bucket, key, version_id)
        return await self._run(
            location(bucket, key), lambda: self._embedded.fetch(bucket, key, path, if_match, _progress(moved))
        )

    async def put(
        self,
        bucket: str,
        key: str,
        source: Path | bytes,
        *,
        sha256: str,
        metadata: Mapping[str, str],
        headers: Mapping[str, str] | None = None,
        if_none_match: bool = False,
        if_match: str | None = None,
        moved: Moved | None = None,
    ) -> PutResult:
        """See ``ObjectStore``."""
        info = StoredObject(bucket, key, 0, "", catalog.moment(0), _named(metadata), _kept(headers))
        target = Entry(info, "", _tags(headers) or {})
        condition = Condition(if_none_match, if_match)
        etag = await self._run(
            location(bucket, key), lambda: self._embedded.put(target, source, sha256, condition, _progress(moved))
        )
        return PutResult(etag)

    async def copy(
        self,
        bucket: str,
        key: str,
        to_bucket: str,
        to_key: str,
        *,
        metadata: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        if_match: str | None = None,
        if_none_match: bool = False,
    ) -> PutResult:
        """See ``ObjectStore``."""
        described = None if metadata is None else (_named(metadata), _kept(headers))
        target = Target(to_bucket, to_key, described, _tags(headers))
        etag = await self._run(
            location(bucket, key),
            lambda: self._embedded.copy((bucket, key), if_match, target, Condition(absent=if_none_match)),
        )
        return PutResult(etag)

    async def tags(self, bucket: str, key: str) -> dict[str, str]:
        """See ``ObjectStore``."""
        find = partial(catalog.find, bucket=bucket, key=key)
        entry = await self._run(location(bucket, key), lambda: self._embedded.read(bucket, find))
        return dict(entry.tags)

    async def set_tags(self, bucket: str, key: str, tags: Mapping[str, str]) -> None:
        """See ``ObjectStore``."""
        change = partial(catalog.set_tags, bucket=bucket, key=key, tags=tags)
        await self._run(location(bucket, key), lambda: self._embedded.write(bucket, change))

    async def delete(
        self, bucket: str, key: str, *, if_match: str | None = None, version_id: str | None = None
    ) -> Deleted:
        """See ``ObjectStore``."""
        _refuse_version(bucket, key, version_id)
        await self._run(location(bucket, key), lambda: self._embedded.delete(bucket, [key], if_match))
        return Deleted()

    async def delete_many(self, bucket: str, keys: Sequence[str]) -> list[DeleteFailure]:
        """See ``ObjectStore``."""
        failures: list[DeleteFailure] = []
        possible: list[str] = []
        for key in keys:
            try:
                catalog.encode_key(bucket, key)
            except DeltaGliderError as error:
                failures.append(DeleteFailure(key, error))
            else:
                possible.append(key)
        for at in range(0, len(possible), _BATCH):
            batch = possible[at : at + _BATCH]
            await self._run(location(bucket), partial(self._embedded.delete, bucket, batch))
        return failures

    async def list_objects(
        self, bucket: str, prefix: str = "", *, delimiter: str = "", start_after: str = "", page_size: int = 1000
    ) -> AsyncIterator[list[ListedObject | ListedPrefix]]:
        """See ``ObjectStore``."""
        listing = pages.Listing(bucket, _encoded(prefix), _encoded(delimiter))
        position: bytes | None = listing.begin(_encoded(start_after))
        while position is not None:
            query = partial(pages.page, listing=listing, position=position, limit=max(1, min(page_size, 1000)))
            entries, position = await self._run(location(bucket, prefix), partial(self._embedded.read, bucket, query))
            if entries:
                yield entries

    async def list_buckets(self, *, prefix: str = "", region: str = "") -> list[ListedBucket]:
        """See ``BucketStore``. They are in no region."""

        def work() -> list[ListedBucket]:
            try:
                found = self._embedded.index.read(catalog.list_buckets)
            except IndexMissingError:
                return []
            return [bucket for bucket in found if bucket.name.startswith(prefix)]

        return await self._run(self.identity, work)

    async def bucket_exists(self, bucket: str) -> bool:
        """See ``ObjectStore``."""

        def work() -> bool:
            try:
                return self._embedded.index.read(partial(catalog.bucket_exists, bucket=bucket))
            except IndexMissingError:
                return False

        return await self._run(location(bucket), work)

    async def create_bucket(self, bucket: str, *, tags: Mapping[str, str] | None = None) -> None:
        """See ``BucketStore``."""
        if tags:
            raise _lacking("tags of buckets", bucket)
        await self._run(location(bucket), lambda: self._embedded.create_bucket(bucket))

    async def delete_bucket(self, bucket: str) -> None:
        """See ``ObjectStore``."""
        delete = partial(catalog.delete_bucket, bucket=bucket)
        await self._run(location(bucket), lambda: self._embedded.write(bucket, delete))

    async def bucket_acl(self, bucket: str) -> dict[str, Any]:
        """See ``BucketStore``. Who may read the directory is the file system's business."""
        raise _lacking("access control lists", bucket)

    async def set_bucket_acl(self, bucket: str, parameters: Mapping[str, Any]) -> None:
        """See ``BucketStore``."""
        raise _lacking("access control lists", bucket)

    async def set_bucket_website(self, bucket: str, parameters: Mapping[str, Any]) -> None:
        """See ``BucketStore``."""
        raise _lacking("web sites", bucket)

    async def presign(
        self,
        bucket: str,
        key: str,
        *,
        method: Literal["get_object", "put_object", "head_object"] = "get_object",
        expires: int = 3600,
        parameters: Mapping[str, str] | None = None,
    ) -> str:
        """See ``ObjectStore``."""
        raise NotSupportedError(
            "the embedded store has no URLs",
            uri=location(bucket, key),
            remedy="Use an S3 endpoint, or download the file",
        )

    async def unfinished_uploads(self, bucket: str, prefix: str = "") -> AsyncIterator[ListedUpload]:
        """See ``ObjectStore``. There are none: a write is one transaction."""
        none: tuple[ListedUpload, ...] = ()
        for upload in none:
            yield upload

    async def abort_upload(self, bucket: str, key: str, upload_id: str) -> None:
        """See ``ObjectStore``."""

    async def orphans(self, age: float, *, remove: bool) -> int:
        """See ``Upkeep``."""
        return await self._run(self.identity, lambda: self._embedded.orphans(age, remove=remove))

    async def aclose(self) -> None:
        """See ``ObjectStore``."""
        # The last connection to close writes the journal back into the index.
        with anyio.move_on_after(_CLOSING, shield=True):
            await self._run(self.identity, self._embedded.index.close)

    async def _run(self, uri: str, work: Callable[[], T]) -> T:
        if self._pid != os.getpid():
            self._embedded.index.abandon()
            self._start()

        def translated() -> T:
            with store_errors(uri, self._root):
                return work()

        return await in_thread(translated, limiter=self._limiter)


class _Body:
    """An open object; see ``Body``."""

    def __init__(
        self, info: StoredObject, file: FileIO, left: int, run: Callable[[Callable[[], bytes]], Awaitable[bytes]]
    ) -> None:
        self.info = info
        self._file = file
        self._left = left
        self._run = run

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if not self._left:
            raise StopAsyncIteration
        piece = await self._run(lambda: self._file.read(min(CHUNK, self._left)))
        if not piece:
            raise ended_early(self.info)
        self._left -= len(piece)
        return piece


def _refuse_version(bucket: str, key: str, version_id: str | None) -> None:
    if version_id is not None:
        raise NotSupportedError(
            "the embedded store keeps no versions", uri=location(bucket, key), remedy="Ask without one"
        )


def _lacking(what: str, bucket: str) -> NotSupportedError:
    return NotSupportedError(f"the embedded store has no {what}", uri=location(bucket), remedy="Use an S3 endpoint")


def _named(metadata: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in metadata.items()}


def _kept(headers: Mapping[str, str] | None) -> dict[str, str]:
    return {name: value for name, value in (headers or {}).items() if name in HEADER_NAMES}


def _tags(headers: Mapping[str, str] | None) -> dict[str, str] | None:
    return dict(parse_qsl(headers["Tagging"], keep_blank_values=True)) if headers and "Tagging" in headers else None


def _progress(moved: Moved | None) -> Progress:
    """Tells of bytes in the event loop, and stops the thread when its caller is cancelled."""

    def progress(count: int) -> None:
        from_thread.check_cancelled()
        if moved:
            from_thread.run_sync(moved, count)

    return progress


def _encoded(text: str) -> bytes:
    # Text that is not Unicode can be asked for, and is never found.
    return text.encode("utf-8", "surrogatepass")
