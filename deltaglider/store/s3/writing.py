"""Storing a file or bytes: in one request, or in parts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from deltaglider.errors import PreconditionFailedError
from deltaglider.store.base import Moved, PutResult
from deltaglider.store.s3 import multipart
from deltaglider.store.s3.answers import put_result
from deltaglider.store.s3.landed import landed_or_raise
from deltaglider.store.s3.local import Source
from deltaglider.store.s3.sending import FileBody, SendBody, UnsentError
from deltaglider.store.s3.session import BRIEF, RUN, S3Session

_FEW = 2  # Requests at once that are an object's share where others move, too.


async def put(
    session: S3Session,
    bucket: str,
    key: str,
    source: Path | bytes,
    *,
    sha256: str,
    parameters: Mapping[str, Any],
    conditions: Mapping[str, str],
    moved: Moved | None,
) -> PutResult:
    """See ``ObjectStore.put``.

    Args:
        session: The session.
        bucket: The bucket.
        key: The key.
        source: A file, or the bytes themselves.
        sha256: Of the source, in hex.
        parameters: Metadata, headers and other parameters of the object.
        conditions: ``IfMatch`` or ``IfNoneMatch``.
        moved: Told of bytes sent.

    Returns:
        What the store calls the result.
    """
    await session.connection.client()
    opened = Source(source)
    # A body in one piece lies in memory as a whole.
    threshold = min(session.settings.multipart_threshold, session.buffers.total, multipart.COPY_LIMIT)
    with session.moving():
        try:
            await session.in_thread(opened.open, brief=opened.in_memory)
            send = _put_whole if opened.size < threshold else multipart.upload_parts
            if send is multipart.upload_parts and not conditions and _fits_one_request(session, bucket, opened.size):
                body = FileBody(opened.size, partial(_read, session, opened, sha256), sha256, moved)
                try:
                    return await _put_file(session, bucket, key, body, parameters)
                except UnsentError:
                    opened.rewind()
                    moved = body.rest_of_moved()
            return await send(
                session, bucket, key, opened, sha256=sha256, parameters=parameters, conditions=conditions, moved=moved
            )
        finally:
            opened.close()


def _fits_one_request(session: S3Session, bucket: str, size: int) -> bool:
    """Whether an object goes up in one request though it might go in parts.

    For that, all of its bytes are hashed once less: the signature of the request has their SHA-256, that of a part has
    its own. An object that is alone has its parts sent beside each other; and whoever asks for parts gets them.
    """
    asked = session.settings.given & {"multipart_threshold", "multipart_chunksize"}
    direct = session.connection.direct
    return (
        not asked
        and size <= RUN * session.part_size(size)
        and session.lanes <= _FEW
        and direct is not None
        and direct.knows("put_object", {"Bucket": bucket})
    )


async def _read(session: S3Session, source: Source, sha256: str, count: int) -> memoryview:
    return await session.in_thread(source.read_proven, count, sha256)


async def _put_file(
    session: S3Session, bucket: str, key: str, body: FileBody, parameters: Mapping[str, Any]
) -> PutResult:
    async with session.buffers.lease() as lease:
        await lease.take(session.part_size(0))  # More than the body and the connection hold of it.
        answer = await session.request("put_object", bucket, key, Body=body, **parameters)
    return put_result(answer, answer.get("ETag"))


async def _put_whole(
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
    async with session.buffers.lease() as lease:
        await lease.take(source.size)
        brief = source.in_memory and source.size <= BRIEF
        data = await session.in_thread(source.read, source.size, brief=brief)
        source.check(sha256)
        body = SendBody(data, moved, sha256) if len(data) else b""
        try:
            answer = await session.request("put_object", bucket, key, Body=body, **parameters, **conditions)
        except PreconditionFailedError as error:
            etag = await session.in_thread(_md5, data)
            return await landed_or_raise(session, bucket, key, error, size=len(data), etag=etag, parameters=parameters)
    return put_result(answer, answer.get("ETag"))


def _md5(data: memoryview) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
