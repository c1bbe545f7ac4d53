"""What is there, whether it reads, and what it costs."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from deltaglider.engine.context import Context
from deltaglider.engine.listing import info_of, list_objects
from deltaglider.engine.locate import locate
from deltaglider.engine.materialise import materialise
from deltaglider.errors import (
    BucketNotFoundError,
    CodecTimeoutError,
    DeltaGliderError,
    IntegrityError,
    MetadataLostError,
    NotFoundError,
)
from deltaglider.layout.keys import REFERENCE_NAME, is_reserved, name_of, parse_reference_key
from deltaglider.models import BucketStats, ObjectInfo, VerifyResult
from deltaglider.store.base import ListedObject
from deltaglider.tasks import map_bounded

_BATCH_PER_WORKER = 8


async def head(ctx: Context, bucket: str, key: str) -> ObjectInfo:
    """One object, without its bytes.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        key: The object's key.

    Returns:
        What users see of it.

    Raises:
        NotFoundError: There is no such object.
        MetadataLostError: There is a delta of it that lost its metadata.
    """
    return info_of(bucket, key, await locate(ctx, bucket, key))


async def verify(ctx: Context, bucket: str, key: str, *, info: ObjectInfo | None = None) -> VerifyResult:
    """Reads an object back, as a download would, and compares its SHA-256 with the recorded one.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        key: The object's key.
        info: From a listing; saves the requests that find the stored form.

    Returns:
        What was proven. An object whose bytes are wrong is a result, not an error.

    Raises:
        NotFoundError: There is no such object.
        StoreError: The store failed, which proves nothing.
    """
    with ctx.spool.file() as path:
        try:
            original = await materialise(ctx, bucket, key, path, stored_key=info.stored_key if info else None)
        except (IntegrityError, CodecTimeoutError) as error:
            return await _damaged(ctx, bucket, key, error)
    digests, description = original.digests, original.form.description
    if description is None:
        message = "readable, but no hash is recorded to compare with: it was stored by another tool"
        return VerifyResult(bucket, key, True, "", digests.sha256, message, digests.size)
    return VerifyResult(
        bucket, key, True, description.sha256, digests.sha256, "its bytes are as recorded", digests.size
    )


async def verify_all(ctx: Context, bucket: str, prefix: str) -> AsyncGenerator[VerifyResult, None]:
    """Verifies every object under a prefix, several at once.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        prefix: Only keys that begin with it.

    Yields:
        What was proven of each, in the order of keys. One that was deleted meanwhile is left out.

    Raises:
        StoreError: The store failed.
    """
    batch: list[ObjectInfo] = []
    async with aclosing(list_objects(ctx, bucket, prefix)) as entries:
        async for info in entries:
            if isinstance(info, ObjectInfo):
                batch.append(info)
            if len(batch) >= _BATCH_PER_WORKER * ctx.settings.max_concurrent_objects:
                for result in await _verify_batch(ctx, batch):
                    yield result
                batch = []
    for result in await _verify_batch(ctx, batch):
        yield result


async def _verify_batch(ctx: Context, batch: list[ObjectInfo]) -> list[VerifyResult]:
    async def one(info: ObjectInfo) -> VerifyResult | None:
        try:
            return await verify(ctx, info.bucket, info.key, info=info)
        except BucketNotFoundError:
            raise
        except NotFoundError:
            return None

    results = await map_bounded(one, batch, limit=ctx.settings.max_concurrent_objects)
    return [result for result in results if result is not None]


async def _damaged(ctx: Context, bucket: str, key: str, error: DeltaGliderError) -> VerifyResult:
    try:
        description = (await locate(ctx, bucket, key)).description
    except MetadataLostError:
        description = None
    expected, size = (description.sha256, description.size or 0) if description else ("", 0)
    return VerifyResult(bucket, key, False, expected, "", str(error), size)


async def stats(ctx: Context, bucket: str, prefix: str = "") -> BucketStats:
    """Counts what a bucket or prefix holds and what that costs.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        prefix: Only keys that begin with it; a reference outside is not counted.

    Returns:
        The figures.

    Raises:
        StoreError: The store failed.
    """
    counts = dict.fromkeys(("objects", "total", "stored", "deltas", "references", "reference_bytes"), 0)

    def hidden(entry: ListedObject) -> None:
        counts["stored"] += entry.size
        classic = not is_reserved(entry.key) and name_of(entry.key) == REFERENCE_NAME
        if classic or parse_reference_key(entry.key):
            counts["references"] += 1
            counts["reference_bytes"] += entry.size

    async for info in list_objects(ctx, bucket, prefix, hidden=hidden):
        if isinstance(info, ObjectInfo):
            counts["objects"] += 1
            counts["total"] += info.size
            counts["stored"] += info.stored_size
            counts["deltas"] += info.is_delta
    return BucketStats(
        bucket=bucket,
        prefix=prefix,
        object_count=counts["objects"],
        total_size=counts["total"],
        compressed_size=counts["stored"],
        delta_objects=counts["deltas"],
        direct_objects=counts["objects"] - counts["deltas"],
        reference_objects=counts["references"],
        reference_size=counts["reference_bytes"],
    )
