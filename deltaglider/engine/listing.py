"""A bucket as users see it: original names, sizes and order."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from functools import partial

from deltaglider.engine.context import Context
from deltaglider.engine.locate import Form, head_or_none
from deltaglider.layout.keys import REFERENCE_NAME, delta_key, is_reserved, name_of, sort_key, without_delta
from deltaglider.layout.listing import Found, LogicalOrder
from deltaglider.layout.metadata import user_metadata
from deltaglider.models import ObjectInfo, Prefix
from deltaglider.store.base import ListedObject, ListedPrefix
from deltaglider.tasks import map_bounded

Hidden = Callable[[ListedObject], None]
"""Told of each stored object that is DeltaGlider's own: references, trash, temporary objects."""

_Entry = tuple[ListedObject | ListedPrefix, Form | None]


async def list_objects(
    ctx: Context,
    bucket: str,
    prefix: str = "",
    *,
    delimiter: str = "",
    start_after: str = "",
    hidden: Hidden | None = None,
) -> AsyncGenerator[ObjectInfo | Prefix, None]:
    """The objects under a prefix, in the byte order of their keys.

    A listing of the store does not tell the original size of a delta, so each delta costs one HEAD, many at once.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        prefix: Only keys that begin with it.
        delimiter: Groups keys by what stands before its first occurrence after the prefix.
        start_after: Only keys after this one.
        hidden: Told of what is stored but is nobody's object.

    Yields:
        Objects, and with a delimiter common prefixes.

    Raises:
        StoreError: The store failed; a listing never ends early without saying so.
    """
    order: LogicalOrder[_Entry] = LogicalOrder(prefix=prefix, after=start_after)
    after = sort_key(start_after)
    async for page in ctx.store.list_objects(bucket, prefix, delimiter=delimiter, start_after=start_after):
        forms = await map_bounded(partial(_look, ctx, bucket), page, limit=ctx.settings.max_concurrent_requests)
        for entry, form in zip(page, forms, strict=True):
            key = _logical_key(entry, form, hidden)
            if key is not None and key.startswith(prefix):
                order.push(key, entry.key, (entry, form))
            # What would hold back too much is looked up by its name.
            while (wanted := order.wanted()) is not None:
                order.answer(wanted, await _probe(ctx, bucket, wanted))
            for found in order.pop():
                if sort_key(found.key) > after or not after:
                    yield await _present(ctx, bucket, found)
    order.end()
    for found in order.pop():
        if sort_key(found.key) > after or not after:
            yield await _present(ctx, bucket, found)


def info_of(bucket: str, key: str, form: Form) -> ObjectInfo:
    """What users see of a stored form whose metadata is known.

    Args:
        bucket: The bucket.
        key: The object's key.
        form: Its stored form.

    Returns:
        The object.
    """
    stored, description = form.stored, form.description
    is_delta = form.is_delta and description is not None
    headers = dict(stored.headers)
    return ObjectInfo(
        bucket=bucket,
        key=key,
        size=(description.size or 0) if is_delta and description else stored.size,
        last_modified=stored.last_modified,
        etag=(description.md5 or stored.etag) if is_delta and description else stored.etag,
        storage_class=stored.storage_class,
        stored_size=stored.size,
        is_delta=is_delta,
        stored_key=stored.key,
        sha256=description.sha256 if description else "",
        content_type=headers.pop("ContentType", None),
        headers=headers,
        metadata=user_metadata(stored.metadata, description),
        reference_key=(description.reference_key or None) if is_delta and description else None,
    )


async def _look(ctx: Context, bucket: str, entry: ListedObject | ListedPrefix) -> Form | None:
    """The metadata of an entry whose name does not tell what it is."""
    if isinstance(entry, ListedPrefix) or is_reserved(entry.key):
        return None
    if without_delta(entry.key) is None and name_of(entry.key) != REFERENCE_NAME:
        return None
    return await head_or_none(ctx, bucket, entry.key)


def _logical_key(entry: ListedObject | ListedPrefix, form: Form | None, hidden: Hidden | None) -> str | None:
    """The key users know an entry by; ``None`` if it is nothing of theirs."""
    if is_reserved(entry.key) or (form is not None and form.is_reference):
        if hidden is not None and isinstance(entry, ListedObject):
            hidden(entry)
        return None
    return without_delta(entry.key) if form is not None and form.is_delta else entry.key


async def _probe(ctx: Context, bucket: str, key: str) -> _Entry | None:
    form = await head_or_none(ctx, bucket, delta_key(key))
    if form is None or not form.is_delta:
        return None
    stored = form.stored
    return ListedObject(stored.key, stored.size, stored.etag, stored.last_modified, stored.storage_class), form


async def _present(ctx: Context, bucket: str, found: Found[_Entry]) -> ObjectInfo | Prefix:
    entry, form = found.forms[0]
    if len(found.forms) > 1:
        # Both forms of one key: only their metadata tells which counts.
        known = [form or await head_or_none(ctx, bucket, entry.key) for entry, form in found.forms]
        newest = max((form for form in known if form is not None), key=lambda form: form.generation, default=None)
        if newest is not None:
            return info_of(bucket, found.key, newest)
    if isinstance(entry, ListedPrefix):
        return Prefix(bucket, entry.key)
    if form is not None:
        return info_of(bucket, found.key, form)
    return ObjectInfo(
        bucket=bucket,
        key=entry.key,
        size=entry.size,
        last_modified=entry.last_modified,
        etag=entry.etag,
        storage_class=entry.storage_class,
        stored_size=entry.size,
        stored_key=entry.key,
    )
