"""The old form last: after the new form of an object is stored, the other one goes."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from deltaglider.engine import retire
from deltaglider.engine.context import Context, uri_of
from deltaglider.engine.locate import Form, head_or_none
from deltaglider.errors import PreconditionFailedError

logger = logging.getLogger("deltaglider.engine")

_ROUNDS = 5


async def supersede(
    ctx: Context,
    bucket: str,
    *,
    mine: str,
    created: datetime | None,
    other: Form | None,
    store: Callable[[], Awaitable[object]],
) -> None:
    """Deletes the other stored form of an object that was just stored, and makes sure that the new one survived.

    Two writers of one key may each store a form and each remove the other's. So only what is older than one's own
    goes, and whoever
    removed something looks at its own form afterwards and stores it again if another writer, who began earlier,
    removed it.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        mine: The stored key of the new form.
        created: When the new form was made.
        other: The other form, as it was seen before; ``None`` if there was none, and then there is nothing to do.
        store: Stores the new form again.

    Raises:
        PreconditionFailedError: Others remove it as often as it is stored.
    """
    if other is None:
        return
    removed = await _remove_if_older(ctx, bucket, other, created)
    for _ in range(_ROUNDS):
        if not removed or await head_or_none(ctx, bucket, mine) is not None:
            break
        logger.warning("%s was removed by another writer: storing it again", uri_of(bucket, mine))
        await store()
    else:
        raise PreconditionFailedError(
            "other writers remove it as often as it is stored",
            uri=uri_of(bucket, mine),
            remedy="Write it from one place",
        )
    if removed and other.is_delta:
        await retire.retire_quietly(ctx, bucket, other.reference_key)


async def _remove_if_older(ctx: Context, bucket: str, seen: Form, created: datetime | None) -> bool:
    now = await head_or_none(ctx, bucket, seen.stored.key)
    if now is None:
        return False
    unchanged = now.stored.etag == seen.stored.etag and now.created == seen.created
    if not unchanged and (created is None or now.created >= created):
        return False
    await ctx.store.delete(bucket, seen.stored.key)
    return True
