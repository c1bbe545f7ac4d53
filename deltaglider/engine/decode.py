"""From a delta and its reference to the original file, proven."""

from __future__ import annotations

import time
from pathlib import Path

from deltaglider.engine.context import Context, uri_of
from deltaglider.errors import ChecksumMismatchError, DeltaCorruptError, IntegrityError
from deltaglider.events import CodecRan
from deltaglider.files import Digests, digests_of
from deltaglider.layout.metadata import Description


async def decode(
    ctx: Context, bucket: str, key: str, description: Description, source: Path, delta: Path, path: Path
) -> Digests:
    """Makes the original file of a delta and proves it.

    If that fails, it is tried as an earlier tool's encoder may need it: with the packing undone and done again.

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
    size = description.size or 0
    problem: IntegrityError | None = None
    for recompress in (False, True) if description.recompressed else (False,):
        started = time.monotonic()
        try:
            await ctx.codec.decode(source, delta, path, size=size, recompress=recompress)
            digests = await ctx.thread(digests_of, path)
            compare(bucket, key, description, digests)
        except IntegrityError as error:
            problem = problem or error
            continue
        seconds = time.monotonic() - started
        ctx.observer(CodecRan("decode", seconds, source.stat().st_size, digests.size, delta.stat().st_size))
        return digests
    assert problem is not None
    if isinstance(problem, DeltaCorruptError):
        raise DeltaCorruptError(
            problem.message, uri=uri_of(bucket, key), remedy="Restore it from a backup, or upload the file again"
        ) from problem
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
            remedy="Restore it from a backup, or upload the file again",
        )
