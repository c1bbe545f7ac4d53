"""The original file of a delta, put into the bucket for a while, so that a URL can lead to it."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from deltaglider.engine.context import Context, uri_of
from deltaglider.engine.locate import Form, head_or_none
from deltaglider.engine.materialise import materialise
from deltaglider.errors import BucketNotFoundError, NotFoundError, NotSupportedError, PreconditionFailedError
from deltaglider.late import dataclass
from deltaglider.layout.metadata import user_metadata
from deltaglider.layout.rehydrated import Rehydrated, end_of_stay
from deltaglider.store.base import ListedObject

logger = logging.getLogger("deltaglider.engine")


@dataclass(frozen=True, slots=True)
class Stay:
    """A file in the bucket, and how long it stays.

    Attributes:
        stored_key: Its stored key.
        until: When it may be removed.
    """

    stored_key: str
    until: datetime


async def rehydrate(ctx: Context, key: str, form: Form, seconds: int) -> Stay | None:
    """Sees to it that the original file of a delta is there for a while.

    One that is there and stays long enough is taken; one that goes too early is copied inside the store; else the file
    is fetched, proven and stored. No two clients are in each other's way: what they store under one key is the same.

    Args:
        ctx: The client's parts.
        key: The object's key.
        form: The delta it is stored as.
        seconds: How long the file is needed from now on.

    Returns:
        The file; ``None`` if the object was replaced meanwhile.

    Raises:
        IntegrityError: The file cannot be had from the delta.
        StoreError: The store failed.
    """
    bucket, wanted = form.stored.bucket, _wanted(key, form)
    # Of several tasks of one client, the first brings the file, and the others find it.
    async with ctx.flights.writing(bucket, wanted.prefix):
        asked = datetime.now(UTC) + timedelta(seconds=seconds)
        standing = await _standing(ctx, bucket, wanted)
        if standing and standing[-1].until >= asked:
            return standing[-1]
        until = end_of_stay(asked, seconds)
        stay = Stay(wanted.stored_key(until), until)
        if standing and await _prolong(ctx, bucket, wanted, standing[-1], stay):
            return stay
        return stay if await _store(ctx, bucket, wanted, stay) else None


def _wanted(key: str, form: Form) -> Rehydrated:
    description = form.description
    assert description is not None
    metadata = user_metadata(form.stored.metadata, description)
    encryption = form.stored.encryption
    return Rehydrated(key, description.sha256, description.size or 0, form.headers, metadata, encryption)


async def _standing(ctx: Context, bucket: str, wanted: Rehydrated) -> list[Stay]:
    """The files that are there, the one that stays longest last; none that is cut or goes at once."""
    found: list[Stay] = []
    async for page in ctx.store.list_objects(bucket, wanted.prefix):
        for entry in page:
            until = wanted.until(entry.key)
            if isinstance(entry, ListedObject) and until is not None and entry.size == wanted.size:
                found.append(Stay(entry.key, until))
    found.sort(key=lambda stay: stay.until)
    # A listing may tell of what was there a moment ago.
    while found and await head_or_none(ctx, bucket, found[-1].stored_key) is None:
        found.pop()
    return found


async def _prolong(ctx: Context, bucket: str, wanted: Rehydrated, old: Stay, new: Stay) -> bool:
    try:
        await ctx.store.copy(
            bucket,
            old.stored_key,
            bucket,
            new.stored_key,
            metadata=wanted.stored_metadata(new.until),
            headers=wanted.stored_headers(),
        )
    except BucketNotFoundError:
        raise
    except (NotFoundError, PreconditionFailedError, NotSupportedError):
        return False  # Its time was over, and it was removed.
    logger.debug("%s is there until %s", uri_of(bucket, new.stored_key), new.until)
    return True


async def _store(ctx: Context, bucket: str, wanted: Rehydrated, stay: Stay) -> bool:
    """Fetches and stores the file, unless the object is another one by now."""
    metadata = wanted.stored_metadata(stay.until)
    with ctx.spool.file() as path:
        original = await materialise(ctx, bucket, wanted.key, path)
        if not original.form.is_delta or _wanted(wanted.key, original.form) != wanted:
            return False
        await ctx.store.put(
            bucket,
            stay.stored_key,
            path,
            sha256=wanted.sha256,
            metadata=metadata,
            headers=wanted.stored_headers(),
            moved=ctx.sent,
        )
    logger.debug("%s is there until %s", uri_of(bucket, stay.stored_key), stay.until)
    return True
