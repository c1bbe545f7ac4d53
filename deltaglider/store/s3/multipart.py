"""Multipart uploads and multipart copies: planned, begun, filled, completed, or aborted whatever happens."""

from __future__ import annotations

import binascii
import contextlib
import hashlib
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from functools import partial
from typing import Any

import anyio

from deltaglider.config import GIB, MIB
from deltaglider.errors import DeltaGliderError, StoreError, StoreUnavailableError
from deltaglider.store.base import Moved, PutResult, StoredObject
from deltaglider.store.s3.answers import bare, put_result, quoted
from deltaglider.store.s3.conditions import unless_refused
from deltaglider.store.s3.landed import landed_or_raise
from deltaglider.store.s3.limits import see_through, task_group
from deltaglider.store.s3.local import Source
from deltaglider.store.s3.sending import SendBody
from deltaglider.store.s3.session import S3Session
from deltaglider.tasks import map_bounded

log = logging.getLogger("deltaglider.store")

MOST_PARTS = 10_000
"""Parts an upload may have at most."""
COPY_LIMIT = 5 * GIB
"""Bytes that one CopyObject, and one PutObject, may move."""
COPY_PART = 256 * MIB
"""Bytes a part of a copy: they do not travel, so only the number of requests counts."""
_ABORT_PAUSES = (0.0, 0.2, 1.0)  # Seconds before each attempt to abort.
_CLEANUP = 20.0  # Seconds that beginning and aborting may take when nobody waits any more.


