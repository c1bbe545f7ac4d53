"""One object down to one file: whole, proven, or not at all."""

from __future__ import annotations

import logging
import os
import shutil
import stat
from pathlib import Path

from deltaglider.engine.beside import beside, is_swept, sweep
from deltaglider.engine.context import Context, uri_of
from deltaglider.engine.materialise import Original, materialise
from deltaglider.engine.preserve import give_time
from deltaglider.files import local_errors
from deltaglider.models import DownloadSummary, ObjectInfo

logger = logging.getLogger("deltaglider.engine")


async def download(
    ctx: Context,
    bucket: str,
    key: str,
    target: Path,
    *,
    info: ObjectInfo | None = None,
    keep_mtime: bool = False,
    preserve: bool = False,
    version: str | None = None,
) -> DownloadSummary:
    """Writes the original bytes of an object to a file.

    They go to a new file in the target's directory, are proven there, and take the target's name last. A target that
    is a symbolic
    link is replaced, not followed; one that is a device or pipe is written to.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        key: The object's key.
        target: The file. Its directory is made if need be.
        info: From a listing; saves the requests that find the stored form.
        keep_mtime: Give the file the object's time.
        preserve: Give the file the time and mode that were kept of the one that was stored; where they are not known,
            the object's time.
        version: The version wanted; ``None`` for the current one.

    Returns:
        What was brought.

    Raises:
        NotFoundError: There is no such object.
        IntegrityError: Its bytes are not the recorded ones.
        LocalFileError: The target cannot be written.
    """
    stored_key = info.stored_key if info is not None and info.stored_key else None
    if _is_special(target):
        with ctx.spool.file() as temporary:
            original = await materialise(ctx, bucket, key, temporary, stored_key=stored_key, version=version)
            await ctx.thread(_pour, temporary, target)
    else:
        directory = os.path.abspath(target.parent)  # noqa: PTH100 - Links in it are not to be resolved.
        if not is_swept(directory):
            await ctx.thread(sweep, directory)
        with beside(target) as temporary:
            original = await materialise(ctx, bucket, key, temporary, stored_key=stored_key, version=version)
            if keep_mtime or preserve:
                give_time(temporary, original.form, recorded=preserve)
            with local_errors(str(target), "cannot be written"):
                temporary.replace(target)
    logger.debug("downloaded %s to %s", uri_of(bucket, key), target)
    return summary_of(bucket, key, str(target), original)


def summary_of(bucket: str, key: str, path: str | None, original: Original) -> DownloadSummary:
    """What a download tells its caller.

    Args:
        bucket: The bucket.
        key: The object's key.
        path: The file written, if it was one.
        original: What was written.

    Returns:
        The summary.
    """
    return DownloadSummary(
        bucket=bucket,
        key=key,
        path=path,
        size=original.digests.size,
        fetched=original.fetched,
        sha256=original.digests.sha256,
        verified=original.verified,
    )


def _is_special(target: Path) -> bool:
    try:
        mode = target.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _pour(source: Path, target: Path) -> None:
    with local_errors(str(target), "cannot be written"), source.open("rb") as file, target.open("wb") as out:
        shutil.copyfileobj(file, out, 1 << 20)
