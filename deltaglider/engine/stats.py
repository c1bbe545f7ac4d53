"""What a bucket or prefix holds and what that costs; counted once, and known until something there changes.

Exact figures need a look at every delta, a request each. So they are kept in the bucket, with a digest of the stored
listing they were counted from, and hold as long as the listing has that digest: that costs the listing alone.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, cast

from deltaglider.engine.context import Context, uri_of
from deltaglider.engine.listing import list_objects
from deltaglider.engine.tally import Counts, Digest, Tally
from deltaglider.errors import BucketNotFoundError, DeltaGliderError, InvalidInputError
from deltaglider.layout.keys import (
    REFERENCE_NAME,
    is_reserved,
    is_statistics,
    name_of,
    parse_reference_key,
    statistics_key,
)
from deltaglider.models import BucketStats, ObjectInfo, StatsMode
from deltaglider.store.base import ListedObject, ListedPrefix, ObjectStore

logger = logging.getLogger("deltaglider.engine")

_FORMAT = 1
_LONGEST = 64 * 1024  # Bytes; what is longer is not ours.

_AS_GOOD: dict[StatsMode, tuple[StatsMode, ...]] = {
    "quick": ("detailed", "sampled"),
    "sampled": ("detailed", "sampled"),
    "detailed": ("detailed",),
}
"""Which figures that were kept answer which question, the best first."""


async def stats(
    ctx: Context,
    bucket: str,
    prefix: str = "",
    *,
    mode: StatsMode = "detailed",
    use_cache: bool = True,
    refresh: bool = False,
) -> BucketStats:
    """Counts what a bucket or prefix holds and what that costs.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        prefix: Only keys that begin with it; a reference outside is not counted.
        mode: ``detailed`` looks at every delta, ``sampled`` at a few of each deltaspace, ``quick`` at none.
        use_cache: Take figures that were kept if nothing has changed since, and keep new ones.
        refresh: Count anew, and keep that.

    Returns:
        The figures.

    Raises:
        InvalidInputError: There is no such mode.
        StoreError: The store failed.
    """
    if mode not in _AS_GOOD:
        raise InvalidInputError(f"there is no mode {mode!r}", remedy=f"Give one of {', '.join(_AS_GOOD)}")
    kept = await _kept(ctx, bucket, prefix, mode) if use_cache and not refresh else []
    if kept:
        now = await _digest(ctx, bucket, prefix)
        for digest, figures in kept:
            if digest == now:
                return dataclasses.replace(figures, cached=True)
    if mode == "detailed":
        digest, figures = await _look_at_all(ctx, bucket, prefix)
    else:
        digest, figures = await _look_at_few(ctx, bucket, prefix, mode)
    if use_cache and mode != "quick" and figures.delta_objects:  # Else a listing tells the same.
        await _keep(ctx, digest, figures)
    return figures


async def _look_at_all(ctx: Context, bucket: str, prefix: str) -> tuple[str, BucketStats]:
    counts, digest = Counts(), Digest()

    def hidden(entry: ListedObject) -> None:
        if is_statistics(entry.key):
            return
        counts.stored += entry.size
        classic = not is_reserved(entry.key) and name_of(entry.key) == REFERENCE_NAME
        if classic or parse_reference_key(entry.key):
            counts.reference(entry.size)

    # What is digested are the very pages that are counted.
    watched = dataclasses.replace(ctx, store=cast("ObjectStore", _Watched(ctx.store, digest)))
    async with aclosing(list_objects(watched, bucket, prefix, hidden=hidden)) as entries:
        async for info in entries:
            if isinstance(info, ObjectInfo):
                counts.total += info.size
                counts.stored += info.stored_size
                counts.deltas += info.is_delta
                counts.whole += not info.is_delta
    return digest.hex, counts.figures(bucket, prefix, "detailed")


async def _look_at_few(ctx: Context, bucket: str, prefix: str, mode: StatsMode) -> tuple[str, BucketStats]:
    tally = Tally(ctx, bucket, looks=mode == "sampled")
    async for page in ctx.store.list_objects(bucket, prefix):
        await tally.take(page)
    return tally.digest.hex, await tally.figures(prefix, mode)


class _Watched:
    """A store whose listings are digested as they pass."""

    def __init__(self, store: ObjectStore, digest: Digest) -> None:
        self._store = store
        self._digest = digest

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def list_objects(self, *arguments: Any, **options: Any) -> AsyncIterator[list[ListedObject | ListedPrefix]]:
        """The pages of the store."""
        async for page in self._store.list_objects(*arguments, **options):
            self._digest.take(page)
            yield page


async def _digest(ctx: Context, bucket: str, prefix: str) -> str:
    digest = Digest()
    async for page in ctx.store.list_objects(bucket, prefix):
        digest.take(page)
    return digest.hex


async def _kept(ctx: Context, bucket: str, prefix: str, mode: StatsMode) -> list[tuple[str, BucketStats]]:
    """Figures that answer the question, with the digest they hold for. What cannot be read or understood is none."""
    found = []
    for kept in _AS_GOOD[mode]:
        key = statistics_key(prefix, kept)
        try:
            async with ctx.store.open(bucket, key, length=_LONGEST) as body:
                text = b"".join([chunk async for chunk in body])
            found.append(_parse(text, bucket, prefix, kept))
        except BucketNotFoundError:
            raise
        except (DeltaGliderError, ValueError, TypeError, KeyError) as error:
            logger.debug("no figures are taken from %s: %s", uri_of(bucket, key), error)
    return found


async def _keep(ctx: Context, digest: str, figures: BucketStats) -> None:
    """Keeps figures in the bucket. Who may only read there goes without."""
    key = statistics_key(figures.prefix, figures.mode)
    counted = {field.name: getattr(figures, field.name) for field in dataclasses.fields(figures)}
    data = json.dumps({"format": _FORMAT, "listing": digest, "figures": counted}).encode()
    try:
        await ctx.store.put(
            figures.bucket,
            key,
            data,
            sha256=hashlib.sha256(data).hexdigest(),
            metadata={},
            headers={"ContentType": "application/json"},
        )
    except DeltaGliderError as error:
        logger.debug("the figures are not kept at %s: %s", uri_of(figures.bucket, key), error)


def _parse(text: bytes, bucket: str, prefix: str, mode: StatsMode) -> tuple[str, BucketStats]:
    content = json.loads(text)
    if content["format"] != _FORMAT:
        raise ValueError("another format")
    figures = BucketStats(**content["figures"])
    for field in dataclasses.fields(figures):
        kind = {"int": int, "bool": bool}.get(str(field.type), str)
        if type(getattr(figures, field.name)) is not kind:
            raise TypeError(f"{field.name} is no {kind.__name__}")
    if (figures.bucket, figures.prefix, figures.mode) != (bucket, prefix, mode):
        raise ValueError("of another place")
    return str(content["listing"]), figures
