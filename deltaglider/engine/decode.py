"""From a delta and its reference to the original file, proven."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from deltaglider.engine.context import Context, uri_of
from deltaglider.errors import ChecksumMismatchError, DeltaCorruptError, IntegrityError
from deltaglider.events import CodecRan
from deltaglider.files import Digests, copy_file, digests_of, local_errors
from deltaglider.late import dataclass
from deltaglider.layout.metadata import Description

logger = logging.getLogger("deltaglider.engine")

_REMEDY = "Restore it from a backup, or upload the file again"


@dataclass(frozen=True, slots=True)
class _Job:
    ctx: Context
    uri: str
    description: Description
    source: Path
    delta: Path
    path: Path
    thorough: bool

    @property
    def size(self) -> int:
        return self.description.size or 0


_Attempt = Callable[[_Job], Awaitable[Digests]]


async def decode(
    ctx: Context,
    bucket: str,
    key: str,
    description: Description,
    source: Path,
    delta: Path,
    path: Path,
    *,
    thorough: bool = False,
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
        thorough: Look longer, and try a way of an earlier tool's on our own deltas too.

    Returns:
        What was written.

    Raises:
        IntegrityError: It does not decode, or not to the recorded bytes.
        CodecError: The codec failed.
    """
    ctx.codecs.check(description.codec, uri=uri_of(bucket, key))
    job = _Job(ctx, uri_of(bucket, key), description, source, delta, path, thorough)
    attempts: list[_Attempt] = [_plainly]
    itself = description.sha256 == description.reference_sha256
    if itself and (description.recompressed or thorough):
        attempts.append(_itself)
    elif description.recompressed:
        attempts += [_as_recorded, _by_search]
    problem: IntegrityError | None = None
    for attempt in attempts:
        started = time.monotonic()
        try:
            digests = await attempt(job)
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


async def _plainly(job: _Job) -> Digests:
    description = job.description
    decode = job.ctx.codecs.decode
    sha256 = await decode(job.source, job.delta, job.path, size=job.size, codec=description.codec)
    if sha256 == description.sha256 and description.md5:
        return Digests(job.path.stat().st_size, sha256, description.md5)  # The same bytes have the same MD5.
    return await job.ctx.thread(digests_of, job.path)


async def _itself(job: _Job) -> Digests:
    return await _copy(job, job.source)


async def _as_recorded(job: _Job) -> Digests:
    await job.ctx.codecs.decode(job.source, job.delta, job.path, size=job.size, recompress=True)
    return await job.ctx.thread(digests_of, job.path)


async def _by_search(job: _Job) -> Digests:
    ctx, description = job.ctx, job.description
    # Imported here: no delta of this version's needs it.
    from deltaglider.codec.recompress import ON_READ, ON_RESCUE
    from deltaglider.engine.unpacked import unpacked, unpacking_of

    with unpacked(ctx) as content:
        digests = await content.decode(job.source, job.delta, job.size)
        if digests.sha256 == description.sha256:  # Only the reference was packed.
            return await _copy(job, content.payload)
        packing = await unpacking_of(ctx, job.delta, description.name)
        if packing is None:
            return digests
        found = await content.pack(description, packing, job.path, effort=ON_RESCUE if job.thorough else ON_READ)
    if found is None:
        raise _PackingLostError(
            ChecksumMismatchError(
                f"an earlier tool kept what this file held, but not how it was packed ({packing}), and no way tried "
                f"gives the recorded SHA-256 {description.sha256}",
                uri=job.uri,
                remedy=f"Run 'deltaglider rescue {job.uri}', which looks longer, and hands out the unpacked content",
            )
        )
    digests, recipe = found
    logger.info("%s was packed again as it was: %s", job.uri, recipe)
    return digests


async def _copy(job: _Job, source: Path) -> Digests:
    with local_errors(str(job.path.parent), "cannot be written"):
        await job.ctx.thread(copy_file, source, job.path)
    return await job.ctx.thread(digests_of, job.path)
