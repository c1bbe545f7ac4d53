"""What is there."""

from __future__ import annotations

from deltaglider.engine.context import Context
from deltaglider.engine.listing import info_of
from deltaglider.engine.locate import locate
from deltaglider.models import ObjectInfo


async def head(ctx: Context, bucket: str, key: str, version: str | None = None) -> ObjectInfo:
    """One object, without its bytes.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        key: The object's key.
        version: The version wanted; ``None`` for the current one.

    Returns:
        What users see of it.

    Raises:
        NotFoundError: There is no such object.
        MetadataLostError: There is a delta of it that lost its metadata.
    """
    return info_of(bucket, key, await locate(ctx, bucket, key, version))
