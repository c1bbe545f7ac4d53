"""Whether an object may take its place: what its key may be, and what is stored there already."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from deltaglider.engine.context import Context, uri_of
from deltaglider.engine.listing import info_of
from deltaglider.engine.locate import Form, Forms, forms_of, not_found
from deltaglider.engine.options import UploadOptions
from deltaglider.errors import (
    AlreadyExistsError,
    InvalidInputError,
    NotSupportedError,
    PreconditionFailedError,
    ReservedKeyError,
)
from deltaglider.layout.keys import is_plain_name, is_reserved
from deltaglider.store.base import PutResult, StoredObject


def check_key(bucket: str, key: str) -> None:
    """Refuses keys no user's object can have.

    Args:
        bucket: The bucket.
        key: The object's key.

    Raises:
        InvalidInputError: It is empty.
        ReservedKeyError: It lies in a ``.deltaglider/`` directory.
    """
    if not key:
        raise InvalidInputError("the key is empty", uri=uri_of(bucket, key), remedy="Name the object")
    if is_reserved(key):
        raise ReservedKeyError(
            "keys in a '.deltaglider/' directory are DeltaGlider's own",
            uri=uri_of(bucket, key),
            remedy="Use another name",
        )


async def vacant(
    ctx: Context, bucket: str, key: str, *, no_overwrite: bool = False, if_match: str | None = None
) -> Forms:
    """What is there, once it is sure that nothing would be overwritten by it that must not be.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        key: The object's key.
        no_overwrite: Whether an object in its place is such a thing, too.
        if_match: The ETag, without quotes, that an object in its place must have; ``*`` is any.

    Returns:
        What is there.

    Raises:
        ReservedKeyError: Something of ours is.
        AlreadyExistsError: An object is, in either form.
        NotFoundError: None is, and one must be.
        PreconditionFailedError: It has another ETag.
    """
    forms = await forms_of(ctx, bucket, key)
    if forms.occupied is not None:
        what = "the reference of that directory" if forms.occupied.is_reference else "the delta of another object"
        raise ReservedKeyError(
            f"{what} is stored under this key, and overwriting it would lose data",
            uri=uri_of(bucket, key),
            remedy="Use another name",
        )
    if no_overwrite and forms.newest is not None:
        raise _already_there(bucket, key)
    if if_match is not None:
        if forms.newest is None:
            raise not_found(bucket, key)
        if if_match not in ("*", info_of(bucket, key, forms.newest).etag):
            raise PreconditionFailedError(
                "the object has another ETag", uri=uri_of(bucket, key), status=412, s3_code="PreconditionFailed"
            )
    return forms


def is_free_as_listed(ctx: Context, key: str, options: UploadOptions) -> bool:
    """Whether a whole object may be stored without a look, if a listing of the same work shows nothing under its key.

    This is *listed* in the table of docs/architecture.md.

    Args:
        ctx: The client's parts; where listings are not to be trusted, this one is not either.
        key: The object's key: not one that may be that of something of ours, which listings of objects leave out.
        options: How it is to be stored: any condition is for the look.

    Returns:
        Whether.
    """
    unconditional = not options.no_overwrite and options.if_match is None
    return unconditional and ctx.settings.retire_references and is_plain_name(key)


async def put(
    ctx: Context,
    bucket: str,
    key: str,
    stored_key: str,
    source: Path | bytes,
    *,
    no_overwrite: bool,
    over: Form | None = None,
    **keywords: Any,
) -> PutResult:
    """``ObjectStore.put`` of a form of an object; not over one that came since it was looked.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        key: The object's key.
        stored_key: The stored key.
        source: The file to store, or its bytes.
        no_overwrite: Whether nothing may be overwritten.
        over: What is to be overwritten, and nothing else; ``None`` for anything.
        **keywords: As for the store.

    Returns:
        What the store calls the result.

    Raises:
        AlreadyExistsError: The stored key is taken.
        PreconditionFailedError: It holds something else.
        StoreError: The store refused or failed.
    """
    if no_overwrite:
        # A store that knows no such condition has been looked at, and offers no more.
        with contextlib.suppress(NotSupportedError):
            try:
                return await ctx.store.put(bucket, stored_key, source, **keywords, if_none_match=True)
            except PreconditionFailedError as error:
                raise _already_there(bucket, key) from error
    elif over is not None and over.stored.key == stored_key:
        with contextlib.suppress(NotSupportedError):
            return await ctx.store.put(bucket, stored_key, source, **keywords, if_match=over.stored.etag)
    return await ctx.store.put(bucket, stored_key, source, **keywords)


async def copy(
    ctx: Context, source: StoredObject, bucket: str, stored_key: str, *, no_overwrite: bool, **keywords: Any
) -> PutResult:
    """``ObjectStore.copy`` of a form as it was seen; not over one that came since it was looked.

    Args:
        ctx: The client's parts.
        source: The form.
        bucket: The target's bucket.
        stored_key: The target's stored key.
        no_overwrite: Whether nothing may be overwritten.
        **keywords: As for the store.

    Returns:
        What the store calls the result.

    Raises:
        PreconditionFailedError: The source was replaced, or the target came to be.
        StoreError: The store refused or failed.
    """
    places = (source.bucket, source.key, bucket, stored_key)
    if no_overwrite:
        with contextlib.suppress(NotSupportedError):
            return await ctx.store.copy(*places, **keywords, if_match=source.etag, if_none_match=True)
    return await ctx.store.copy(*places, **keywords, if_match=source.etag)


def _already_there(bucket: str, key: str) -> AlreadyExistsError:
    return AlreadyExistsError(
        "an object is there already, and was not to be overwritten",
        uri=uri_of(bucket, key),
        remedy="Use another name, or allow it to be overwritten",
        status=412,
        s3_code="PreconditionFailed",
    )
