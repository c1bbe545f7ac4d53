"""The S3 store: Amazon's and everything compatible, on aiobotocore."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

from deltaglider.config import Settings
from deltaglider.errors import (
    AlreadyExistsError,
    BucketNotFoundError,
    InvalidInputError,
    PreconditionFailedError,
    StoreError,
)
from deltaglider.store import deleting, listing, multipart
from deltaglider.store.answers import bare, put_result, quoted, stored_object, write_parameters
from deltaglider.store.base import (
    HEADER_NAMES,
    Body,
    DeleteFailure,
    ListedBucket,
    ListedObject,
    ListedPrefix,
    ListedUpload,
    Moved,
    PutResult,
    StoredObject,
)
from deltaglider.store.fetching import fetch
from deltaglider.store.landed import find_landed, is_ambiguous
from deltaglider.store.local import Source
from deltaglider.store.receiving import Incoming, is_beyond_the_end
from deltaglider.store.sending import SendBody
from deltaglider.store.session import BRIEF, S3Session

_LONGEST_PRESIGNED = 7 * 24 * 3600  # Seconds; of signature version 4.


class S3Store:
    """An ``ObjectStore`` on S3. Cheap to make: the client comes with the first request, on the running event loop.

    Args:
        settings: Of the client.
    """

    def __init__(self, settings: Settings) -> None:
        self._session = S3Session(settings)
        budget = settings.max_concurrent_requests * settings.multipart_chunksize
        # A body in one piece lies in memory as a whole.
        self._threshold = min(settings.multipart_threshold, budget, multipart.COPY_LIMIT)

    @property
    def identity(self) -> str:
        """The endpoint, for messages and for keying caches.

        One that only the AWS configuration file names is known once the first request was made.
        """
        return self._session.connection.endpoint

    async def head(self, bucket: str, key: str) -> StoredObject:
        """See ``ObjectStore.head``."""
        return self._described(bucket, key, await self._session.request("head_object", bucket, key))

    @staticmethod
    def _described(bucket: str, key: str, answer: Mapping[str, Any]) -> StoredObject:
        return stored_object(bucket, key, answer, int(answer.get("ContentLength", 0)))

    @asynccontextmanager
    async def open(
        self, bucket: str, key: str, *, start: int = 0, length: int | None = None, if_match: str | None = None
    ) -> AsyncIterator[Body]:
        """See ``ObjectStore.open``."""
        stop = None if length is None else start + length
        incoming = Incoming(self._session, bucket, key, start=start, stop=stop, etag=if_match)
        await self._session.connection.client()
        async with self._session.slot():
            try:
                # A range cannot be empty: nothing is asked for where nothing is wanted.
                info = await incoming.open() if length != 0 else await self._nothing(incoming, bucket, key, if_match)
            except StoreError as error:
                if not is_beyond_the_end(error):
                    raise
                info = await self._nothing(incoming, bucket, key, if_match)
            try:
                yield _S3Body(info, incoming)
            finally:
                incoming.release()

    async def _nothing(self, incoming: Incoming, bucket: str, key: str, if_match: str | None) -> StoredObject:
        """What a key holds, for a body that is empty."""
        incoming.stop = incoming.position
        found = self._described(bucket, key, await self._session.attempt("head_object", bucket, key))
        _expect(found, if_match)
        return found

    async def fetch(
        self, bucket: str, key: str, path: Path, *, if_match: str | None = None, moved: Moved | None = None
    ) -> StoredObject:
        """See ``ObjectStore.fetch``."""
        await self._session.connection.client()
        return await fetch(self._session, bucket, key, path, if_match=if_match, moved=moved)

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
        session = self._session
        parameters = write_parameters(metadata, headers)
        conditions = {**({"IfNoneMatch": "*"} if if_none_match else {}), **_if_match(if_match)}
        await session.connection.client()
        opened = Source(source)
        try:
            await session.in_thread(opened.open, brief=opened.in_memory)
            if opened.size < self._threshold:
                return await self._put_whole(bucket, key, opened, sha256, parameters, conditions, moved)
            return await multipart.upload_parts(
                session,
                bucket,
                key,
                opened,
                sha256=sha256,
                parameters=parameters,
                conditions=conditions,
                moved=moved,
            )
        finally:
            opened.close()

    async def _put_whole(
        self,
        bucket: str,
        key: str,
        source: Source,
        sha256: str,
        parameters: Mapping[str, Any],
        conditions: Mapping[str, str],
        moved: Moved | None,
    ) -> PutResult:
        session = self._session
        async with session.buffers.lease() as lease:
            await lease.take(source.size)
            brief = source.in_memory and source.size <= BRIEF
            data = await session.in_thread(source.read, source.size, brief=brief)
            source.check(sha256)
            extra = await session.body_checksum(data)
            body = SendBody(data, moved) if len(data) else b""
            try:
                answer = await session.request(
                    "put_object", bucket, key, Body=body, **parameters, **conditions, **extra
                )
            except PreconditionFailedError as error:
                found = None
                if is_ambiguous(error):
                    etag = await session.in_thread(_md5, data)
                    found = await find_landed(session, bucket, key, size=len(data), etag=etag, parameters=parameters)
                if found is None:
                    raise
                return found
        return put_result(answer, answer.get("ETag"))

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
        """See ``ObjectStore.copy``."""
        session = self._session
        answer = await session.request("head_object", bucket, key)
        source = self._described(bucket, key, answer)
        # Some stores ignore conditions on the source, and answer 500 where the target's bucket is missing.
        _expect(source, if_match)
        if to_bucket != bucket:
            await session.require_bucket(to_bucket)
        extra = {name: value for name, value in (headers or {}).items() if name not in HEADER_NAMES}
        if source.size > multipart.COPY_LIMIT:
            if metadata is None:
                parameters = write_parameters(source.metadata, {**source.headers, **extra})
            else:
                parameters = write_parameters(metadata, headers)
            tags = await self._tags(bucket, key) if answer.get("TagCount") else {}
            return await multipart.copy_parts(session, source, to_bucket, to_key, {**tags, **parameters})
        if metadata is None:
            # The one header that S3 does not copy.
            redirect = {name: text for name, text in source.headers.items() if name == "WebsiteRedirectLocation"}
            parameters = {"MetadataDirective": "COPY", **redirect, **extra}
        else:
            parameters = {"MetadataDirective": "REPLACE", **write_parameters(metadata, headers)}
        if "Tagging" in extra:
            parameters["TaggingDirective"] = "REPLACE"
        condition = {"CopySourceIfMatch": quoted(if_match)} if if_match else {}
        origin = {"Bucket": bucket, "Key": key}
        copied = await session.request("copy_object", to_bucket, to_key, CopySource=origin, **parameters, **condition)
        return put_result(copied, copied.get("CopyObjectResult", {}).get("ETag"))

    async def _tags(self, bucket: str, key: str) -> dict[str, str]:
        from urllib.parse import urlencode

        answer = await self._session.request("get_object_tagging", bucket, key)
        return {"Tagging": urlencode([(tag["Key"], tag["Value"]) for tag in answer.get("TagSet", [])])}

    async def delete(self, bucket: str, key: str) -> None:
        """See ``ObjectStore.delete``."""
        await deleting.delete(self._session, bucket, key)

    async def delete_many(self, bucket: str, keys: Sequence[str]) -> list[DeleteFailure]:
        """See ``ObjectStore.delete_many``."""
        return await deleting.delete_many(self._session, bucket, keys)

    def list_objects(
        self, bucket: str, prefix: str = "", *, delimiter: str = "", start_after: str = "", page_size: int = 1000
    ) -> AsyncIterator[list[ListedObject | ListedPrefix]]:
        """See ``ObjectStore.list_objects``."""
        return listing.list_objects(self._session, bucket, prefix, delimiter, start_after, page_size)

    async def list_buckets(self) -> list[ListedBucket]:
        """See ``ObjectStore.list_buckets``."""
        return await listing.list_buckets(self._session)

    async def bucket_exists(self, bucket: str) -> bool:
        """See ``ObjectStore.bucket_exists``."""
        try:
            await self._session.request("head_bucket", bucket)
        except BucketNotFoundError:
            self._session.forget_bucket(bucket)
            return False
        return True

    async def create_bucket(self, bucket: str) -> None:
        """See ``ObjectStore.create_bucket``."""
        session = self._session
        # Amazon's oldest region, and some stores, call it a success to make one's own bucket again.
        if await self._seen(bucket):
            raise AlreadyExistsError(
                "the bucket exists already", uri=f"s3://{bucket}", status=409, s3_code="BucketAlreadyOwnedByYou"
            )
        place: dict[str, Any] = {"CreateBucketConfiguration": {"LocationConstraint": session.connection.region}}
        if session.connection.region in ("", "us-east-1", "aws-global"):
            place = {}
        try:
            await session.request("create_bucket", bucket, **place)
        except StoreError as error:
            if not place or session.connection.on_aws or "LocationConstraint" not in error.s3_code:
                raise
            await session.request("create_bucket", bucket)

    async def _seen(self, bucket: str) -> bool:
        try:
            return await self.bucket_exists(bucket)
        except StoreError:
            return False  # Making it will tell.

    async def delete_bucket(self, bucket: str) -> None:
        """See ``ObjectStore.delete_bucket``."""
        await self._session.request("delete_bucket", bucket)
        self._session.forget_bucket(bucket)

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


def _if_match(etag: str | None) -> dict[str, str]:
    return {"IfMatch": quoted(etag)} if etag else {}


def _expect(found: StoredObject, etag: str | None) -> None:
    if etag and found.etag != bare(etag):
        raise PreconditionFailedError(
            "the object has another ETag",
            uri=f"s3://{found.bucket}/{found.key}",
            status=412,
            s3_code="PreconditionFailed",
        )


def _md5(data: bytes | memoryview) -> str:
    import hashlib

    return hashlib.md5(data, usedforsecurity=False).hexdigest()
