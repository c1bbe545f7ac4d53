"""Storing a file or bytes: in one request, or in parts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deltaglider.errors import PreconditionFailedError
from deltaglider.store.base import Moved, PutResult
from deltaglider.store.s3 import multipart
from deltaglider.store.s3.answers import put_result
from deltaglider.store.s3.landed import landed_or_raise
from deltaglider.store.s3.local import Source
from deltaglider.store.s3.sending import SendBody
from deltaglider.store.s3.session import BRIEF, S3Session


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
    try:
        await session.in_thread(opened.open, brief=opened.in_memory)
        send = _put_whole if opened.size < threshold else multipart.upload_parts
        return await send(
            session, bucket, key, opened, sha256=sha256, parameters=parameters, conditions=conditions, moved=moved
        )
    finally:
        opened.close()


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
