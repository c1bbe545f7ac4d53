"""References that no delta needs any more go, with care.

A deleter and an uploader may meet: the one sees no delta and removes the reference, the other stores a delta against
it. Each does one
thing more, and between them nothing is lost whatever the order. The uploader looks, after storing, whether the
reference is still
there, and puts it back. The deleter copies it to the trash first, removes it, looks again, and puts it back if a delta
appeared. One
that dies in between leaves the copy in the trash, where readers find it by its SHA-256.

Some stores list what was there a while ago. So the deleter leaves a mark, and believes a listing only when listings
show the mark. The steps are those from *any delta* to *drop copies* in the table of docs/architecture.md.
"""

from __future__ import annotations

import dataclasses
import hashlib
import logging
import uuid
from collections.abc import AsyncIterator, Callable, Iterable
from functools import partial

import anyio

from deltaglider.engine.context import CLEANUP_SECONDS, Context, uri_of
from deltaglider.engine.locate import head_or_none
from deltaglider.engine.reference import list_references
from deltaglider.errors import DeltaGliderError, NotFoundError
from deltaglider.late import dataclass
from deltaglider.layout.deltaspace import deltaspace_of
from deltaglider.layout.keys import (
    DELTA_SUFFIX,
    classic_reference_key,
    deltaspace_of_reference,
    is_reserved,
    is_storable,
    references_prefix,
    temporary_key,
    trash_key,
    without_delta,
)
from deltaglider.store.base import ListedObject, ListedPrefix
from deltaglider.tasks import map_bounded

logger = logging.getLogger("deltaglider.engine")

_PATIENCE = (0.1, 0.5, 1.0, 2.0)
"""Seconds between looks for the mark."""


@dataclass(slots=True)
class Retirement:
    """The deltaspaces that deletes have touched, looked at once, at the end.

    Attributes:
        spaces: Buckets and deltaspaces, in the order met.
        removed: References that went.
    """

    spaces: dict[tuple[str, str], None] = dataclasses.field(default_factory=dict)
    removed: int = 0

    def note(self, bucket: str, reference_key: str) -> None:
        """Takes note that something was removed for which this reference, and the others of its deltaspace, waited."""
        self.spaces[bucket, deltaspace_of_reference(reference_key)] = None

    async def finish(self, ctx: Context) -> None:
        """Retires the references of all deltaspaces that have no delta left.

        Args:
            ctx: The client's parts.

        Raises:
            StoreError: The store failed; references may be left that nothing needs, none is lost.
        """
        while self.spaces:
            bucket, deltaspace = next(iter(self.spaces))
            await retire(ctx, bucket, deltaspace, removed=self._count)
            del self.spaces[bucket, deltaspace]

    def _count(self, references: int) -> None:
        self.removed += references


async def retire_quietly(ctx: Context, bucket: str, reference_key: str) -> None:
    """Retires a deltaspace's references at the end of work that is done: what fails is logged, and left to ``doctor``.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        reference_key: A reference of the deltaspace.
    """
    try:
        await retire(ctx, bucket, deltaspace_of_reference(reference_key))
    except DeltaGliderError as error:
        logger.warning("references that nothing needs may be left at %s: %s", uri_of(bucket, reference_key), error)


async def discard(ctx: Context, bucket: str, reference_key: str) -> None:
    """Takes away a reference made for work that failed or was cancelled, unless it serves another by now.

    Whoever began to use it meanwhile is safe: retiring looks again, and they confirm.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        reference_key: The reference.
    """
    with anyio.move_on_after(CLEANUP_SECONDS, shield=True):
        await retire_quietly(ctx, bucket, reference_key)


