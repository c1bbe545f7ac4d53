"""The S3 store: Amazon's and everything compatible, on aiobotocore."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

from deltaglider.config import Settings
from deltaglider.errors import (
    InvalidInputError,
    StoreError,
)
from deltaglider.events import Observer, ignore
from deltaglider.files import Hashing
from deltaglider.store.base import Body, ListedObject, ListedPrefix, ListedUpload, Moved, PutResult, StoredObject
from deltaglider.store.buckets import ListedBucket
from deltaglider.store.deletions import Deleted, DeleteFailure
from deltaglider.store.s3 import buckets, deleting, listing
from deltaglider.store.s3.answers import headed_object, quoted, require_etag, version_parameter, write_parameters
from deltaglider.store.s3.copying import copy, get_tags
from deltaglider.store.s3.fetching import fetch
from deltaglider.store.s3.local import Target
from deltaglider.store.s3.receiving import Incoming, is_beyond_the_end
from deltaglider.store.s3.session import S3Session
from deltaglider.store.s3.writing import put

_LONGEST_PRESIGNED = 7 * 24 * 3600  # Seconds; of signature version 4.


class S3Store:
    """An ``ObjectStore`` on S3. Cheap to make: the client comes with the first request, on the running event loop.

    Args:
        settings: Of the client.
        observer: Told of requests.
    """

    def __init__(self, settings: Settings, observer: Observer = ignore) -> None:
        self._session = S3Session(settings, observer)

    @property
    def identity(self) -> str:
        """The endpoint, for messages and for keying caches.

        One that only the AWS configuration file names is known once the first request was made.
        """
        return self._session.connection.endpoint

    async def native(self) -> Any:
        """The client underneath."""
        return await self._session.connection.client()

    @property
    def connected(self) -> Any:
        """See ``Native.connected``."""
        return self._session.connection.made

    async def head(self, bucket: str, key: str, *, version_id: str | None = None) -> StoredObject:
        """See ``ObjectStore.head``."""
        version = version_parameter(version_id)
        return headed_object(bucket, key, await self._session.request("head_object", bucket, key, **version))

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
    ) -> AsyncIterator[Body]:
        """See ``ObjectStore.open``."""
        stop = None if length is None else start + length
        incoming = Incoming(self._session, bucket, key, start=start, stop=stop, etag=if_match, version=version_id)
        await self._session.connection.client()
        async with self._session.slot():
            try:
                # A range cannot be empty: nothing is asked for where nothing is wanted.
                info = await incoming.open() if length != 0 else await self._nothing(incoming, if_match)
            except StoreError as error:
                if not is_beyond_the_end(error):
                    raise
                info = await self._nothing(incoming, if_match)
            try:
                yield _S3Body(info, incoming)
            finally:
                incoming.release()

    async def _nothing(self, incoming: Incoming, if_match: str | None) -> StoredObject:
        """What a key holds, for a body that is empty."""
        incoming.stop = incoming.position
        found = headed_object(
            *incoming.place, await self._session.attempt("head_object", *incoming.place, **incoming.version)
        )
        require_etag(found, if_match)
        return found

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
        """See ``ObjectStore.fetch``."""
        target = Target(path, hashing)
        return await fetch(self._session, bucket, key, target, if_match=if_match, moved=moved, version=version_id)

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
        """See ``ObjectStore.put``."""
        parameters = write_parameters(metadata, headers)
        conditions = {
            **({"IfNoneMatch": "*"} if if_none_match else {}),
            **({"IfMatch": quoted(if_match)} if if_match else {}),
        }
        return await put(
            self._session, bucket, key, source, sha256=sha256, parameters=parameters, conditions=conditions, moved=moved
        )

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
        """See ``ObjectStore.copy``."""
        return await copy(
            self._session,
            (bucket, key),
            (to_bucket, to_key),
            metadata=metadata,
            headers=headers,
            if_match=if_match,
            if_none_match=if_none_match,
        )

    async def tags(self, bucket: str, key: str) -> dict[str, str]:
        """See ``ObjectStore.tags``."""
        return await get_tags(self._session, bucket, key)

    async def set_tags(self, bucket: str, key: str, tags: Mapping[str, str]) -> None:
        """See ``ObjectStore.set_tags``."""
        if not tags:
            # An empty set is more than some stores can take.
            await self._session.request("delete_object_tagging", bucket, key)
            return
        pairs = [{"Key": name, "Value": value} for name, value in tags.items()]
        await self._session.request("put_object_tagging", bucket, key, Tagging={"TagSet": pairs})

    async def delete(
        self, bucket: str, key: str, *, if_match: str | None = None, version_id: str | None = None
    ) -> Deleted:
        """See ``ObjectStore.delete``."""
        return await deleting.delete(self._session, bucket, key, if_match, version_id)

    async def delete_many(self, bucket: str, keys: Sequence[str]) -> list[DeleteFailure]:
        """See ``ObjectStore.delete_many``."""
        return await deleting.delete_many(self._session, bucket, keys)

    def list_objects(
        self, bucket: str, prefix: str = "", *, delimiter: str = "", start_after: str = "", page_size: int = 1000
    ) -> AsyncIterator[list[ListedObject | ListedPrefix]]:
        """See ``ObjectStore.list_objects``."""
        return listing.list_objects(self._session, bucket, prefix, delimiter, start_after, page_size)

    async def list_buckets(self, *, prefix: str = "", region: str = "") -> list[ListedBucket]:
        """See ``BucketStore.list_buckets``."""
        return await buckets.list_buckets(self._session, prefix, region)

    async def bucket_exists(self, bucket: str) -> bool:
        """See ``BucketStore.bucket_exists``."""
        return await buckets.bucket_exists(self._session, bucket)

    async def create_bucket(self, bucket: str, *, tags: Mapping[str, str] | None = None) -> None:
        """See ``BucketStore.create_bucket``."""
        await buckets.create_bucket(self._session, bucket, tags or {})

    async def delete_bucket(self, bucket: str) -> None:
        """See ``BucketStore.delete_bucket``."""
        await buckets.delete_bucket(self._session, bucket)

    async def bucket_acl(self, bucket: str) -> dict[str, Any]:
        """See ``BucketStore.bucket_acl``."""
        return await buckets.bucket_acl(self._session, bucket)

    async def set_bucket_acl(self, bucket: str, parameters: Mapping[str, Any]) -> None:
        """See ``BucketStore.set_bucket_acl``."""
        await buckets.set_bucket_acl(self._session, bucket, parameters)

    async def set_bucket_website(self, bucket: str, parameters: Mapping[str, Any]) -> None:
        """See ``BucketStore.set_bucket_website``."""
        await buckets.set_bucket_website(self._session, bucket, parameters)

    async def presign(
        self,
        bucket: str,
        key: str,
        *,
        method: Literal["get_object", "put_object", "head_object"] = "get_object",
        expires: int = 3600,
        parameters: Mapping[str, str] | None = None,
    ) -> str:
        """See ``ObjectStore.presign``."""
        if not 1 <= expires <= _LONGEST_PRESIGNED:
            raise InvalidInputError(
                f"a URL cannot be valid for {expires} seconds", uri=f"s3://{bucket}/{key}", remedy="Give 1 to 604800"
            )
        return await self._session.presign(method, bucket, key, expires, parameters or {})

    def unfinished_uploads(self, bucket: str, prefix: str = "") -> AsyncIterator[ListedUpload]:
        """See ``ObjectStore.unfinished_uploads``."""
        return listing.unfinished_uploads(self._session, bucket, prefix)

    async def abort_upload(self, bucket: str, key: str, upload_id: str) -> None:
        """See ``ObjectStore.abort_upload``."""
        try:
            await self._session.request("abort_multipart_upload", bucket, key, UploadId=upload_id)
        except StoreError as error:
            if error.s3_code != "NoSuchUpload":
                raise

    async def aclose(self) -> None:
        """See ``ObjectStore.aclose``."""
        await self._session.connection.aclose()


class _S3Body:
    """An open object."""

    def __init__(self, info: StoredObject, incoming: Incoming) -> None:
        self.info = info
        self._incoming = incoming

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while piece := await self._incoming.read():
            yield piece
