"""One file up: as a delta where that is worth it, whole where it is not, and readable when this returns."""

from __future__ import annotations

import dataclasses
import errno
import logging
import os
import stat
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Literal

from deltaglider.codec.base import Encoded
from deltaglider.config import KIB
from deltaglider.engine import reference, retire
from deltaglider.engine.again import changed_meanwhile, replace_whole
from deltaglider.engine.context import TOOL, Context, Lead, uri_of
from deltaglider.engine.encode import encode
from deltaglider.engine.locate import Form, Forms, forms_of
from deltaglider.engine.options import UploadOptions
from deltaglider.engine.reuse import reuse
from deltaglider.engine.supersede import remove, supersede
from deltaglider.engine.vacancy import check_key, is_free_as_listed, put, vacant
from deltaglider.errors import LocalFileError, MetadataTooLargeError
from deltaglider.files import Digests, content_of, digests_of, local_errors, sha256_of
from deltaglider.late import dataclass
from deltaglider.layout.deltaspace import deltaspace_of
from deltaglider.layout.keys import delta_key, name_of, reference_key
from deltaglider.layout.metadata import Description
from deltaglider.layout.policy import delta_limit, is_delta_worthy
from deltaglider.models import UploadSummary
from deltaglider.store.base import PutResult
from deltaglider.tasks import together
from deltaglider.threads import in_thread

logger = logging.getLogger("deltaglider.engine")

_LONGEST_SHA256 = "0" * 64
_LEAST = Encoded("", "")  # What is recorded of any codec is more.
_SMALL = 256 * KIB  # A file that is read once and sent from memory, if it is not worth a delta.


@dataclass(frozen=True, slots=True)
class _Job:
    """One upload, its question answered: what goes where, and what is there."""

    bucket: str
    key: str
    source: Path
    digests: Digests
    forms: Forms
    options: UploadOptions
    again: Form | None = None  # The whole form that the file was fetched from, to become a delta.
    content: bytes | None = None  # Of a small file: all of it, so that it need not be read twice.

    @property
    def uri(self) -> str:
        return uri_of(self.bucket, self.key)

    @property
    def over(self) -> Form | None:
        """The only thing that may be overwritten, if there are conditions."""
        return None if self.options.if_match is None else self.forms.newest


async def upload(
    ctx: Context,
    source: Path,
    bucket: str,
    key: str,
    *,
    options: UploadOptions | None = None,
    listed: bool = False,
) -> UploadSummary:
    """Stores a file under a key, replacing what was there.

    Args:
        ctx: The client's parts.
        source: The file; it may change meanwhile, but then this fails and nothing of it is stored.
        bucket: The bucket.
        key: The object's key.
        options: How.
        listed: Whether a listing of the work that this is part of shows nothing under the key: where the file is
            stored whole, that is look enough.

    Returns:
        What was stored.

    Raises:
        LocalFileError: The file cannot be read, or is no file.
        ReservedKeyError: The key is DeltaGlider's own, or taken by a stored form of another object.
        AlreadyExistsError: An object is there, and was not to be overwritten.
        StoreError: The store refused or failed.
    """
    options = options or UploadOptions()
    check_key(bucket, key)
    size = _check_source(source)
    worthy = _is_worthy(ctx, key, size, options)
    async with (
        ctx.flights.writing(bucket, key),
        ctx.flights.lead(bucket, deltaspace_of(key, ctx.settings.deltaspace), at_once=worthy) as lead,
    ):
        look = partial(vacant, ctx, bucket, key, no_overwrite=options.no_overwrite, if_match=options.if_match)
        read = partial(_read, ctx, source, keep=not worthy and size <= _SMALL)
        if listed and not worthy and is_free_as_listed(ctx, key, options):
            content, digests = await read()
            # It may have grown since, and be worth a delta now.
            forms = await look() if _is_worthy(ctx, key, digests.size, options) else Forms()
        else:
            (content, digests), forms = await together(read, look)
        job = _Job(bucket, key, source, digests, forms, options, content=content)
        summary = None
        if _may_be_delta(ctx, job):
            summary = await _store_delta(ctx, job, lead)
        if summary is None:
            lead.release()
            summary = await _store_whole(ctx, job)
    ctx.stored(summary)
    return summary