async def retire(
    ctx: Context, bucket: str, deltaspace: str, *, removed: Callable[[int], None] = lambda count: None
) -> bool:
    """Removes the references of a deltaspace if it has no delta left.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        deltaspace: The deltaspace.
        removed: Told how many went, if any did.

    Returns:
        Whether they are gone.

    Raises:
        StoreError: The store failed; nothing is lost.
    """
    if not is_storable(references_prefix(deltaspace)):
        return True  # Metadata may name any place; in this one nothing can lie.
    if not ctx.settings.retire_references or await _has_delta(ctx, bucket, deltaspace):
        return False
    doomed = [(reference.key, reference.sha256) for reference in await list_references(ctx, bucket, deltaspace)]
    classic = await head_or_none(ctx, bucket, classic_reference_key(deltaspace))
    if classic is not None and classic.is_reference and classic.description is not None:
        doomed.append((classic.stored.key, classic.description.sha256))
    if not doomed:
        return True
    ctx.flights.forget(bucket, deltaspace)
    unique = uuid.uuid4().hex
    copies = {key: trash_key(deltaspace, sha256, unique) for key, sha256 in doomed}
    try:
        await map_bounded(partial(_copy, ctx, bucket), copies.items(), limit=8)
    except NotFoundError:
        # Another deleter is at the same work, and one is enough: nothing was removed here.
        await _drop(ctx, bucket, copies.values())
        return not await _has_delta(ctx, bucket, deltaspace)
    for key in copies:
        await ctx.store.delete(bucket, key)
    needed = not await listings_are_current(ctx, bucket, deltaspace) or await _has_delta(ctx, bucket, deltaspace)
    if needed:
        logger.info("a delta may have appeared in %s: its references come back", uri_of(bucket, deltaspace))
        await map_bounded(partial(_copy, ctx, bucket), [(copy, key) for key, copy in copies.items()], limit=8)
    else:
        removed(len(copies))
    await _drop(ctx, bucket, copies.values())
    return not needed


async def listings_are_current(ctx: Context, bucket: str, deltaspace: str) -> bool:
    """Whether listings show what was done until now: they show a mark that is left for it.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        deltaspace: The deltaspace.

    Returns:
        Whether they did within a few seconds.

    Raises:
        StoreError: The store failed.
    """
    mark = temporary_key(deltaspace, uuid.uuid4().hex)
    await ctx.store.put(bucket, mark, b"", sha256=hashlib.sha256().hexdigest(), metadata={})
    try:
        for seconds in _PATIENCE:
            if [page async for page in ctx.store.list_objects(bucket, mark)]:
                return True
            await anyio.sleep(seconds)
    finally:
        with anyio.move_on_after(CLEANUP_SECONDS, shield=True):
            await ctx.store.delete(bucket, mark)
    logger.warning("the listings of %s are late: references that nothing needs stay", ctx.store.identity)
    return False


async def _drop(ctx: Context, bucket: str, copies: Iterable[str]) -> None:
    for copy in copies:
        await ctx.store.delete(bucket, copy)


async def _copy(ctx: Context, bucket: str, pair: tuple[str, str]) -> None:
    await ctx.store.copy(bucket, pair[0], bucket, pair[1])


async def _has_delta(ctx: Context, bucket: str, deltaspace: str) -> bool:
    """Whether anything that may be a delta against the deltaspace's references is left.

    A user's own file called ``x.delta`` counts too: it costs the space of a reference, where a mistake the other way
    would cost data.
    """
    pending = [deltaspace]
    while pending:
        prefix = pending.pop()
        async for entry in _directory(ctx, bucket, prefix):
            if isinstance(entry, ListedObject):
                if entry.key.endswith(DELTA_SUFFIX) and without_delta(entry.key):
                    return True
            # Asked of the very rule that put the deltas there: a directory it is not sure of must not be passed over.
            elif not is_reserved(entry.key) and deltaspace_of(entry.key) == deltaspace:
                pending.append(entry.key)
    return False


async def _directory(ctx: Context, bucket: str, prefix: str) -> AsyncIterator[ListedObject | ListedPrefix]:
    async for page in ctx.store.list_objects(bucket, prefix, delimiter="/"):
        for entry in page:
            yield entry
