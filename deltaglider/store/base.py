"""The store contract: what every backend offers, and how it behaves.

A store holds objects under ``(bucket, key)``: bytes, user metadata (ASCII, lower-case names), HTTP headers and tags. It
knows nothing of deltas. One suite of tests (``tests/contract``) runs against each implementation and is the contract's
other half.

- **Absent means 404.** ``head``, ``open`` and ``fetch`` raise ``NotFoundError`` for a missing key and
  ``BucketNotFoundError`` where the store tells that the bucket is missing; no other failure ever becomes one of these
  two.
- **Atomic visibility.** ``put`` and ``copy`` show the whole new object or leave the old one; an upload that fails or is
  cancelled leaves nothing, no unfinished multipart upload either.
- **What was promised is what is stored.** ``put`` is told the SHA-256 of what it sends and raises
  ``ChecksumMismatchError``, with nothing stored, when the file changed under it.
- **One generation.** ``fetch`` never mixes two versions of an object: every ranged read carries If-Match. A body that
  breaks off is resumed where it stopped.
- **Order.** Listings come in the byte order of UTF-8 keys, common prefixes merged in, and are consistent with completed
  writes.
- **Deleting what is absent is success.**
- ETags are without quotes; times are aware and UTC; bytes counts are bytes.
- Every error is one of ``deltaglider.errors``, names the ``s3://`` URI, and holds no secret.
- Methods are safe to call from many tasks of one event loop; requests are bounded by the store's own limiter.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from deltaglider.files import Hashing
from deltaglider.late import dataclass
from deltaglider.store.buckets import BucketStore
from deltaglider.store.deletions import Deleted, DeleteFailure

HEADER_NAMES = (
    "ContentType",
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "Expires",
    "WebsiteRedirectLocation",
)
"""The headers an object keeps, by boto3's parameter names. ``Expires`` is the text of the header."""

ARCHIVES = ("GLACIER", "DEEP_ARCHIVE")
"""The storage classes whose objects have to be restored before they can be read."""

Moved = Callable[[int], None]
"""Told of each piece of a body that went over the wire, in bytes. Called in the event loop."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object as it lies in the store.

    Attributes:
        bucket: The bucket.
        key: The stored key.
        size: Bytes stored.
        etag: ETag without quotes.
        last_modified: When it was stored, aware, UTC.
        metadata: User metadata, names in lower case.
        headers: The kept headers, by the names of ``HEADER_NAMES``.
        storage_class: As S3 names it; ``STANDARD`` where the store is silent.
        version_id: Of a versioned bucket; ``None`` elsewhere.
        tag_count: How many tags it has.
        archived: Whether it lies in an archive, so that it has to be restored before it can be read.
        encryption: Write parameters that protect another object as this one is (SSE-KMS); empty without its own key.
        answered: When the store told this, by its own clock; ``None`` where it does not say.
    """

    bucket: str
    key: str
    size: int
    etag: str
    last_modified: datetime
    metadata: Mapping[str, str] = dataclasses.field(default_factory=dict)
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    storage_class: str = "STANDARD"
    version_id: str | None = None
    tag_count: int = 0
    archived: bool = False
    encryption: Mapping[str, Any] = dataclasses.field(default_factory=dict, compare=False)
    answered: datetime | None = dataclasses.field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ListedObject:
    """One object as a listing shows it: no metadata.

    Attributes:
        key: The stored key.
        size: Bytes stored.
        etag: ETag without quotes.
        last_modified: When it was stored, aware, UTC.
        storage_class: As S3 names it.
    """

    key: str
    size: int
    etag: str
    last_modified: datetime
    storage_class: str = "STANDARD"


@dataclass(frozen=True, slots=True)
class ListedPrefix:
    """A common prefix of a listing with a delimiter.

    Attributes:
        key: The prefix, its delimiter included.
    """

    key: str


@dataclass(frozen=True, slots=True)
class ListedUpload:
    """A multipart upload that was neither completed nor aborted.

    Attributes:
        key: The key it would become.
        upload_id: The store's name of it.
        initiated: When it began.
    """

    key: str
    upload_id: str
    initiated: datetime


@dataclass(frozen=True, slots=True)
class PutResult:
    """What a write left.

    Attributes:
        etag: ETag without quotes.
        version_id: Of a versioned bucket; ``None`` elsewhere.
    """

    etag: str
    version_id: str | None = None


