"""A bucket removed, with what is in it or without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deltaglider.bulk.run import Report, no_report
from deltaglider.bulk.trees import delete_tree
from deltaglider.bulk.verbs import engine_verbs
from deltaglider.errors import StoreError
from deltaglider.layout.uri import S3Uri

if TYPE_CHECKING:
    from deltaglider.engine.context import Context


async def remove_bucket(ctx: Context, bucket: str, *, force: bool = False, report: Report = no_report) -> None:
    """Removes a bucket that holds no object; what is left in it of ours goes with it.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        force: Delete its objects first.
        report: Told of each object deleted.

    Raises:
        BucketNotFoundError: There is no such bucket.
        StoreError: It is not empty, or not all of it could be deleted; then it stays.
    """
    # Loaded here: what only transfers needs nothing of it.
    from deltaglider.engine.vacate import vacate

    if force:
        summary = await delete_tree(engine_verbs(ctx), S3Uri(bucket, ""), report=report)
        if summary.failed:
            raise StoreError(
                f"{summary.failed} of its objects could not be deleted, so the bucket stays", uri=f"s3://{bucket}"
            ) from summary.failures[0].error
        await vacate(ctx, bucket, everything=True)
    try:
        await ctx.store.delete_bucket(bucket)
    except StoreError as error:
        if error.s3_code != "BucketNotEmpty" or not await vacate(ctx, bucket, everything=force):
            raise
        await _remove_vacated(ctx, bucket)


async def _remove_vacated(ctx: Context, bucket: str) -> None:
    try:
        await ctx.store.delete_bucket(bucket)
    except StoreError as error:
        if error.s3_code != "BucketNotEmpty" or await _lists_anything(ctx, bucket):
            raise
        raise StoreError(
            "nothing is listed in the bucket, and yet it is not empty: it holds earlier versions of objects, or delete "
            "markers, as a versioned bucket does",
            uri=f"s3://{bucket}",
            remedy="Delete those with 'aws s3api delete-objects' or a lifecycle rule, then the bucket",
            status=error.status,
            s3_code=error.s3_code,
        ) from error


async def _lists_anything(ctx: Context, bucket: str) -> bool:
    async for _ in ctx.store.list_objects(bucket, page_size=1):
        return True
    return False
