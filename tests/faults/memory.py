"""A store and a codec that cost nothing, for tests that need very many operations: all in memory, in one thread.

``MemoryStore`` keeps the contract of ``deltaglider.store.base`` as far as the engine uses it. ``PlainCodec`` makes
deltas that hold the whole file, and refuses to apply one to any other reference than its own.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deltaglider.codec.base import Encoded
from deltaglider.errors import (
    BucketNotFoundError,
    ChecksumMismatchError,
    DeltaCorruptError,
    NotFoundError,
    PreconditionFailedError,
)
from deltaglider.store.base import ListedObject, ListedPrefix, PutResult, StoredObject
from deltaglider.store.deletions import Deleted, DeleteFailure

MAGIC = b"\xd6\xc3\xc4"


class MemoryStore:
    """Buckets in a dictionary; each call is one step that nothing interrupts."""

    identity = "memory:"

    def __init__(self, *buckets: str) -> None:
        self.buckets: dict[str, dict[str, tuple[StoredObject, bytes]]] = {bucket: {} for bucket in buckets}

    async def head(self, bucket: str, key: str) -> StoredObject:
        return self._find(bucket, key)[0]

    async def fetch(
        self,
        bucket: str,
        key: str,
        path: Path,
        *,
        if_match: str | None = None,
        moved: Any = None,
        hashing: Any = None,
    ) -> StoredObject:
        found, data = self._find(bucket, key, if_match)
        path.write_bytes(data)
        return found

    @asynccontextmanager
    async def open(
        self, bucket: str, key: str, *, start: int = 0, length: int | None = None, if_match: str | None = None
    ) -> AsyncIterator[Any]:
        _, data = self._find(bucket, key, if_match)

        async def pieces() -> AsyncIterator[bytes]:
            yield data[start:] if length is None else data[start : start + length]

        yield pieces()

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
        moved: Any = None,
    ) -> PutResult:
        if if_none_match and key in self.buckets[bucket]:
            raise PreconditionFailedError("it exists", uri=f"s3://{bucket}/{key}", status=412)
        data = source.read_bytes() if isinstance(source, Path) else source
        if hashlib.sha256(data).hexdigest() != sha256:
            raise ChecksumMismatchError("the source changed", uri=f"s3://{bucket}/{key}")
        return self._enter(bucket, key, data, metadata, headers or {})

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
    ) -> PutResult:
        found, data = self._find(bucket, key, if_match)
        if metadata is None:
            return self._enter(to_bucket, to_key, data, found.metadata, found.headers)
        return self._enter(to_bucket, to_key, data, metadata, headers or {})

    async def delete(self, bucket: str, key: str, *, if_match: str | None = None) -> Deleted:
        if if_match is not None and key in self._bucket(bucket):
            self._find(bucket, key, if_match)
        self._bucket(bucket).pop(key, None)
        return Deleted()

    async def delete_many(self, bucket: str, keys: Sequence[str]) -> list[DeleteFailure]:
        for key in keys:
            await self.delete(bucket, key)
        return []

    async def list_objects(
        self, bucket: str, prefix: str = "", *, delimiter: str = "", start_after: str = "", page_size: int = 1000
    ) -> AsyncIterator[list[ListedObject | ListedPrefix]]:
        entries: dict[str, ListedObject | ListedPrefix] = {}
        for key, (found, _) in sorted(self._bucket(bucket).items(), key=lambda item: item[0].encode()):
            at = key.find(delimiter, len(prefix)) if delimiter else -1
            name = key[: at + len(delimiter)] if at >= 0 else key
            if key.startswith(prefix) and name.encode() > start_after.encode():
                listed = ListedObject(key, found.size, found.etag, found.last_modified)
                entries.setdefault(name, listed if name == key else ListedPrefix(name))
        every = list(entries.values())
        for start in range(0, len(every), page_size):
            yield every[start : start + page_size]

    async def aclose(self) -> None:
        pass

    def _bucket(self, bucket: str) -> dict[str, tuple[StoredObject, bytes]]:
        if bucket not in self.buckets:
            raise BucketNotFoundError("the bucket does not exist", uri=f"s3://{bucket}")
        return self.buckets[bucket]

    def _find(self, bucket: str, key: str, if_match: str | None = None) -> tuple[StoredObject, bytes]:
        held = self._bucket(bucket).get(key)
        if held is None:
            raise NotFoundError("no such object", uri=f"s3://{bucket}/{key}", status=404)
        if if_match not in (None, held[0].etag):
            raise PreconditionFailedError("it has another ETag", uri=f"s3://{bucket}/{key}", status=412)
        return held

    def _enter(
        self, bucket: str, key: str, data: bytes, metadata: Mapping[str, str], headers: Mapping[str, str]
    ) -> PutResult:
        etag = hashlib.md5(data).hexdigest()
        # Whole seconds, as S3 has them.
        now = datetime.now(UTC).replace(microsecond=0)
        found = StoredObject(bucket, key, len(data), etag, now, dict(metadata), dict(headers))
        self._bucket(bucket)[key] = (found, data)
        return PutResult(etag)


@dataclasses.dataclass
class PlainCodec:
    """See the text of this module."""

    name: str = ""
    label: str = "plain"
    is_costly: bool = True

    def takes(self, reference_size: int, target_size: int) -> bool:
        return True

    async def encode(self, reference: Path, target: Path, delta: Path, *, limit: int) -> Encoded | None:
        delta.write_bytes(MAGIC + hashlib.sha256(reference.read_bytes()).digest() + target.read_bytes())
        return Encoded(self.name, "plain -D")

    async def decode(
        self, reference: Path, delta: Path, target: Path | None, *, size: int, recompress: bool = False
    ) -> str:
        data = delta.read_bytes()
        if data[3:35] != hashlib.sha256(reference.read_bytes()).digest():
            raise DeltaCorruptError("made against another reference")
        if target is not None:
            target.write_bytes(data[35:])
        return hashlib.sha256(data[35:]).hexdigest()

    async def self_test(self) -> str:
        return "0"
