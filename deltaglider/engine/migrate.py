"""One object into delta storage, where it lies."""

from __future__ import annotations

import dataclasses

from deltaglider.engine.context import Context
from deltaglider.engine.materialise import materialise
from deltaglider.engine.options import UploadOptions
from deltaglider.engine.upload import store_again
from deltaglider.layout.metadata import user_metadata
from deltaglider.models import UploadSummary


async def migrate(ctx: Context, bucket: str, key: str, *, options: UploadOptions | None = None) -> UploadSummary | None:
    """Makes an object that lies whole a delta, metadata, headers, tags, storage class and time kept.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        key: The object's key.
        options: How it is stored.

    Returns:
        What was stored; ``None`` if it stays as it is, because no delta of it is worth keeping.

    Raises:
        NotFoundError: It is gone.
        IntegrityError: Its bytes are not the recorded ones.
        PreconditionFailedError: It was written or deleted meanwhile, and is left as it is.
        StoreError: The store refused or failed.
    """
    with ctx.spool.file() as path:
        original = await materialise(ctx, bucket, key, path)
        form = original.form
        if form.is_delta:
            return None
        stored = form.stored
        storage_class = {} if stored.storage_class == "STANDARD" else {"StorageClass": stored.storage_class}
        kept = dataclasses.replace(
            options or UploadOptions(),
            metadata=user_metadata(stored.metadata, form.description),
            headers={**form.headers, **storage_class},
            tags=await ctx.store.tags(bucket, stored.key) if stored.tag_count else None,
        )
        return await store_again(ctx, path, form, options=kept)
