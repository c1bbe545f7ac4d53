"""What bulk work asks of one object at a time, assembled from the engine."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from deltaglider.bulk.contents import Contents
from deltaglider.bulk.deletes import Plain
from deltaglider.bulk.named import Head
from deltaglider.bulk.remote import Listing
from deltaglider.events import Observer, ignore
from deltaglider.late import dataclass
from deltaglider.layout.deltaspace import deltaspace_of
from deltaglider.layout.policy import is_delta_worthy
from deltaglider.layout.uri import S3Uri
from deltaglider.models import DownloadSummary, ObjectInfo, UploadSummary

if TYPE_CHECKING:
    from deltaglider.config import Settings
    from deltaglider.engine.context import Context
    from deltaglider.engine.options import UploadOptions
    from deltaglider.engine.retire import Retirement
    from deltaglider.engine.shown import Shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Verbs:
    """The means of one piece of bulk work. Make new ones for the next.

    Attributes:
        upload: Stores a file under a key.
        download: Writes an object, known from a listing, to a file, and gives the file the object's time.
        copy: Stores an object, known from a listing, under another key.
        delete: Deletes an object; what it leaves for the end is done by ``retire``.
        retire: Ends what the deletes began: removes references that nothing needs any more.
        head: Asks for one object without its bytes.
        listing: Lists all objects below a place, sorted.
        workers: Objects in flight at once.
        observer: Who listens.
        files: Bounds the threads that work on files.
        temp_dir: Where lists too long for memory are kept; ``None`` for the system's directory.
        contents: Tells of contents, where a sync goes by them.
        plain: Deletes what needs no other look, many at once.
        create: Stores a file under a key where a listing of this work shows nothing; ``None``: as ``upload`` does.
        shown: Lists the beginning of a place.
        deltaspace: Where a file of so many bytes would be a delta under a key, or the reference; ``None``: nowhere.
    """

    upload: Callable[[Path, S3Uri], Awaitable[UploadSummary]]
    download: Callable[[ObjectInfo, Path], Awaitable[DownloadSummary]]
    copy: Callable[[ObjectInfo, S3Uri], Awaitable[UploadSummary]]
    delete: Callable[[S3Uri], Awaitable[object]]
    retire: Callable[[], Awaitable[None]]
    head: Head
    listing: Listing
    workers: int = 8
    observer: Observer = ignore
    files: anyio.CapacityLimiter = dataclasses.field(default_factory=lambda: anyio.CapacityLimiter(8))
    temp_dir: Path | None = None
    contents: Contents = Contents()
    plain: Plain = Plain()
    create: Callable[[Path, S3Uri], Awaitable[UploadSummary]] | None = None
    shown: Callable[[S3Uri], Awaitable[Shown]] | None = None
    deltaspace: Callable[[S3Uri, int], str | None] = lambda uri, size: None


def engine_verbs(
    ctx: Context,
    *,
    options: UploadOptions | None = None,
    move: bool = False,
    preserve: bool = False,
    retirement: Retirement | None = None,
) -> Verbs:
    """The engine's verbs, for one piece of bulk work.

    Args:
        ctx: The client's parts.
        options: How files are stored.
        move: Transfers remove their sources.
        preserve: Keep times and modes of files with their objects, and give them back.
        retirement: Takes note of what deletes leave for the end; ``None`` makes one.

    Returns:
        The means.
    """
    from deltaglider.engine.contents import digests_of_files, with_hashes
    from deltaglider.engine.copy import copy
    from deltaglider.engine.delete import delete
    from deltaglider.engine.download import download
    from deltaglider.engine.inspect import head
    from deltaglider.engine.move import move_across, move_down, move_up
    from deltaglider.engine.plain import PlainObjects
    from deltaglider.engine.preserve import with_attributes
    from deltaglider.engine.retire import Retirement
    from deltaglider.engine.shown import first_page
    from deltaglider.engine.upload import upload

    waiting, plain = retirement or Retirement(), PlainObjects(ctx)

    async def up(path: Path, uri: S3Uri, *, listed: bool = False) -> UploadSummary:
        how = await ctx.thread(with_attributes, options, path) if preserve else options
        if move:
            return await move_up(ctx, path, uri.bucket, uri.key, options=how)
        return await upload(ctx, path, uri.bucket, uri.key, options=how, listed=listed)

    async def down(info: ObjectInfo, path: Path) -> DownloadSummary:
        if not move:
            return await download(ctx, info.bucket, info.key, path, info=info, keep_mtime=True, preserve=preserve)
        return await move_down(
            ctx, info.bucket, info.key, path, info=info, keep_mtime=True, preserve=preserve, retirement=waiting
        )

    async def across(info: ObjectInfo, uri: S3Uri) -> UploadSummary:
        if not move:
            return await copy(ctx, info.bucket, info.key, uri.bucket, uri.key, options=options)
        return await move_across(
            ctx, info.bucket, info.key, uri.bucket, uri.key, options=options, info=info, retirement=waiting
        )

    return Verbs(
        upload=up,
        download=down,
        copy=across,
        delete=lambda uri: delete(ctx, uri.bucket, uri.key, retirement=waiting),
        retire=lambda: waiting.finish(ctx),
        head=lambda uri: head(ctx, uri.bucket, uri.key),
        listing=lambda place: plain.list_objects(place.bucket, place.key),
        workers=ctx.settings.max_concurrent_objects,
        observer=ctx.observer,
        files=ctx.files,
        temp_dir=ctx.settings.temp_dir,
        contents=Contents(partial(digests_of_files, ctx), partial(with_hashes, ctx)),
        plain=Plain(plain.has, plain.delete),
        create=partial(up, listed=True),
        shown=lambda place: first_page(ctx, place.bucket, place.key),
        deltaspace=partial(_deltaspace, ctx.settings if options is None else options.policy(ctx.settings)),
    )


def _deltaspace(settings: Settings, uri: S3Uri, size: int) -> str | None:
    """See ``Verbs.deltaspace``."""
    return deltaspace_of(uri.key, settings.deltaspace) if is_delta_worthy(uri.key, size, settings) else None
