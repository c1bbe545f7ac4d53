"""From a file and its reference to a delta that is proven to give the file back: the twin of ``decode``."""

from __future__ import annotations

import logging
import time
from pathlib import Path

from deltaglider.codec.base import Encoded
from deltaglider.engine.context import Context
from deltaglider.errors import ChecksumMismatchError, CodecError, CodecFailedError, IntegrityError, LocalFileError
from deltaglider.events import CodecRan
from deltaglider.files import Digests, sha256_of
from deltaglider.late import dataclass

logger = logging.getLogger("deltaglider.engine")


@dataclass(frozen=True, slots=True)
class _Job:
    ctx: Context
    uri: str
    digests: Digests
    reference: Path
    source: Path
    delta: Path
    limit: int


async def encode(
    ctx: Context, uri: str, digests: Digests, reference: Path, source: Path, delta: Path, *, limit: int
) -> Encoded | None:
    """Makes a delta and proves it. If it does not give the file back, a plain one is made.

    Args:
        ctx: The client's parts.
        uri: The object's URI, for messages.
        digests: What the file was when it was read.
        reference: What the delta is made against.
        source: The file.
        delta: Where to write; made or overwritten, its content undefined unless a delta is returned.
        limit: Bytes that the delta may have.

    Returns:
        How it was made; ``None`` if it would be larger than the limit.

    Raises:
        CodecError: The codec failed, or no delta gives the file back.
        LocalFileError: The file changed meanwhile.
    """
    job = _Job(ctx, uri, digests, reference, source, delta, limit)
    try:
        return await _proven(job)
    except (CodecError, IntegrityError, OSError) as error:
        await _check_unchanged(job)
        if isinstance(error, IntegrityError):
            raise CodecFailedError(f"the delta does not give the file back: {error.message}", uri=uri) from error
        raise


async def _proven(job: _Job) -> Encoded | None:
    for plainly in (False, True):
        encoded = await _made(job, plainly=plainly)
        if encoded is None or await _comes_back(job, encoded, last=plainly):
            return encoded
        if not encoded.codec:
            break  # It was plain already.
    raise ChecksumMismatchError("other bytes come back")


async def _made(job: _Job, *, plainly: bool) -> Encoded | None:
    started = time.monotonic()
    encode = job.ctx.codecs.encode
    encoded = await encode(job.reference, job.source, job.delta, limit=job.limit, plainly=plainly)
    size = job.delta.stat().st_size if encoded is not None else 0
    seconds = time.monotonic() - started
    job.ctx.observer(CodecRan("encode", seconds, job.reference.stat().st_size, job.digests.size, size))
    if encoded is None:
        logger.info("%s is stored whole: its delta would be over %d bytes", job.uri, job.limit)
    return encoded


async def _comes_back(job: _Job, encoded: Encoded, *, last: bool) -> bool:
    """Decodes the delta and compares: what is stored is known to come back.

    Of a plain one no failure is expected; of another, that may need more room or time, it only says that it is no good.
    """
    prove = job.ctx.codecs.prove
    try:
        return await prove(job.reference, job.delta, encoded, size=job.digests.size) == job.digests.sha256
    except (CodecError, IntegrityError, LocalFileError) as error:
        if last or not encoded.codec:
            raise
        logger.warning("the %s delta of %s is of no use: %s", encoded.codec, job.uri, error.message)
        return False


async def _check_unchanged(job: _Job) -> None:
    """Explains a failure by what it most likely is: the file changed under the codec."""
    if await job.ctx.thread(sha256_of, job.source) != job.digests.sha256:
        raise LocalFileError(
            "it changed while it was uploaded, so nothing was stored", uri=str(job.source), remedy="Upload it again"
        )