async def store_again(ctx: Context, source: Path, whole: Form, *, options: UploadOptions) -> UploadSummary | None:
    """Stores an object that lies whole as a delta under the same key, if that is worth it.

    Args:
        ctx: The client's parts.
        source: Its bytes, as fetched and proven.
        whole: The form they were fetched from.
        options: How; with the object's own metadata and headers.

    Returns:
        What was stored; ``None`` if it stays as it is.

    Raises:
        PreconditionFailedError: It was written or deleted meanwhile.
        StoreError: The store refused or failed.
    """
    bucket, key = whole.stored.bucket, whole.stored.key
    async with (
        ctx.flights.writing(bucket, key),
        ctx.flights.lead(bucket, deltaspace_of(key, ctx.settings.deltaspace), at_once=False) as lead,
    ):
        digests, forms = await together(partial(ctx.thread, digests_of, source), partial(forms_of, ctx, bucket, key))
        if forms.newest is None or forms.newest.identity != whole.identity:
            raise changed_meanwhile(bucket, key)
        if forms.delta is not None:  # Of an older version, left by a writer that died.
            await remove(ctx, bucket, forms.delta)
        job = _Job(bucket, key, source, digests, forms, options, again=whole)
        summary = await _store_delta(ctx, job, lead) if _may_be_delta(ctx, job) else None
    if summary is not None:
        ctx.stored(summary)
    return summary


def _check_source(source: Path) -> int:
    """Refuses what is no file; its size in bytes, which may change yet."""
    with local_errors(str(source), "cannot be read"):
        found = source.stat()
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(found.st_mode):
        raise LocalFileError("is not a regular file", uri=str(source), remedy="Give a file, or pass it as a stream")
    return found.st_size


async def _read(ctx: Context, source: Path, *, keep: bool) -> tuple[bytes | None, Digests]:
    """One pass over the file: its hashes, and its bytes if they are to be kept."""
    if keep:
        return await ctx.thread(content_of, source, _SMALL)
    return None, await in_thread(digests_of, source, limiter=ctx.hashing)


def _is_worthy(ctx: Context, key: str, size: int, options: UploadOptions) -> bool:
    return is_delta_worthy(key, size, options.policy(ctx.settings))


def _may_be_delta(ctx: Context, job: _Job) -> bool:
    # A file of the user's own under the delta's key must stay what it is.
    return job.forms.foreign is None and _is_worthy(ctx, job.key, job.digests.size, job.options)


async def _store_delta(ctx: Context, job: _Job, lead: Lead) -> UploadSummary | None:
    """Stores the file as a delta; ``None`` if that turns out not to be worth it."""
    limit = delta_limit(job.digests.size, job.options.max_ratio or ctx.settings.max_ratio)
    try:
        _describe_delta(ctx, job, _LONGEST_SHA256, limit, _LEAST).write(job.options.metadata, uri=job.uri)
    except MetadataTooLargeError:
        _tell_no_room(job)
        return None
    choice = reference.choose(
        ctx,
        job.bucket,
        job.key,
        job.source,
        job.digests,
        lead=lead,
        headers=job.options.headers_for_reference(),
        discard=lambda made: retire.discard(ctx, made.bucket, made.key),
    )
    async with choice as chosen:
        summary = None
        try:
            summary = await _store_delta_against(ctx, job, chosen, limit)
        finally:
            if summary is None and chosen.created:
                await retire.discard(ctx, job.bucket, chosen.reference.key)
    return summary


async def _make_delta(
    ctx: Context, job: _Job, chosen: reference.Chosen, delta: Path, limit: int
) -> Mapping[str, str] | None:
    """Fetches or makes a delta that is proven; its metadata, or ``None`` if it is not worth it."""
    sha256 = chosen.reference.sha256
    encoded = await reuse(ctx, job.forms.delta, job.digests, sha256, chosen.path, delta, limit)
    encoded = encoded or await encode(ctx, job.uri, job.digests, chosen.path, job.source, delta, limit=limit)
    if encoded is None:
        return None
    description = _describe_delta(ctx, job, sha256, delta.stat().st_size, encoded)
    try:
        return description.write(job.options.metadata, uri=job.uri)
    except MetadataTooLargeError:
        _tell_no_room(job)
        return None


