"""What is left of ours in a bucket that holds no object any more, removed so that the bucket can be."""

from __future__ import annotations

from contextlib import aclosing
from functools import partial

from deltaglider.engine.context import Context
from deltaglider.engine.listing import list_objects
from deltaglider.engine.locate import head_or_none
from deltaglider.layout.keys import (
    REFERENCE_NAME,
    is_reserved,
    is_statistics,
    is_temporary,
    name_of,
    parse_reference_key,
    parse_trash_key,
)
from deltaglider.store.base import ListedObject, ListedPrefix
from deltaglider.tasks import map_bounded


async def vacate(ctx: Context, bucket: str, *, everything: bool) -> bool:
    """Removes what only objects could need, from a bucket that has none.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        everything: All that is reserved, also what other tools keep there; else references, the trash, temporary
            objects and figures.

    Returns:
        Whether it holds no object. If it does, nothing was removed.

    Raises:
        StoreError: The store failed, or something could not be removed.
    """
    async with aclosing(list_objects(ctx, bucket)) as objects:
        async for _ in objects:
            return False
    look = partial(_is_needless, ctx, bucket, everything)
    async for page in ctx.store.list_objects(bucket):
        needless = await map_bounded(look, page, limit=ctx.settings.max_concurrent_requests)
        keys = [entry.key for entry, gone in zip(page, needless, strict=True) if gone]
        for failure in await ctx.store.delete_many(bucket, keys) if keys else []:
            raise failure.error
    return True


async def _is_needless(ctx: Context, bucket: str, everything: bool, entry: ListedObject | ListedPrefix) -> bool:
    key = entry.key
    if is_reserved(key):
        known = parse_reference_key(key) or parse_trash_key(key) or is_temporary(key) or is_statistics(key)
        return everything or bool(known)
    if name_of(key) != REFERENCE_NAME:
        return False
    form = await head_or_none(ctx, bucket, key)
    return form is not None and form.is_reference