class Body(Protocol):
    """An open object: what it is, and its bytes, once, in pieces of at most 1 MiB or so."""

    info: StoredObject

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The bytes. Ends early only by raising."""


class ObjectStore(BucketStore, Protocol):
    """A backend. See the module's text for how all of them behave."""

    @property
    def identity(self) -> str:
        """The endpoint, such as ``https://host`` or ``file:///path``, for messages and cache keys; no credentials."""

    async def head(self, bucket: str, key: str, *, version_id: str | None = None) -> StoredObject:
        """What is stored under a key, without its bytes.

        Args:
            bucket: The bucket.
            key: The stored key.
            version_id: Of the version wanted; ``None`` for the current one.

        Raises:
            NotFoundError: Nothing is, or no such version.
            NotSupportedError: The version is a delete marker; or the store has no versions.
        """

    def open(
        self,
        bucket: str,
        key: str,
        *,
        start: int = 0,
        length: int | None = None,
        if_match: str | None = None,
        version_id: str | None = None,
    ) -> AbstractAsyncContextManager[Body]:
        """An object's bytes as a stream. Issue no other request while it is open: bodies hold connections.

        Args:
            bucket: The bucket.
            key: The stored key.
            start: First byte wanted.
            length: Bytes wanted; ``None`` for all that follow. Fewer come if the object ends first.
            if_match: The ETag it must have.
            version_id: As for ``head``.

        Raises:
            NotFoundError: Nothing is stored there.
            PreconditionFailedError: It has another ETag.
        """

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
        """An object's bytes into an existing file, in parallel ranges above the multipart threshold.

        Args:
            bucket: The bucket.
            key: The stored key.
            path: A file to fill; it is truncated first. Its content is undefined when this raises.
            if_match: The ETag it must have.
            moved: Told of bytes received.
            version_id: As for ``head``.
            hashing: Told of what is written, so that it need not all be read again; a store may leave it to that.

        Returns:
            What was fetched; its size is the file's.

        Raises:
            NotFoundError: Nothing is stored there.
            PreconditionFailedError: It has another ETag, or was replaced on the way.
            TransferBrokenError: The body kept breaking off.
        """

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
        """Stores a file or bytes under a key, in parts above the multipart threshold, replacing what was there.

        Args:
            bucket: The bucket.
            key: The stored key.
            source: A file, or the bytes themselves.
            sha256: Of the source, in hex: what is stored has it, or nothing is stored.
            metadata: User metadata.
            headers: Headers to keep, by the names of ``HEADER_NAMES``; write parameters the service knows
                (``StorageClass``, ``ACL``, ...) may ride along and mean nothing to stores that lack them. ``Tagging``
                (``name=value&...``, encoded as in a URL) sets tags, which all stores keep.
            if_none_match: Only if the key is absent.
            if_match: Only if the key holds this ETag.
            moved: Told of bytes sent.

        Returns:
            What the store calls the result.

        Raises:
            BucketNotFoundError: The bucket does not exist.
            ChecksumMismatchError: The source changed while it was read.
            PreconditionFailedError: The condition did not hold.
            NotSupportedError: The store does not implement the condition.
        """

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
        """Copies an object inside the store; its bytes do not travel. Objects over 5 GiB go in parts.

        Args:
            bucket: The source's bucket.
            key: The source's stored key.
            to_bucket: The target's bucket.
            to_key: The target's stored key.
            metadata: New user metadata; ``None`` keeps the source's metadata and headers.
            headers: New headers, with ``metadata``; write parameters, always. Without ``Tagging`` among them the copy
                has the source's tags.
            if_match: The ETag the source must have.
            if_none_match: Only if the target is absent.

        Raises:
            NotFoundError: The source is absent.
            PreconditionFailedError: The source has another ETag, or the target is there.
            NotSupportedError: The store does not implement the condition on the target.
        """

    async def tags(self, bucket: str, key: str) -> dict[str, str]:
        """The tags of an object.

        Raises:
            NotFoundError: Nothing is stored there.
        """

    async def set_tags(self, bucket: str, key: str, tags: Mapping[str, str]) -> None:
        """Gives an object these tags, and no others.

        Args:
            bucket: The bucket.
            key: The stored key.
            tags: Names and values.

        Raises:
            NotFoundError: Nothing is stored there.
        """

    async def delete(
        self, bucket: str, key: str, *, if_match: str | None = None, version_id: str | None = None
    ) -> Deleted:
        """Deletes an object; absent is success.

        Args:
            bucket: The bucket.
            key: The stored key.
            if_match: The ETag it must have. Stores that know no such condition delete it whatever it has: it makes a
                race less likely, and nothing may rest on it.
            version_id: Of the version to delete for good; ``None`` for the object, of which a bucket with versions
                keeps all.

        Returns:
            What the store left.

        Raises:
            PreconditionFailedError: It has another ETag; some stores say so of what is absent, too.
        """

    async def delete_many(self, bucket: str, keys: Sequence[str]) -> list[DeleteFailure]:
        """Deletes any number of objects in as few requests as the store allows.

        Returns:
            The keys that could not be deleted.
        """

    def list_objects(
        self, bucket: str, prefix: str = "", *, delimiter: str = "", start_after: str = "", page_size: int = 1000
    ) -> AsyncIterator[list[ListedObject | ListedPrefix]]:
        """Objects and common prefixes, in byte order of their keys, a page at a time; pages are never empty.

        Args:
            bucket: The bucket.
            prefix: Only keys that begin with it.
            delimiter: Groups keys by what stands before its first occurrence after the prefix.
            start_after: Only keys, and prefixes, after this one.
            page_size: Keys a request, at most 1000.

        Raises:
            BucketNotFoundError: The bucket does not exist.
        """

    async def presign(
        self,
        bucket: str,
        key: str,
        *,
        method: Literal["get_object", "put_object", "head_object"] = "get_object",
        expires: int = 3600,
        parameters: Mapping[str, str] | None = None,
    ) -> str:
        """A URL that needs no credentials.

        Args:
            bucket: The bucket.
            key: The stored key.
            method: What it allows.
            expires: Seconds it stays valid.
            parameters: Further request parameters, such as ``ResponseContentDisposition``.

        Raises:
            NotSupportedError: The store has no URLs.
        """

    def unfinished_uploads(self, bucket: str, prefix: str = "") -> AsyncIterator[ListedUpload]:
        """Multipart uploads that were neither completed nor aborted."""

    async def abort_upload(self, bucket: str, key: str, upload_id: str) -> None:
        """Drops an unfinished multipart upload; absent is success.

        Args:
            bucket: The bucket.
            key: The key it would become.
            upload_id: The store's name of it.
        """

    async def aclose(self) -> None:
        """Releases connections and files. Harmless if repeated."""
