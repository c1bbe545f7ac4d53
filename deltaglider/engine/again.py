"""An object that lies whole becomes a delta, under the same key and while others may write it.

It is the same object in another form, and no newer one: it keeps its time, so that whoever writes the object meanwhile
wins. The steps are those of an overwrite (see ``supersede``) with one difference: what would make the delta hide
another writer's object makes it go.
"""

from __future__ import annotations

import logging
from typing import Protocol

import anyio

from deltaglider.engine.context import CLEANUP_SECONDS, Context, uri_of
from deltaglider.engine.locate import Form, forms_of, head_or_none, locate
from deltaglider.engine.materialise import materialise
from deltaglider.engine.supersede import remove
from deltaglider.errors import NotSupportedError, PreconditionFailedError
from deltaglider.layout.keys import delta_key

logger = logging.getLogger("deltaglider.engine")


class Store(Protocol):
    """Stores the delta and confirms its reference."""

    async def __call__(self, *, if_none_match: bool) -> object:
        """Stores; if asked, only where there is nothing."""


def changed_meanwhile(bucket: str, key: str) -> PreconditionFailedError:
    """The error for an object that others write while it is stored again.

    Args:
        bucket: The bucket.
        key: The object's key.

    Returns:
        The error.
    """
    return PreconditionFailedError(
        "it was written or deleted meanwhile, and is left as it is",
        uri=uri_of(bucket, key),
        remedy="Run the command again",
        status=412,
    )


async def replace_whole(ctx: Context, whole: Form, *, store: Store) -> None:
    """Stores a delta beside the whole form it was made of, and removes that.

    Args:
        ctx: The client's parts.
        whole: The whole form, as it was fetched.
        store: Stores the delta.

    Raises:
        PreconditionFailedError: The object was written or deleted meanwhile. The delta was withdrawn.
        StoreError: The store failed. Both forms may be left; they give the same bytes.
    """
    bucket, key = whole.stored.bucket, whole.stored.key
    now = await head_or_none(ctx, bucket, key)
    if now is None or now.identity != whole.identity:
        raise changed_meanwhile(bucket, key)
    try:
        await store(if_none_match=True)
    except NotSupportedError:
        await store(if_none_match=False)
    except PreconditionFailedError:
        raise changed_meanwhile(bucket, key) from None
    mine = await head_or_none(ctx, bucket, delta_key(key))
    if await remove(ctx, bucket, whole):
        return
    is_mine = mine is not None and mine.created == whole.created
    if mine is not None and is_mine and await head_or_none(ctx, bucket, key) is not None:
        # Another writer's: the delta is an older version of it. Were the key empty, another client might have done
        # this very work and rely on the delta; an object that comes back is better than one that is lost.
        with anyio.move_on_after(CLEANUP_SECONDS, shield=True):
            await remove(ctx, bucket, mine)
        raise changed_meanwhile(bucket, key)


async def finish(ctx: Context, bucket: str, key: str) -> bool:
    """Removes the whole form that an interrupted run left beside its delta, once the delta is proven.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        key: The object's key.

    Returns:
        Whether it was removed; if not, there was none, or somebody writes there.

    Raises:
        IntegrityError: The delta does not give the file back. Nothing was removed.
        StoreError: The store failed.
    """
    async with ctx.flights.writing(bucket, key):
        forms = await forms_of(ctx, bucket, key)
        if forms.whole is None or forms.delta is None or forms.newest is not forms.delta:
            return False
        with ctx.spool.file() as path:
            proven = await materialise(ctx, bucket, key, path, stored_key=forms.delta.stored.key)
        if proven.form.identity != forms.delta.identity:
            return False
        if (await locate(ctx, bucket, key)).identity != forms.delta.identity:
            return False
        return await remove(ctx, bucket, forms.whole)
