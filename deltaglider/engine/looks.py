"""The stored forms of what a listing shows: remembered where that is sure to hold, asked of the store where not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from deltaglider.cache import objects
from deltaglider.cache.objects import Seen, Told
from deltaglider.engine.context import Context
from deltaglider.engine.locate import Form, form_of, head_or_none
from deltaglider.store.base import ARCHIVES, ListedObject, StoredObject
from deltaglider.tasks import map_bounded


async def forms_of_listed(ctx: Context, bucket: str, listed: Sequence[ListedObject]) -> list[Form | None]:
    """The forms of objects that a listing shows.

    What is remembered of an object that looks the same in the listing is as good as a HEAD (``cache.objects`` says
    why). The others cost a HEAD each, several at once, and are remembered for the next time. So do all that lie in an
    archive: nothing in a listing tells whether they have been restored.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        listed: Entries of a listing, a page of them at most.

    Returns:
        Their forms, in order; ``None`` for what is gone.

    Raises:
        StoreError: The store did not answer.
    """
    endpoint = ctx.store.identity
    remembered = [
        form if form is not None and not form.stored.archived else None
        for form in await remembered_forms(ctx, bucket, listed)
    ]
    unknown = [entry for entry, form in zip(listed, remembered, strict=True) if form is None]
    limit = ctx.settings.max_concurrent_requests
    asked = await map_bounded(partial(head_or_none, ctx, bucket), [entry.key for entry in unknown], limit=limit)
    answers = [form.stored for form in asked if form is not None]
    await objects.keep(ctx.notes, endpoint, [_answer(stored) for stored in answers])
    rest = iter(asked)
    return [form if form is not None else next(rest) for form in remembered]


async def remembered_forms(ctx: Context, bucket: str, listed: Sequence[ListedObject]) -> list[Form | None]:
    """The forms of objects that a listing shows, as far as this machine remembers them; nothing is asked of the store.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        listed: Entries of a listing, a page of them at most.

    Returns:
        Their forms, in order; ``None`` for what is not remembered.
    """
    told = await objects.recall(ctx.notes, ctx.store.identity, [_seen(bucket, entry) for entry in listed])
    return [
        form_of(_stored(bucket, entry, known)) if known is not None else None
        for entry, known in zip(listed, told, strict=True)
    ]


def _seen(bucket: str, entry: ListedObject | StoredObject) -> Seen:
    return Seen(bucket, entry.key, entry.etag, entry.size, entry.last_modified)


def _answer(stored: StoredObject) -> tuple[Seen, Told, datetime | None]:
    return _seen(stored.bucket, stored), Told(stored.metadata, stored.headers), stored.answered


def _stored(bucket: str, entry: ListedObject, told: Told) -> StoredObject:
    return StoredObject(
        bucket,
        entry.key,
        entry.size,
        entry.etag,
        entry.last_modified,
        told.metadata,
        told.headers,
        entry.storage_class,
        archived=entry.storage_class in ARCHIVES,
    )
