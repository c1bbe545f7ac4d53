"""The old form last: after the new form of an object is stored, the other one goes."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from deltaglider.engine import retire
from deltaglider.engine.context import Context, uri_of
from deltaglider.engine.locate import Form, head_or_none
from deltaglider.errors import PreconditionFailedError

logger = logging.getLogger("deltaglider.engine")


async def supersede(
    ctx: Context, bucket: str, *, mine: str, other: Form | None, store: Callable[[], Awaitable[object]]
) -> None:
    """Deletes the other stored form of an object that was just stored, and makes sure that the new one survived.

    Two writers of one key may each store a form and each remove the other's. So nothing goes but the very form that
    was seen before: what came since is another writer's, and the newer of the two counts. And whoever removed
    something looks at its own form afterwards, and stores it again if it is gone. These are the steps *compare*,
    *remove other* and *check mine* in the table of docs/architecture.md.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        mine: The stored key of the new form.
        other: The other form, as it was seen before; ``None`` if there was none, and then there is nothing to do.
        store: Stores the new form again.
    """
    if other is None or not await remove(ctx, bucket, other):
        return
    if await head_or_none(ctx, bucket, mine) is None:
        logger.warning("%s was removed by another writer: storing it again", uri_of(bucket, mine))
        await store()
    if other.is_delta:
        await retire.retire_quietly(ctx, bucket, other.reference_key)


async def remove(ctx: Context, bucket: str, seen: Form) -> bool:
    """Removes a form if it is still the one that was seen.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        seen: The form.

    Returns:
        Whether it is gone by this.

    Raises:
        StoreError: The store failed.
    """
    now = await head_or_none(ctx, bucket, seen.stored.key)
    if now is None or now.identity != seen.identity:
        return False
    try:
        await ctx.store.delete(bucket, seen.stored.key, if_match=seen.stored.etag)
    except PreconditionFailedError:
        # Replaced since; or gone, where a request was repeated whose answer was lost.
        return await head_or_none(ctx, bucket, seen.stored.key) is None
    return True
