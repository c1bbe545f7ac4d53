"""A bucket as users see it: original names, sizes and order."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing

from deltaglider.engine.context import Context
from deltaglider.engine.locate import Form, head_or_none
from deltaglider.engine.looks import forms_of_listed
from deltaglider.layout.keys import (
    DELTA_SUFFIX,
    REFERENCE_NAME,
    delta_key,
    is_reserved,
    name_of,
    sort_key,
    without_delta,
)
from deltaglider.layout.listing import Found, LogicalOrder
from deltaglider.layout.metadata import user_metadata
from deltaglider.models import ObjectInfo, Prefix
from deltaglider.store.base import ARCHIVES, ListedObject, ListedPrefix

Hidden = Callable[[ListedObject], None]
"""Told of each stored object that nobody can ask for: references, trash, temporary ones, forms that are outdated."""

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

    A listing of the store does not tell the original size of a delta, so each delta that this machine does not remember
    costs one HEAD, several at once.

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
    forms = list_forms(ctx, bucket, prefix, delimiter=delimiter, start_after=start_after, hidden=hidden)
    async with aclosing(forms) as entries:
        async for entry, _ in entries:
            yield entry


async def list_forms(
    ctx: Context,
    bucket: str,
    prefix: str = "",
    *,
    delimiter: str = "",
    start_after: str = "",
    hidden: Hidden | None = None,
) -> AsyncGenerator[tuple[ObjectInfo | Prefix, Form | None], None]:
    """The same, each object with its stored form where the listing had to look at that, as it has for deltas.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        prefix: Only keys that begin with it.
        delimiter: Groups keys by what stands before its first occurrence after the prefix.
        start_after: Only keys after this one.
        hidden: Told of what is stored but is nobody's object.

    Yields:
        Objects, and with a delimiter common prefixes; and their forms.

    Raises:
        StoreError: The store failed; a listing never ends early without saying so.
    """
    grouping = _Grouping(prefix, delimiter, start_after)
    order: LogicalOrder[_Entry] = LogicalOrder(prefix=prefix, after=start_after)
    pages = ctx.store.list_objects(
        bucket, prefix, delimiter=grouping.by_store, start_after=start_after, page_size=ctx.settings.page_size
    )
    async with aclosing(_in_logical_order(ctx, bucket, pages, order, hidden)) as merged:
        async for found in merged:
            if grouping.admits(found.key):
                group = grouping.group(bucket, found.key)
                yield (group, None) if group is not None else await _present(ctx, bucket, found, hidden)


async def _in_logical_order(
    ctx: Context,
    bucket: str,
    pages: AsyncIterator[list[ListedObject | ListedPrefix]],
    order: LogicalOrder[_Entry],
    hidden: Hidden | None,
) -> AsyncGenerator[Found[_Entry], None]:
    async for page in pages:
        for listed, entry in await _looked_at(ctx, bucket, page):
            key = _logical_key(*entry, hidden) if entry is not None else None
            if key is not None and entry is not None:
                order.push(key, listed.key, entry)
            # What would hold back too much is looked up by its name.
            while (wanted := order.wanted()) is not None:
                order.answer(wanted, await _probe(ctx, bucket, wanted))
            for found in order.pop():
                yield found
    order.end()
    for found in order.pop():
        yield found


class _Grouping:
    """Common prefixes, by the store where it can; by ourselves where the delimiter may lie in ``.delta``.

    Attributes:
        by_store: What the store is to group by; empty for nothing.
    """

    def __init__(self, prefix: str, delimiter: str, start_after: str) -> None:
        overlaps = any(DELTA_SUFFIX.startswith(delimiter[at:]) for at in range(len(delimiter)))
        self.by_store = "" if overlaps or delimiter in DELTA_SUFFIX else delimiter
        self._delimiter = "" if self.by_store else delimiter
        self._prefix = prefix
        self._after = sort_key(start_after)
        self._last = ""

    def admits(self, key: str) -> bool:
        """Whether the next key is to be shown: a common prefix once, and nothing that is not after the start."""
        common = self._common(key)
        if (common and common == self._last) or (self._after and sort_key(common or key) <= self._after):
            return False
        self._last = common
        return True

    def group(self, bucket: str, key: str) -> Prefix | None:
        """The common prefix a key is shown as, if it is."""
        common = self._common(key)
        return Prefix(bucket, common) if common else None

    def _common(self, key: str) -> str:
        at = key.find(self._delimiter, len(self._prefix)) if self._delimiter else -1
        return key[: at + len(self._delimiter)] if at >= 0 else ""


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
    headers = dict(form.headers)
    return ObjectInfo(
        bucket=bucket,
        key=key,
        size=(description.size or 0) if is_delta and description else stored.size,
        last_modified=stored.last_modified,
        etag=(description.md5 or stored.etag) if is_delta and description else stored.etag,
        storage_class=stored.storage_class,
        archived=stored.archived,
        stored_size=stored.size,
        is_delta=is_delta,
        stored_key=stored.key,
        sha256=description.sha256 if description else "",
        content_type=headers.pop("ContentType", None),
        headers=headers,
        metadata=user_metadata(stored.metadata, description),
        reference_key=(description.reference_key or None) if is_delta and description else None,
    )


async def _looked_at(
    ctx: Context, bucket: str, page: Sequence[ListedObject | ListedPrefix]
) -> list[tuple[ListedObject | ListedPrefix, _Entry | None]]:
    """The entries of a page, with their forms where names do not tell what they are; ``None`` for what is gone."""
    doubtful = [entry for entry in page if isinstance(entry, ListedObject) and _is_doubtful(entry.key)]
    if not doubtful:
        return [(entry, (entry, None)) for entry in page]
    forms = dict(zip((e.key for e in doubtful), await forms_of_listed(ctx, bucket, doubtful), strict=True))
    looked: list[tuple[ListedObject | ListedPrefix, _Entry | None]] = []
    for entry in page:
        if entry.key not in forms or isinstance(entry, ListedPrefix):
            looked.append((entry, (entry, None)))
            continue
        form, whole = forms[entry.key], without_delta(entry.key)
        if form is None and whole is not None:
            # Perhaps because its object was stored whole meanwhile, and whose place in the listing is past.
            form = await head_or_none(ctx, bucket, whole)
        looked.append((entry, (_listed(form), form) if form is not None else None))
    return looked


def _is_doubtful(stored_key: str) -> bool:
    """Whether the name of a stored object does not tell what it is."""
    may_be_ours = without_delta(stored_key) is not None or name_of(stored_key) == REFERENCE_NAME
    return may_be_ours and not is_reserved(stored_key)


def _listed(form: Form) -> ListedObject:
    stored = form.stored
    return ListedObject(stored.key, stored.size, stored.etag, stored.last_modified, stored.storage_class)


def _logical_key(entry: ListedObject | ListedPrefix, form: Form | None, hidden: Hidden | None) -> str | None:
    """The key users know an entry by; ``None`` if it is nothing of theirs."""
    if is_reserved(entry.key) or (form is not None and form.is_reference):
        if hidden is not None and isinstance(entry, ListedObject):
            hidden(entry)
        return None
    return without_delta(entry.key) if form is not None and form.is_delta else entry.key


async def _probe(ctx: Context, bucket: str, key: str) -> _Entry | None:
    form = await head_or_none(ctx, bucket, delta_key(key))
    return (_listed(form), form) if form is not None and form.is_delta else None


async def _present(
    ctx: Context, bucket: str, found: Found[_Entry], hidden: Hidden | None
) -> tuple[ObjectInfo | Prefix, Form | None]:
    entry, form = found.forms[0]
    if len(found.forms) > 1:
        # Both forms of one key: only their metadata tells which counts.
        unknown = [entry for entry, form in found.forms if form is None and isinstance(entry, ListedObject)]
        known = [form for _, form in found.forms] + await forms_of_listed(ctx, bucket, unknown)
        present = {form.stored.key: form for form in known if form is not None}
        newest = max(present.values(), key=lambda form: form.generation, default=None)
        if newest is not None:
            for other in present.values():
                if hidden is not None and other is not newest:
                    hidden(_listed(other))
            return info_of(bucket, found.key, newest), newest
    if isinstance(entry, ListedPrefix):
        return Prefix(bucket, entry.key), None
    if form is not None:
        return info_of(bucket, found.key, form), form
    info = ObjectInfo(
        bucket=bucket,
        key=entry.key,
        size=entry.size,
        last_modified=entry.last_modified,
        etag=entry.etag,
        storage_class=entry.storage_class,
        archived=entry.storage_class in ARCHIVES,
        stored_size=entry.size,
        stored_key=entry.key,
    )
    return info, None
