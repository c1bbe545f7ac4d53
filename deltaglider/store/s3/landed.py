"""Did a write succeed whose answer was lost, or whose repetition failed because it had?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deltaglider.errors import (
    DeltaGliderError,
    NotFoundError,
    PreconditionFailedError,
    StoreError,
    StoreUnavailableError,
    TransferBrokenError,
)
from deltaglider.store.base import PutResult
from deltaglider.store.s3.answers import headed_object
from deltaglider.store.s3.session import S3Session


async def landed_or_raise(
    session: S3Session,
    bucket: str,
    key: str,
    error: StoreError,
    *,
    size: int,
    etag: str,
    parameters: Mapping[str, Any],
) -> PutResult:
    """Looks, where the outcome of a failed write is in doubt, whether what is stored is what was sent.

    Args:
        session: The session.
        bucket: The bucket.
        key: The key.
        error: What the write failed with.
        size: Bytes sent.
        etag: The ETag that most stores would give it.
        parameters: What it was sent with.

    Returns:
        What the write left.

    Raises:
        StoreError: The error: the write left nothing, or that cannot be told.
    """
    found = await _find(session, bucket, key, size, etag, parameters) if _is_ambiguous(error) else None
    if found is None:
        raise error
    return found


def _is_ambiguous(error: StoreError) -> bool:
    if isinstance(error, PreconditionFailedError):
        # botocore repeated the request: the condition may fail because of what the first attempt stored.
        metadata = getattr(error.__cause__, "response", {}).get("ResponseMetadata", {})
        return int(metadata.get("RetryAttempts", 0)) > 0
    lost = (StoreUnavailableError, TransferBrokenError, NotFoundError)
    return isinstance(error, lost) or error.s3_code == "NoSuchUpload"


async def _find(
    session: S3Session, bucket: str, key: str, size: int, etag: str, parameters: Mapping[str, Any]
) -> PutResult | None:
    try:
        answer = await session.request("head_object", bucket, key)
    except DeltaGliderError:
        return None
    found = headed_object(bucket, key, answer)
    sent = {name.lower(): value.strip() for name, value in parameters["Metadata"].items()}
    # Stores that encrypt give other ETags. Our metadata holds the SHA-256 and the time: it is a fingerprint, too.
    same = found.size == size and dict(found.metadata) == sent and (found.etag == etag or bool(sent))
    return PutResult(found.etag, found.version_id) if same else None
