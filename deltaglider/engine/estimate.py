"""What an upload of one file would store, found out by encoding it or a sample of it. Nothing is stored."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from deltaglider.engine.context import Context
from deltaglider.engine.locate import head_or_none
from deltaglider.engine.reference import Reference, first_that_serves, list_references
from deltaglider.errors import InvalidInputError
from deltaglider.files import local_errors
from deltaglider.layout.deltaspace import deltaspace_of
from deltaglider.layout.keys import classic_reference_key, directory_of
from deltaglider.layout.policy import delta_limit, is_delta_worthy
from deltaglider.models import CompressionEstimate

_PIECES = 16
"""Places of a file that a sample is taken from, evenly spread."""


async def estimate(ctx: Context, source: Path, bucket: str, key: str, *, sample: int) -> CompressionEstimate:
    """Encodes a file, or a sample of it, against the reference that an upload would take.

    Args:
        ctx: The client's parts; its settings decide what is worth a delta.
        source: The file.
        bucket: The bucket it would go to.
        key: The key it would have.
        sample: Bytes of the file that are encoded, at most.

    Returns:
        The estimate.

    Raises:
        InvalidInputError: The sample would be empty.
        LocalFileError: The file cannot be read.
        StoreError: The store refused or failed.
    """
    if sample < 1:
        raise InvalidInputError("a sample of nothing tells nothing", remedy="Give a number of bytes over 0")
    with local_errors(str(source), "cannot be read"):
        size = source.stat().st_size
    if not is_delta_worthy(key, size, ctx.settings):
        return _whole(size, confidence=1.0)
    async with _standing(ctx, bucket, key) as found:
        if found is None:
            return _whole(size, confidence=1.0, worthy=True)
        reference, path = found
        share, stored = await _encoded(ctx, path, source, size, sample)
    confidence = 1.0 if share == 1 else round(0.5 + share / 2, 2)
    limit = delta_limit(size, ctx.settings.max_ratio)
    if stored is None or stored > limit:
        return _whole(size, confidence=confidence, reference=reference)
    return CompressionEstimate(size, stored, 1 - stored / size, confidence, reference.key)


def _whole(
    size: int, *, confidence: float, reference: Reference | None = None, worthy: bool = False
) -> CompressionEstimate:
    key = reference.key if reference is not None else None
    return CompressionEstimate(size, size, 0.0, confidence, key, should_use_delta=worthy)


@asynccontextmanager
async def _standing(ctx: Context, bucket: str, key: str) -> AsyncIterator[tuple[Reference, Path] | None]:
    """The reference that is there already, and its bytes. One of an earlier tool counts, and is left as it is."""
    candidates = await list_references(ctx, bucket, deltaspace_of(key, ctx.settings.deltaspace))
    if not candidates:
        form = await head_or_none(ctx, bucket, classic_reference_key(directory_of(key)))
        if form is not None and form.is_reference and form.description is not None:
            candidates = [Reference(bucket, form.stored.key, form.description.sha256, form.stored.size)]
    async with AsyncExitStack() as stack:
        chosen = await first_that_serves(ctx, candidates, stack)
        yield (chosen.reference, chosen.path) if chosen is not None else None


async def _encoded(ctx: Context, reference: Path, source: Path, size: int, sample: int) -> tuple[float, int | None]:
    """The share of the file that was encoded, and what all of it would likely take; ``None`` if that is too much."""
    with ctx.spool.file() as part, ctx.spool.file() as delta:
        taken = size
        if sample < size:
            taken = await ctx.thread(_take_sample, source, part, size, sample)
        target = part if sample < size else source
        limit = delta_limit(taken, ctx.settings.max_ratio)
        if await ctx.codecs.encode(reference, target, delta, limit=limit) is None:
            return taken / size, None
        return taken / size, round(delta.stat().st_size * (size / taken))


def _take_sample(source: Path, target: Path, size: int, sample: int) -> int:
    """Writes pieces of a file to another; how many bytes they have."""
    length = -(-sample // _PIECES)
    pieces = min(_PIECES, sample)
    taken = 0
    with local_errors(str(source), "cannot be read"), source.open("rb") as read, target.open("wb") as write:
        for number in range(pieces):
            read.seek(number * (size - length) // max(1, pieces - 1))
            taken += write.write(read.read(min(length, sample - taken)))
    return taken
