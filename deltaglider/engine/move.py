"""One file or object to another place: the source goes once the target is proven to be there, and no sooner."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deltaglider.engine.context import Context, uri_of
from deltaglider.engine.copy import copy
from deltaglider.engine.delete import delete
from deltaglider.engine.download import download
from deltaglider.engine.inspect import head
from deltaglider.engine.options import UploadOptions
from deltaglider.engine.retire import Retirement
from deltaglider.engine.upload import upload
from deltaglider.errors import DeltaGliderError, InvalidInputError, LocalFileError, SourceRemainsError
from deltaglider.files import local_errors, settle
from deltaglider.models import DownloadSummary, ObjectInfo, UploadSummary


async def move_up(
    ctx: Context, source: Path, bucket: str, key: str, *, options: UploadOptions | None = None
) -> UploadSummary:
    """Stores a file, and then removes it here.

    Args:
        ctx: The client's parts.
        source: The file. Of a symbolic link, the link goes, not what it leads to.
        bucket: The bucket.
        key: The object's key.
        options: How.

    Returns:
        What was stored.

    Raises:
        LocalFileError: The file cannot be read.
        StoreError: The store refused or failed.
        SourceRemainsError: It is stored, and the file is still here: it changed meanwhile, or cannot be removed.
    """
    before = await ctx.thread(_look, source)
    summary = await upload(ctx, source, bucket, key, options=options)
    with _source_remains(str(source), summary.url):
        await _confirm(ctx, summary)
        await ctx.thread(_remove, source, before)
    return summary


async def move_down(
    ctx: Context,
    bucket: str,
    key: str,
    target: Path,
    *,
    info: ObjectInfo | None = None,
    keep_mtime: bool = False,
    preserve: bool = False,
    retirement: Retirement | None = None,
) -> DownloadSummary:
    """Writes an object to a file, and then deletes the object.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        key: The object's key.
        target: The file. Its directory is made if need be.
        info: From a listing; saves the requests that find the stored form.
        keep_mtime: Give the file the object's time.
        preserve: As for ``download``.
        retirement: Takes note of the deltaspaces touched, as for ``delete``.

    Returns:
        What was brought.

    Raises:
        NotFoundError: There is no such object.
        IntegrityError: Its bytes are not the recorded ones.
        LocalFileError: The target cannot be written.
        SourceRemainsError: The file is written, and the object is still there: it was replaced meanwhile, or cannot be
            deleted.
    """
    seen = info or await head(ctx, bucket, key)
    summary = await download(ctx, bucket, key, target, info=seen, keep_mtime=keep_mtime, preserve=preserve)
    with _source_remains(uri_of(bucket, key), str(target)):
        await ctx.thread(settle, target)
        await delete(ctx, bucket, key, retirement=retirement, seen=seen)
    return summary


async def move_across(
    ctx: Context,
    bucket: str,
    key: str,
    to_bucket: str,
    to_key: str,
    *,
    options: UploadOptions | None = None,
    info: ObjectInfo | None = None,
    retirement: Retirement | None = None,
) -> UploadSummary:
    """Copies an object, and then deletes it where it was.

    Args:
        ctx: The client's parts.
        bucket: The source's bucket.
        key: The source's key.
        to_bucket: The target's bucket.
        to_key: The target's key.
        options: How.
        info: From a listing; saves the requests that find the stored form.
        retirement: Takes note of the deltaspaces touched, as for ``delete``.

    Returns:
        What was stored.

    Raises:
        InvalidInputError: Source and target are the same.
        NotFoundError: The source is not there.
        SourceRemainsError: It is copied, and the source is still there: it was replaced meanwhile, or cannot be
            deleted.
    """
    if (bucket, key) == (to_bucket, to_key):
        raise InvalidInputError(
            "source and target are the same object", uri=uri_of(bucket, key), remedy="Give another target"
        )
    seen = info or await head(ctx, bucket, key)
    summary = await copy(ctx, bucket, key, to_bucket, to_key, options=options)
    with _source_remains(uri_of(bucket, key), summary.url):
        await _confirm(ctx, summary)
        await delete(ctx, bucket, key, retirement=retirement, seen=seen)
    return summary


@contextmanager
def _source_remains(source: str, target: str) -> Iterator[None]:
    try:
        yield
    except DeltaGliderError as error:
        raise SourceRemainsError(
            f"{target} is complete, but the source remains: {error}",
            uri=source,
            remedy="Compare them, and remove the source yourself",
        ) from error


async def _confirm(ctx: Context, summary: UploadSummary) -> None:
    """Asks the store once more for what it has just taken."""
    found = await head(ctx, summary.bucket, summary.key)
    same = found.sha256 == summary.sha256 if found.sha256 and summary.sha256 else found.size == summary.original_size
    if not same:
        raise SourceRemainsError("another file was stored there meanwhile", uri=summary.url)


def _look(path: Path) -> os.stat_result:
    with local_errors(str(path), "cannot be read"):
        return path.stat()


def _remove(path: Path, before: os.stat_result) -> None:
    # Where a link leads nowhere, what it led to was moved, too, a moment ago: nothing is lost with the link.
    if path.exists() or not path.is_symlink():
        now = _look(path)
        if (now.st_ino, now.st_size, now.st_mtime_ns) != (before.st_ino, before.st_size, before.st_mtime_ns):
            raise LocalFileError("it changed while it was moved", uri=str(path), remedy="Move it again")
    with local_errors(str(path), "it cannot be removed"):
        path.unlink()
