"""What is there, and what it costs."""

from __future__ import annotations

from deltaglider.engine.context import Context
from deltaglider.engine.listing import info_of, list_objects
from deltaglider.engine.locate import locate
from deltaglider.layout.keys import REFERENCE_NAME, is_reserved, name_of, parse_reference_key
from deltaglider.models import BucketStats, ObjectInfo
from deltaglider.store.base import ListedObject


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
