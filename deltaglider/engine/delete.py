"""One object deleted, in both its forms; references that nothing needs any more follow."""

from __future__ import annotations

import logging
from http import HTTPStatus

from deltaglider.engine.context import Context, uri_of
from deltaglider.engine.listing import info_of
from deltaglider.engine.locate import Form, forms_of, head_or_none
from deltaglider.engine.retire import Retirement, retire_quietly
from deltaglider.errors import NotSupportedError, PreconditionFailedError, ReservedKeyError
from deltaglider.layout.deltaspace import deltaspace_of
from deltaglider.layout.keys import classic_reference_key, delta_key, is_reserved, without_delta
from deltaglider.models import DeleteSummary, ObjectInfo
from deltaglider.store.deletions import Deleted

logger = logging.getLogger("deltaglider.engine")


async def delete(
    ctx: Context, bucket: str, key: str, *, retirement: Retirement | None = None, seen: ObjectInfo | None = None
) -> DeleteSummary:
    """Deletes an object. Deleting what is absent is success, as in S3.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        key: The object's key.
        retirement: Takes note of the deltaspaces touched, for the caller to finish at the end of bulk work. ``None``:
            the references of this one are looked after at once.
        seen: What was there when it was decided that it may go; anything else stays.

    Returns:
        What was removed.

    Raises:
        ReservedKeyError: The key is DeltaGlider's own, a reference for example, and deleting it would lose data.
        PreconditionFailedError: It is not what was seen.
        StoreError: The store refused or failed.
    """
    uri = uri_of(bucket, key)
    if is_reserved(key):
        raise ReservedKeyError(
            "what is stored there is DeltaGlider's own, and other objects may need it",
            uri=uri,
            remedy="Delete the objects; what they needed goes with the last of them",
        )
    forms = await forms_of(ctx, bucket, key)
    if forms.occupied is not None and forms.occupied.is_reference:
        raise ReservedKeyError(
            "it is a reference that other objects are stored against, and deleting it would lose them",
            uri=uri,
            remedy="Delete the objects; the reference goes with the last of them",
        )
    if seen is not None and forms.newest is not None and not _is_still(seen, forms.newest):
        raise PreconditionFailedError("it was replaced meanwhile", uri=uri, remedy="Try again", status=412)
    present = [form for form in (forms.whole, forms.delta) if form is not None]
    # The older one first: whoever dies in between leaves the newer one, not an old version come back.
    gone = Deleted()
    for form in sorted(present, key=lambda form: form.generation):
        gone = await ctx.store.delete(bucket, form.stored.key)
    for form in present:
        await _note(ctx, bucket, form, retirement)
    logger.debug("deleted %s", uri)
    was_delta = forms.delta is not None
    return DeleteSummary(bucket, key, bool(present), was_delta, gone.version_id, gone.marker)


async def delete_version(
    ctx: Context, bucket: str, key: str, version: str, *, retirement: Retirement | None = None
) -> DeleteSummary:
    """Deletes one version of an object for good, or a delete marker; what is not there is success.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        key: The object's key.
        version: The version.
        retirement: As for ``delete``.

    Returns:
        What was removed.

    Raises:
        ReservedKeyError: The key is DeltaGlider's own.
        StoreError: The store refused or failed.
    """
    if is_reserved(key):
        raise ReservedKeyError("what is stored there is DeltaGlider's own", uri=uri_of(bucket, key))
    for stored_key in (key, delta_key(key)):
        try:
            form = await head_or_none(ctx, bucket, stored_key, version)
        except NotSupportedError as error:
            if error.status != HTTPStatus.METHOD_NOT_ALLOWED:
                raise
            form = None  # A delete marker: it is neither form, and goes like one.
        else:
            if form is None or form.is_reference or form.is_delta != (stored_key != key):
                continue
        gone = await ctx.store.delete(bucket, stored_key, version_id=version)
        if form is not None:
            await _note(ctx, bucket, form, retirement)
        return DeleteSummary(bucket, key, True, stored_key != key, gone.version_id, gone.marker)
    return DeleteSummary(bucket, key, deleted=False, was_delta=False)


def _is_still(seen: ObjectInfo, now: Form) -> bool:
    info = info_of(seen.bucket, seen.key, now)
    # A listing tells fractions of a second where an answer about one object has none.
    apart = abs((info.last_modified - seen.last_modified).total_seconds())
    return (info.stored_key, info.etag) == (seen.stored_key, seen.etag) and apart <= 1


async def _note(ctx: Context, bucket: str, form: Form, retirement: Retirement | None) -> None:
    key = form.stored.key
    if form.is_delta:
        needed = form.reference_key
    elif without_delta(key):
        # A file of the user's own, but references waited for it: by its name it could have been a delta.
        needed = classic_reference_key(deltaspace_of(key, ctx.settings.deltaspace))
    else:
        return
    if retirement is not None:
        retirement.note(bucket, needed)
        return
    await retire_quietly(ctx, bucket, needed)
