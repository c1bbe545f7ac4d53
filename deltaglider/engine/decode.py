"""From a delta and its reference to the original file, proven."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from deltaglider.codec.recompress import ON_READ
from deltaglider.engine.context import Context, uri_of
from deltaglider.engine.unpacked import unpacked, unpacking_of
from deltaglider.errors import ChecksumMismatchError, DeltaCorruptError, IntegrityError
from deltaglider.events import CodecRan
from deltaglider.files import Digests, copy_file, digests_of, local_errors
from deltaglider.layout.metadata import Description

logger = logging.getLogger("deltaglider.engine")

_REMEDY = "Restore it from a backup, or upload the file again"

_Attempt = Callable[[Context, str, str, Description, Path, Path, Path], Awaitable[Digests]]


async def decode(
    ctx: Context, bucket: str, key: str, description: Description, source: Path, delta: Path, path: Path
) -> Digests:
    """Makes the original file of a delta and proves it.

    If that fails, and an earlier tool made the delta, it is tried as its encoder may need it: a first file is its own
    reference; the compressor that the delta names may pack what was unpacked in the same way; or a known way of packing
    may.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        key: The object's key.
        description: Of the delta.
        source: The reference, with the bytes the delta was made against.
        delta: The delta.
        path: Where to write; made or overwritten, its content undefined when this raises.

    Returns:
        What was written.

    Raises:
        IntegrityError: It does not decode, or not to the recorded bytes.
        CodecError: The codec failed.
    """
    attempts: list[_Attempt] = [_plainly]
    if description.recompressed:
        itself = description.sha256 == description.reference_sha256
        attempts += [_itself] if itself else [_as_recorded, _by_search]
    problem: IntegrityError | None = None
    for attempt in attempts:
        started = time.monotonic()
        try:
            digests = await attempt(ctx, bucket, key, description, source, delta, path)
            compare(bucket, key, description, digests)
        except _PackingLostError as error:
            raise error.problem from problem  # It says more than what failed before.
        except IntegrityError as error:
            problem = problem or error
            continue
        seconds = time.monotonic() - started
        ctx.observer(CodecRan("decode", seconds, source.stat().st_size, digests.size, delta.stat().st_size))
        return digests
    assert problem is not None
    if isinstance(problem, DeltaCorruptError):
        raise DeltaCorruptError(problem.message, uri=uri_of(bucket, key), remedy=_REMEDY) from problem
    raise problem


def compare(bucket: str, key: str, description: Description, digests: Digests) -> None:
    """Compares bytes with the recorded hash.

    Args:
        bucket: The bucket.
        key: The object's key.
        description: What is recorded.
        digests: Of the bytes.

    Raises:
        ChecksumMismatchError: They are others.
    """
    if digests.sha256 != description.sha256:
        raise ChecksumMismatchError(
            f"its bytes have SHA-256 {digests.sha256}, not the recorded {description.sha256}",
            uri=uri_of(bucket, key),
            remedy=_REMEDY,
        )


class _PackingLostError(Exception):
    """What the file held is there, but not how it was packed.

    Args:
        problem: What to tell.
    """

    def __init__(self, problem: IntegrityError) -> None:
        super().__init__()
        self.problem = problem


async def _plainly(
    ctx: Context, bucket: str, key: str, description: Description, source: Path, delta: Path, path: Path
) -> Digests:
    await ctx.codec.decode(source, delta, path, size=description.size or 0)
    return await ctx.thread(digests_of, path)


async def _itself(
    ctx: Context, bucket: str, key: str, description: Description, source: Path, delta: Path, path: Path
) -> Digests:
    with local_errors(str(path.parent), "cannot be written"):
        await ctx.thread(copy_file, source, path)
    return await ctx.thread(digests_of, path)


async def _as_recorded(
    ctx: Context, bucket: str, key: str, description: Description, source: Path, delta: Path, path: Path
) -> Digests:
    await ctx.codec.decode(source, delta, path, size=description.size or 0, recompress=True)
    return await ctx.thread(digests_of, path)


async def _by_search(
    ctx: Context, bucket: str, key: str, description: Description, source: Path, delta: Path, path: Path
) -> Digests:
    with unpacked(ctx) as content:
        digests = await content.decode(source, delta, description.size or 0)
        if digests.sha256 == description.sha256:  # Only the reference was packed.
            with local_errors(str(path.parent), "cannot be written"):
                await ctx.thread(copy_file, content.payload, path)
            return digests
        packing = await unpacking_of(ctx, delta, description.name)
        if packing is None:
            return digests
        found = await content.pack(description, packing, path, effort=ON_READ)
    uri = uri_of(bucket, key)
    if found is None:
        raise _PackingLostError(
            ChecksumMismatchError(
                f"an earlier tool kept what this file held, but not how it was packed ({packing}), and no way tried "
                f"gives the recorded SHA-256 {description.sha256}",
                uri=uri,
                remedy=f"Run 'deltaglider rescue {uri}', which looks longer, and hands out the unpacked content",
            )
        )
    digests, recipe = found
    logger.info("%s was packed again as it was: %s", uri, recipe)
    return digests
