"""Copies that are of one generation, bytes and metadata, also on stores that ignore conditions on the source.

There, a source that is replaced at the wrong moment is copied under the metadata of what it was before. So the copy is
made under a name nobody reads, and only what proves to be of the right generation gets its name and metadata.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from functools import partial
from typing import Any

import anyio

from deltaglider.errors import DeltaGliderError, NotSupportedError, PreconditionFailedError
from deltaglider.layout.keys import directory_of, is_storable, temporary_key
from deltaglider.store.base import PutResult, StoredObject
from deltaglider.store.s3.answers import headed_object, put_result, quoted, require_etag
from deltaglider.store.s3.deleting import delete
from deltaglider.store.s3.session import S3Session

log = logging.getLogger("deltaglider.store")

_NEVER = "0" * 32  # No object has this ETag.
_CLEANUP = 20.0  # Seconds that removing the temporary copy may take when nobody waits any more.
_PROTECTION = ("ServerSideEncryption", "SSE", "BucketKeyEnabled")


async def copy_one_generation(
    session: S3Session, source: StoredObject, target: tuple[str, str], parameters: Mapping[str, Any]
) -> PutResult:
    """Copies an object as it was seen, or not at all.

    Args:
        session: The session, which remembers whether the store heeds conditions on the source.
        source: What was seen.
        target: Bucket and key of the target.
        parameters: Of the target: metadata, headers and write parameters.

    Returns:
        What the store calls the result.

    Raises:
        PreconditionFailedError: The source was replaced meanwhile; the target is as it was.
    """
    send = partial(session.request, "copy_object", *target, **parameters)
    if session.heeds_sources:
        return _result(await send(CopySource=_origin(source), CopySourceIfMatch=quoted(source.etag)))
    bucket, key = target
    beside = temporary_key(directory_of(key), uuid.uuid4().hex)
    temporary = beside if is_storable(beside) else temporary_key("", uuid.uuid4().hex)
    protection = {name: value for name, value in parameters.items() if name.startswith(_PROTECTION)}
    try:
        made = await _try(session, source, (bucket, temporary), protection)
        if made is not None:
            await _require_generation(session, source, made)
            return _result(await send(CopySource={"Bucket": bucket, "Key": temporary}))
    finally:
        if not session.heeds_sources:
            await _remove(session, bucket, temporary)
    return await copy_one_generation(session, source, target, parameters)


async def _try(
    session: S3Session, source: StoredObject, target: tuple[str, str], protection: Mapping[str, Any]
) -> PutResult | None:
    """Copies under a condition that does not hold; ``None`` where the store heeds it, as it should."""
    send = partial(session.request, "copy_object", *target, CopySource=_origin(source), **protection)
    if session.refuses_conditions:
        return _result(await send())
    try:
        return _result(await send(CopySourceIfMatch=quoted(_NEVER)))
    except PreconditionFailedError:
        session.heeds_sources = True
        return None
    except NotSupportedError:
        made = _result(await send())
        session.refuses_conditions = True
        return made


async def _require_generation(session: S3Session, source: StoredObject, made: PutResult) -> None:
    # The same ETag, the same bytes. A copy may have one of its own: then its source must still be what it was.
    if made.etag != source.etag:
        answer = await session.request("head_object", source.bucket, source.key)
        require_etag(headed_object(source.bucket, source.key, answer), source.etag)


async def _remove(session: S3Session, bucket: str, key: str) -> None:
    with anyio.move_on_after(_CLEANUP, shield=True):
        try:
            await delete(session, bucket, key)
            return
        except DeltaGliderError as error:
            log.warning("a temporary copy, s3://%s/%s, stays behind: %s", bucket, key, error)


def _origin(source: StoredObject) -> dict[str, str]:
    return {"Bucket": source.bucket, "Key": source.key}


def _result(answer: Mapping[str, Any]) -> PutResult:
    return put_result(answer, answer.get("CopyObjectResult", {}).get("ETag"))