async def _store_delta_against(ctx: Context, job: _Job, chosen: reference.Chosen, limit: int) -> UploadSummary | None:
    with ctx.spool.file() as delta:
        metadata = await _make_delta(ctx, job, chosen, delta, limit)
        if metadata is None:
            return None
        size, sha256 = delta.stat().st_size, await ctx.thread(sha256_of, delta)
        version: str | None = None

        async def store(*, if_none_match: bool = False) -> None:
            nonlocal version
            result = await put(
                ctx,
                job.bucket,
                job.key,
                delta_key(job.key),
                delta,
                no_overwrite=job.options.no_overwrite,
                over=job.over,
                sha256=sha256,
                metadata=metadata,
                headers=job.options.headers_for_upload(job.key),
                moved=ctx.sent,
                **({"if_none_match": True} if if_none_match else {}),
            )
            version = result.version_id
            await reference.confirm(ctx, chosen)

        if job.forms.newest is not None:
            # It may have been retired since it was last used. Whoever dies before confirming it must not leave a delta
            # that nobody can read in the place of what was there.
            await reference.confirm(ctx, chosen)
        if job.again is not None:
            await replace_whole(ctx, job.again, store=store)
        else:
            await store()
            await supersede(ctx, job.bucket, mine=delta_key(job.key), other=job.forms.whole, store=store)
    return UploadSummary(
        operation="create_reference" if chosen.created else "create_delta",
        bucket=job.bucket,
        key=job.key,
        original_size=job.digests.size,
        stored_size=size + (chosen.reference.size if chosen.created else 0),
        is_delta=not chosen.created,
        delta_ratio=size / job.digests.size,
        sha256=job.digests.sha256,
        etag=job.digests.md5,
        version_id=version,
    )


def _tell_no_room(job: _Job) -> None:
    logger.info("%s is stored whole: the metadata of a delta would not fit", job.uri)


async def _store_whole(ctx: Context, job: _Job) -> UploadSummary:
    description = _describe(job, "whole")
    metadata = description.write(job.options.metadata, uri=job.uri)

    async def store() -> PutResult:
        return await put(
            ctx,
            job.bucket,
            job.key,
            job.key,
            job.source if job.content is None else job.content,
            no_overwrite=job.options.no_overwrite,
            over=job.over,
            sha256=job.digests.sha256,
            metadata=metadata,
            headers=job.options.headers_for_upload(job.key),
            moved=ctx.sent,
        )

    result = await store()
    await supersede(ctx, job.bucket, mine=job.key, other=job.forms.delta, store=store)
    return UploadSummary(
        operation="upload_direct",
        bucket=job.bucket,
        key=job.key,
        original_size=job.digests.size,
        stored_size=job.digests.size,
        is_delta=False,
        sha256=job.digests.sha256,
        etag=result.etag,
        version_id=result.version_id,
    )


def _describe_delta(ctx: Context, job: _Job, reference_sha256: str, delta_size: int, encoded: Encoded) -> Description:
    deltaspace = deltaspace_of(job.key, ctx.settings.deltaspace)
    return dataclasses.replace(
        _describe(job, "delta"),
        reference_key=reference_key(deltaspace, reference_sha256),
        reference_sha256=reference_sha256,
        delta_size=delta_size,
        command=encoded.command,
        codec=encoded.codec,
    )


def _describe(job: _Job, kind: Literal["delta", "whole"]) -> Description:
    created = datetime.now(UTC)
    if job.again is not None:
        created = job.again.created  # The same object: of two forms of one time the delta counts.
    elif job.forms.newest is not None:
        # Later than what it replaces, whatever the clock of the machine that stored that.
        created = max(created, job.forms.newest.created + timedelta(microseconds=1))
    return Description(
        kind=kind,
        tool=TOOL,
        name=name_of(job.key),
        sha256=job.digests.sha256,
        size=job.digests.size,
        md5=job.digests.md5,
        created=created,
    )
