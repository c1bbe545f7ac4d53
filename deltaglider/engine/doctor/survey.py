"""A bucket or prefix, looked through from end to end, and mended on the way.

The order is what makes it safe: first references are put back, so that a delta is never judged, or anything removed,
while its reference could still be had; then every object is looked at; and only when all is known of what is needed,
what nothing needs is removed.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

from deltaglider.engine.context import Context
from deltaglider.engine.doctor import inventory, leftovers, references, strays
from deltaglider.engine.doctor.book import Book
from deltaglider.engine.doctor.case import Case, Survey
from deltaglider.engine.doctor.deltas import look_at_delta
from deltaglider.engine.doctor.forms import look_at_forms
from deltaglider.engine.doctor.reading import UNEXAMINED, ends_it_all
from deltaglider.engine.doctor.wholes import look_at_whole
from deltaglider.engine.locate import begins_as_delta, head_or_none
from deltaglider.errors import BucketNotFoundError, DeltaGliderError, NotFoundError
from deltaglider.layout.keys import REFERENCE_NAME, is_reserved, is_temporary, name_of, without_delta
from deltaglider.models import Finding
from deltaglider.store.base import ARCHIVES, ListedObject
from deltaglider.tasks import map_bounded

_BATCH_PER_WORKER = 8  # What is found is told after each batch.


async def survey(ctx: Context, bucket: str, prefix: str, asked: Survey) -> AsyncGenerator[Finding, None]:
    """Looks through all that is stored under a prefix.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        prefix: Only keys that begin with it; empty for the whole bucket.
        asked: How, and whether to mend.

    Yields:
        What was found: objects in the order of their stored keys, then references, then leftovers.

    Raises:
        StoreError: The store failed. What was mended until then stays mended, and nothing is lost.
    """
    case = Case(ctx, bucket, prefix, asked, Book(ctx, bucket, deep=asked.repair or not asked.quick))
    await inventory.take_stock(case)
    if asked.repair:
        await inventory.mend_references(case)
    above: list[str] = []
    limit = ctx.settings.max_concurrent_objects if case.deep or case.repair else ctx.settings.max_concurrent_requests
    async for page in ctx.store.list_objects(bucket, prefix):
        entries = [(entry, has_whole(above, entry.key)) for entry in page if isinstance(entry, ListedObject)]
        for start in range(0, len(entries), limit * _BATCH_PER_WORKER):
            batch = entries[start : start + limit * _BATCH_PER_WORKER]
            for found in await map_bounded(lambda entry: _examine(case, *entry), batch, limit=limit):
                for finding in found:
                    yield finding
    for settle in (strays.settle, references.settle, leftovers.settle):
        async for finding in settle(case):
            yield finding


def has_whole(above: list[str], key: str) -> bool:
    """Whether the object that a key would be the delta of is stored under its own key, too.

    All keys between ``K`` and ``K.delta`` begin with ``K``. So it is enough to remember those keys that the present one
    begins with, and they are never more than a key has characters.

    Args:
        above: What is remembered of the listing so far; changed by this.
        key: The next stored key of the listing.

    Returns:
        Whether both are there.
    """
    while above and not key.startswith(above[-1]):
        above.pop()
    above.append(key)
    whole = without_delta(key)
    return whole is not None and whole in above


async def _examine(case: Case, entry: ListedObject, twice: bool) -> list[Finding]:
    try:
        return await _look(case, entry, twice)
    except DeltaGliderError as error:
        if ends_it_all(error):
            raise
        case.blind = True
        return [case.problem(UNEXAMINED, entry.key, f"it could not be looked at: {error}", "")]


async def _look(case: Case, entry: ListedObject, twice: bool) -> list[Finding]:
    if is_reserved(entry.key):
        return await leftovers.look_at_temporary(case, entry) if is_temporary(entry.key) else []
    key = without_delta(entry.key)
    if key is None and name_of(entry.key) != REFERENCE_NAME:
        return await look_at_whole(case, entry)
    form = await head_or_none(case.ctx, case.bucket, entry.key)
    if form is None or form.is_reference:
        return []
    if key is not None and form.is_delta:
        told, removed = await look_at_forms(case, key) if twice else (None, None)
        findings = [told] if told else []
        is_gone = removed is not None and removed.is_delta
        return findings if is_gone else findings + await look_at_delta(case, form)
    try:
        is_stray = (
            key is not None and entry.storage_class not in ARCHIVES and await begins_as_delta(case.ctx, form.stored)
        )
    except BucketNotFoundError:
        raise
    except NotFoundError:
        return []
    return await strays.look_at_stray(case, form) if is_stray else await look_at_whole(case, entry)