def plan_parts(size: int, part: int) -> Iterator[tuple[int, int, int]]:
    """Splits an object into parts of one size, but for the last one.

    Args:
        size: Bytes of the object, over 0.
        part: Bytes a part wanted; raised where there would be too many.

    Yields:
        Number, first byte and length of each part.
    """
    part = max(part, -(-size // MOST_PARTS))
    for number, start in enumerate(range(0, size, part), 1):
        yield number, start, min(part, size - start)


class MultipartUpload:
    """One upload between its begin and its end.

    Args:
        session: The session.
        bucket: The bucket.
        key: The key it becomes.
    """

    def __init__(self, session: S3Session, bucket: str, key: str) -> None:
        self._session = session
        self._bucket = bucket
        self._key = key
        self._id = ""
        self._checksum: dict[str, Any] = {}
        self._parts: dict[int, dict[str, Any]] = {}

    async def begin(self, parameters: Mapping[str, Any]) -> None:
        """Begins it; needs a slot."""
        # S3 refuses parts with another checksum than the upload was begun with.
        self._checksum = {name: parameters[name] for name in ("ChecksumAlgorithm",) if name in parameters}
        answer = await self._session.attempt("create_multipart_upload", self._bucket, self._key, **parameters)
        self._id = answer["UploadId"]

    async def send(self, number: int, data: memoryview, moved: Moved | None) -> None:
        """Uploads one part."""
        body = SendBody(data, moved)
        answer = await self._request("upload_part", PartNumber=number, Body=body, **self._checksum)
        self._note(number, answer)

    async def copy(self, number: int, source: Mapping[str, str], start: int, length: int, etag: str) -> None:
        """Copies one part from an object."""
        send = partial(
            self._request,
            "upload_part_copy",
            PartNumber=number,
            CopySource=dict(source),
            CopySourceRange=f"bytes={start}-{start + length - 1}",
        )
        answer = await unless_refused(self._session, send, CopySourceIfMatch=quoted(etag))
        self._note(number, answer.get("CopyPartResult", {}))

    def _note(self, number: int, answer: Mapping[str, Any]) -> None:
        # S3 wants the checksums back of an upload that was begun with them.
        sums = {name: value for name, value in answer.items() if name.startswith("Checksum") and name != "ChecksumType"}
        self._parts[number] = {"PartNumber": number, "ETag": answer.get("ETag", ""), **sums}

    async def complete(self, conditions: Mapping[str, str]) -> dict[str, Any]:
        """Makes the object of its parts."""
        parts = [self._parts[number] for number in sorted(self._parts)]
        return await self._request("complete_multipart_upload", MultipartUpload={"Parts": parts}, **conditions)

    def etag(self) -> str:
        """The ETag most stores give the result."""
        try:
            digests = b"".join(binascii.unhexlify(bare(self._parts[number]["ETag"])) for number in sorted(self._parts))
        except (binascii.Error, ValueError):
            return ""
        return f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(self._parts)}"

    async def abort(self) -> None:
        """Drops it, if it was begun, even while everything is being cancelled. Never raises."""
        if not self._id:
            return
        reason = "no answer in time"
        with anyio.CancelScope(shield=True), anyio.move_on_after(_CLEANUP):
            # More often than other requests are tried: the network has just failed, and nobody will try again.
            for pause in _ABORT_PAUSES:
                await anyio.sleep(pause)
                try:
                    # Without a slot: clean-up must not queue behind what failed.
                    await self._session.attempt("abort_multipart_upload", self._bucket, self._key, UploadId=self._id)
                    return
                except DeltaGliderError as error:
                    reason = str(error)
                    if isinstance(error, StoreError) and error.s3_code == "NoSuchUpload":
                        return
                    if not isinstance(error, StoreUnavailableError):
                        break
        log.warning("an unfinished upload of s3://%s/%s stays behind (%s)", self._bucket, self._key, reason)

    async def _request(self, operation: str, **parameters: Any) -> dict[str, Any]:
        return await self._session.request(operation, self._bucket, self._key, UploadId=self._id, **parameters)


@contextlib.asynccontextmanager
async def begun(
    session: S3Session, bucket: str, key: str, parameters: Mapping[str, Any]
) -> AsyncIterator[MultipartUpload]:
    """Begins an upload, and aborts it when the block fails or is cancelled.

    Args:
        session: The session.
        bucket: The bucket.
        key: The key.
        parameters: Metadata, headers and other parameters of the object.
    """
    await session.connection.client()
    upload = MultipartUpload(session, bucket, key)
    try:
        async with session.slot():
            # An answer that nobody waits for would leave an upload that nobody knows of.
            await see_through(lambda: upload.begin(parameters), _CLEANUP)
        yield upload
    except BaseException:
        await upload.abort()
        raise


async def upload_parts(
    session: S3Session,
    bucket: str,
    key: str,
    source: Source,
    *,
    sha256: str,
    parameters: Mapping[str, Any],
    conditions: Mapping[str, str],
    moved: Moved | None,
) -> PutResult:
    """Uploads an open source in parts: one reader, many senders, the memory of the session's budget.

    Args:
        session: The session.
        bucket: The bucket.
        key: The key.
        source: What to store; open.
        sha256: Of the source: compared after its last byte was read and before the object comes to be.
        parameters: Metadata, headers and other parameters of the object.
        conditions: ``IfMatch`` or ``IfNoneMatch``.
        moved: Told of bytes sent.

    Returns:
        What the store calls the result.

    Raises:
        ChecksumMismatchError: The source changed.
        StoreError: The store refused or failed.
    """
    async with begun(session, bucket, key, parameters) as upload:
        await _send_all(session, source, upload, moved)
        source.check(sha256)
        return await _complete(session, bucket, key, upload, source.size, parameters, conditions)


async def _complete(
    session: S3Session,
    bucket: str,
    key: str,
    upload: MultipartUpload,
    size: int,
    parameters: Mapping[str, Any],
    conditions: Mapping[str, str],
) -> PutResult:
    try:
        answer = await upload.complete(conditions)
    except StoreError as error:
        etag = upload.etag()
        return await landed_or_raise(session, bucket, key, error, size=size, etag=etag, parameters=parameters)
    return put_result(answer, answer.get("ETag"))


async def _send_all(session: S3Session, source: Source, upload: MultipartUpload, moved: Moved | None) -> None:
    async with session.buffers.lease() as lease, task_group() as group:

        async def send(number: int, data: memoryview) -> None:
            await upload.send(number, data, moved)
            lease.give(len(data))

        for number, _, length in plan_parts(source.size, session.part_size(source.size)):
            # Waiting here bounds the tasks, too: there is one for each part in memory.
            await lease.take(length)
            group.start_soon(send, number, await session.in_thread(source.read, length))


async def copy_parts(
    session: S3Session,
    source: StoredObject,
    bucket: str,
    key: str,
    parameters: Mapping[str, Any],
    conditions: Mapping[str, str],
) -> PutResult:
    """Copies an object of any size inside the store.

    Args:
        session: The session.
        source: The object, one generation of it.
        bucket: The target's bucket.
        key: The target's key.
        parameters: Metadata, headers and other parameters of the target.
        conditions: ``IfNoneMatch``, or none.

    Returns:
        What the store calls the result.

    Raises:
        PreconditionFailedError: The source was replaced meanwhile.
        StoreError: The store refused or failed.
    """
    origin = {"Bucket": source.bucket, "Key": source.key}
    async with begun(session, bucket, key, parameters) as upload:

        async def copy(part: tuple[int, int, int]) -> None:
            number, start, length = part
            await upload.copy(number, origin, start, length, source.etag)

        parts = plan_parts(source.size, COPY_PART)
        await map_bounded(copy, parts, limit=session.settings.max_concurrent_requests)
        return await _complete(session, bucket, key, upload, source.size, parameters, conditions)
