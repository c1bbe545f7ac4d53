"""The original file of a stored form: fetched, decoded, and proven."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from deltaglider.engine import reference
from deltaglider.engine.context import Context, uri_of
from deltaglider.engine.decode import compare, decode
from deltaglider.engine.locate import Form, form_of, forms_of, locate, naming
from deltaglider.errors import (
    BucketNotFoundError,
    NotFoundError,
    PreconditionFailedError,
    ReferenceMissingError,
    UnknownFormatError,
)
from deltaglider.files import Digests, Hashing, digests_of
from deltaglider.late import dataclass
from deltaglider.layout.metadata import encryption_of

logger = logging.getLogger("deltaglider.engine")

_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Original:
    """An original file that was written and proven.

    Attributes:
        form: The stored form it came from.
        digests: Of its bytes; without MD5 where a SHA-256 was there to compare with.
        fetched: Bytes fetched for it, those of its reference included where that was not cached.
        verified: Whether a recorded hash was there to compare with.
    """

    form: Form
    digests: Digests
    fetched: int
    verified: bool


async def materialise(
    ctx: Context, bucket: str, key: str, path: Path, *, stored_key: str | None = None, version: str | None = None
) -> Original:
    """Writes the original bytes of an object to a file and proves them.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        key: The object's key.
        path: An existing file to fill; its content is undefined when this raises.
        stored_key: Where a listing just saw it; saves the requests that find out.
        version: The version wanted; ``None`` for the current one.

    Returns:
        What was written.

    Raises:
        NotFoundError: There is no such object.
        IntegrityError: Its bytes are not the recorded ones, or cannot be had.
        PreconditionFailedError: It kept changing.
    """
    if version is not None:
        return await _version(ctx, bucket, key, path, version)
    form: Form | None = None
    for _ in range(_ATTEMPTS):
        if stored_key is None:
            form = await locate(ctx, bucket, key)
            stored_key = form.stored.key
        try:
            return await _attempt(ctx, bucket, key, path, stored_key, form.stored.etag if form else None)
        except BucketNotFoundError:
            raise
        except (PreconditionFailedError, NotFoundError, _OtherFormError):
            stored_key = None  # It was overwritten or deleted between two requests: look again.
        except ReferenceMissingError:
            # The delta may have been deleted, and its reference with it, since it was read.
            now = await locate(ctx, bucket, key)
            if form is not None and form.identity == now.identity:
                # Or its writer died before confirming it. Then it was never acknowledged, and what it was to replace
                # is still there.
                now = await _older(ctx, bucket, key) or now
                if form.identity == now.identity:
                    raise
                logger.warning("%s has no reference: an older file is under %s", form.stored.key, uri_of(bucket, key))
            form, stored_key = now, now.stored.key
    raise PreconditionFailedError(
        "it changes as fast as it is read",
        uri=uri_of(bucket, key),
        remedy="Try again when nobody writes it",
        status=412,
    )


async def _version(ctx: Context, bucket: str, key: str, path: Path, version: str) -> Original:
    """One version, in the very form it was stored in: it does not change."""
    form = await locate(ctx, bucket, key, version)
    try:
        return await _attempt(ctx, bucket, key, path, form.stored.key, form.stored.etag, version)
    except ReferenceMissingError as error:
        raise ReferenceMissingError(
            f"this version was stored as a delta, and its reference {form.reference_key} went when no object needed it",
            uri=uri_of(bucket, key),
            remedy="Bring back an earlier version of the reference, as the bucket may have kept it, and try again",
        ) from error


async def _older(ctx: Context, bucket: str, key: str) -> Form | None:
    return (await forms_of(ctx, bucket, key)).whole


class _OtherFormError(Exception):
    """What lies under the stored key is not a form of the object any more."""


async def _attempt(
    ctx: Context, bucket: str, key: str, path: Path, stored_key: str, etag: str | None, version: str | None = None
) -> Original:
    named: dict[str, Any] = naming(version)
    if stored_key == key:
        hashing = Hashing()
        stored = await ctx.store.fetch(bucket, key, path, if_match=etag, moved=ctx.received, hashing=hashing, **named)
        form = form_of(stored, version)
        if form.is_reference or form.is_delta:
            raise _OtherFormError
        check_format(ctx, bucket, key, form)
        description = form.description
        if description is None:
            # Nothing to compare with but, perhaps, an ETag.
            digests = await ctx.thread(digests_of, path)
        elif hashing.position == stored.size:
            digests = hashing.finish(path, stored.size)
        else:
            digests = await ctx.thread(hashing.finish, path, stored.size)
        if description is not None:
            compare(bucket, key, description, digests)
        return Original(form, digests, stored.size, verified=description is not None)
    with ctx.spool.file() as delta:
        stored = await ctx.store.fetch(bucket, stored_key, delta, if_match=etag, moved=ctx.received, **named)
        form = form_of(stored, version)
        if form.description is None or not form.is_delta:
            raise _OtherFormError
        check_format(ctx, bucket, key, form)
        async with reference.read(ctx, bucket, key, form.description) as (source, more):
            digests = await decode(ctx, bucket, key, form.description, source, delta, path)
    return Original(form, digests, stored.size + more, verified=True)


def check_format(ctx: Context, bucket: str, key: str, form: Form) -> None:
    """Refuses what this version cannot read.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        key: The object's key.
        form: Its stored form.

    Raises:
        UnknownFormatError: It is encrypted by the proxy, or of a codec that is not known here.
    """
    encryption = encryption_of(form.stored.metadata, form.description)
    if encryption:
        raise UnknownFormatError(
            f"deltaglider_proxy encrypted it ({encryption}) with a key of its own",
            uri=uri_of(bucket, key),
            remedy="Fetch it through the proxy",
        )
    if form.description is not None:
        ctx.codecs.check(form.description.codec, uri=uri_of(bucket, key))
