"""One object from one key to another, inside the store where that is possible."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

from deltaglider.engine import reference, vacancy
from deltaglider.engine.context import TOOL, Context, uri_of
from deltaglider.engine.listing import info_of
from deltaglider.engine.locate import Form, Forms, locate
from deltaglider.engine.materialise import materialise
from deltaglider.engine.options import UploadOptions
from deltaglider.engine.retire import discard
from deltaglider.engine.supersede import supersede
from deltaglider.engine.upload import upload
from deltaglider.engine.vacancy import check_key, vacant
from deltaglider.errors import (
    BucketNotFoundError,
    InvalidInputError,
    MetadataTooLargeError,
    NotFoundError,
    PreconditionFailedError,
    ReferenceMissingError,
)
from deltaglider.late import dataclass
from deltaglider.layout.deltaspace import deltaspace_of
from deltaglider.layout.keys import delta_key, name_of, reference_key
from deltaglider.layout.metadata import check_user_metadata, user_metadata
from deltaglider.layout.policy import is_delta_worthy
from deltaglider.models import UploadSummary
from deltaglider.store.base import PutResult
from deltaglider.tasks import together

logger = logging.getLogger("deltaglider.engine")

_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class _Job:
    form: Form
    forms: Forms  # Of the target.
    bucket: str
    key: str
    metadata: Mapping[str, str]
    headers: Mapping[str, str]
    protection: Mapping[str, str]  # Write parameters for a reference that goes along.
    created: datetime
    no_overwrite: bool

    @property
    def uri(self) -> str:
        return uri_of(self.bucket, self.key)

    async def copy(self, ctx: Context, stored_key: str, metadata: Mapping[str, str]) -> PutResult:
        """Copies the stored form inside the store."""
        return await vacancy.copy(
            ctx,
            self.form.stored,
            self.bucket,
            stored_key,
            no_overwrite=self.no_overwrite,
            metadata=metadata,
            headers=self.headers,
        )


async def copy(
    ctx: Context,
    bucket: str,
    key: str,
    to_bucket: str,
    to_key: str,
    *,
    options: UploadOptions | None = None,
    version: str | None = None,
    check: Callable[[Form], None] = lambda form: None,
) -> UploadSummary:
    """Copies an object, metadata and headers included.

    A delta is copied inside the store, its reference with it where the target's deltaspace has none. Where that
    deltaspace has a
    reference of its own, and where a plain file becomes worth a delta, the file is fetched and uploaded again.

    Args:
        ctx: The client's parts.
        bucket: The source's bucket.
        key: The source's key.
        to_bucket: The target's bucket.
        to_key: The target's key.
        options: How; see there for what becomes of the source's metadata, headers and tags.
        version: Which version of the source; ``None`` for the current one. An earlier one is fetched.
        check: Called with the form that is about to be copied; raises if it must not be.

    Returns:
        What was stored.

    Raises:
        InvalidInputError: Source and target are the same, and nothing about the object is to change.
        NotFoundError: The source is not there.
        PreconditionFailedError: The source kept changing.
        InvalidInputError: Source and target are the same, or the target's key is empty.
        ReservedKeyError: The target's key is DeltaGlider's own.
        AlreadyExistsError: There is an object under the target's key, and it was not to be overwritten.
    """
    options = options or UploadOptions()
    check_key(to_bucket, to_key)
    if (bucket, key, version) == (to_bucket, to_key, None) and not options.changes_a_copy:
        raise InvalidInputError(
            "source and target are the same object",
            uri=uri_of(bucket, key),
            remedy="Give another target, or new metadata",
        )
    for _ in range(_ATTEMPTS):
        async with ctx.flights.writing(to_bucket, to_key):
            look = partial(vacant, ctx, to_bucket, to_key, no_overwrite=options.no_overwrite, if_match=options.if_match)
            form, forms = await together(partial(locate, ctx, bucket, key, version), look)
            check(form)
            job = _job(form, forms, to_bucket, to_key, options)
            try:
                summary = None if version else await _copy_inside(ctx, job, options)
            except BucketNotFoundError:
                raise
            except (NotFoundError, PreconditionFailedError):
                continue  # The source was overwritten or deleted between two requests: look again.
            except ReferenceMissingError:
                # The delta may have been deleted, and its reference with it, since it was looked at.
                if (await locate(ctx, bucket, key)).identity == form.identity:
                    raise
                continue
        if summary is None:
            return await _copy_through(ctx, bucket, key, job, options, check)
        ctx.stored(summary)
        return summary
    raise PreconditionFailedError(
        "it changes as fast as it is copied",
        uri=uri_of(bucket, key),
        remedy="Try again when nobody writes it",
        status=412,
    )


async def _copy_inside(ctx: Context, job: _Job, options: UploadOptions) -> UploadSummary | None:
    """Copies without fetching the file; ``None`` where that will not do."""
    if job.form.is_delta:
        return await _copy_delta(ctx, job)
    return None if _may_become_delta(ctx, job, options) else await _copy_whole(ctx, job)


def _job(form: Form, forms: Forms, bucket: str, key: str, options: UploadOptions) -> _Job:
    created = datetime.now(UTC)
    if forms.newest is not None:
        created = max(created, forms.newest.created + timedelta(microseconds=1))
    return _Job(
        form,
        forms,
        bucket,
        key,
        metadata=options.metadata_for_copy(user_metadata(form.stored.metadata, form.description)),
        headers={**options.headers_for_copy(form.headers), **options.tagging_for_copy()},
        protection=options.headers_for_reference(),
        created=created,
        no_overwrite=options.no_overwrite,
    )


def _may_become_delta(ctx: Context, job: _Job, options: UploadOptions) -> bool:
    return job.forms.foreign is None and is_delta_worthy(job.key, job.form.stored.size, options.policy(ctx.settings))


async def _copy_whole(ctx: Context, job: _Job) -> UploadSummary:
    stored, description = job.form.stored, job.form.description
    if description is None:
        # Of another tool: its hash is not known, and inventing one would be worse.
        metadata = check_user_metadata(job.metadata, uri=job.uri)
    else:
        described = dataclasses.replace(
            description, kind="whole", tool=TOOL, name=name_of(job.key), created=job.created
        )
        metadata = described.write(job.metadata, uri=job.uri)

    async def store() -> PutResult:
        return await job.copy(ctx, job.key, metadata)

    result = await store()
    await supersede(ctx, job.bucket, mine=job.key, other=job.forms.delta, store=store)
    return UploadSummary(
        operation="upload_direct",
        bucket=job.bucket,
        key=job.key,
        original_size=stored.size,
        stored_size=stored.size,
        is_delta=False,
        sha256=description.sha256 if description else "",
        etag=result.etag,
        version_id=result.version_id,
    )


async def _copy_delta(ctx: Context, job: _Job) -> UploadSummary | None:
    """Copies the delta itself; ``None`` where the file has to be encoded again."""
    stored, description = job.form.stored, job.form.description
    assert description is not None
    # A delta of an earlier tool may not decode everywhere; fetching it proves it.
    if description.recompressed or job.forms.foreign is not None:
        return None
    target = reference_key(deltaspace_of(job.key, ctx.settings.deltaspace), description.reference_sha256)
    described = dataclasses.replace(
        description, tool=TOOL, name=name_of(job.key), created=job.created, reference_key=target
    )
    try:
        metadata = described.write(job.metadata, uri=job.uri)
    except MetadataTooLargeError:
        return None
    async with reference.read(ctx, stored.bucket, _source_key(stored.key), description) as (path, _):
        there = reference.Reference(job.bucket, target, description.reference_sha256, path.stat().st_size)
        chosen = reference.Chosen(there, path, created=False, headers=job.protection)
        carried = await _carry_reference(ctx, job, chosen)
        if carried is None:
            return None
        try:
            version = await _copy_against(ctx, job, chosen, metadata)
        except BaseException:
            if carried:
                await discard(ctx, job.bucket, target)
            raise
    info = info_of(job.bucket, job.key, job.form)
    return UploadSummary(
        operation="create_delta",
        bucket=job.bucket,
        key=job.key,
        original_size=info.size,
        stored_size=stored.size,
        is_delta=True,
        delta_ratio=stored.size / info.size if info.size else 0.0,
        sha256=description.sha256,
        etag=info.etag,
        version_id=version,
    )


async def _copy_against(ctx: Context, job: _Job, chosen: reference.Chosen, metadata: Mapping[str, str]) -> str | None:
    """Copies a delta whose reference is there, and makes sure that it still is; gives the version it became."""
    mine = delta_key(job.key)

    async def store() -> PutResult:
        result = await job.copy(ctx, mine, metadata)
        await reference.confirm(ctx, chosen)
        return result

    if job.forms.newest is not None:
        # As in an upload: what is there must not give way to a delta that nobody can read.
        await reference.confirm(ctx, chosen)
    result = await store()
    await supersede(ctx, job.bucket, mine=mine, other=job.forms.whole, store=store)
    return result.version_id


async def _carry_reference(ctx: Context, job: _Job, chosen: reference.Chosen) -> bool | None:
    """Brings the reference along, unless the target's deltaspace has it; ``None`` where it has only others."""
    wanted = chosen.reference
    if (job.form.stored.bucket, job.form.reference_key) == (job.bucket, wanted.key):
        return False
    deltaspace = deltaspace_of(job.key, ctx.settings.deltaspace)
    flight = ctx.flights.of(job.bucket, deltaspace)
    # Of several copies at once, the first brings its reference, and the others find it.
    async with flight.lock:
        others = {other.key for other in await reference.list_references(ctx, job.bucket, deltaspace)}
        if others:
            return False if wanted.key in others else None
        try:
            await reference.confirm(ctx, chosen, expected=False)
        except BaseException:
            await discard(ctx, job.bucket, wanted.key)
            raise
        flight.reference = (wanted.key, wanted.sha256, wanted.size)
    return True


def _source_key(stored_key: str) -> str:
    return stored_key.removesuffix(".delta")


async def _copy_through(
    ctx: Context, bucket: str, key: str, job: _Job, options: UploadOptions, check: Callable[[Form], None]
) -> UploadSummary:
    """Fetches the file, proves it, and uploads it under its new key."""
    with ctx.spool.file() as path:
        original = await materialise(ctx, bucket, key, path, version=job.form.version)
        check(original.form)
        fetched = original.form.stored
        tags = options.tags
        if tags is None and options.keep_tags and fetched.tag_count:
            tags = await ctx.store.tags(fetched.bucket, fetched.key)
        carried = dataclasses.replace(
            options,
            metadata=options.metadata_for_copy(user_metadata(fetched.metadata, original.form.description)),
            headers=options.headers_for_copy(original.form.headers),
            tags=tags,
            guess_content_type=False,
        )
        return await upload(ctx, path, job.bucket, job.key, options=carried)
