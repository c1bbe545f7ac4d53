"""A URL of an object that needs no credentials, and gives the original bytes however the object is stored."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from deltaglider.engine.context import Context, uri_of
from deltaglider.engine.locate import Form, head_or_none, locate, not_found
from deltaglider.engine.rehydrate import rehydrate
from deltaglider.errors import BucketNotFoundError, InvalidInputError, NotFoundError, PreconditionFailedError
from deltaglider.layout.keys import is_reserved
from deltaglider.models import PresignedUrl

_ATTEMPTS = 5


async def presign(
    ctx: Context, bucket: str, key: str, *, expires: int = 3600, parameters: Mapping[str, str] | None = None
) -> PresignedUrl:
    """Makes a URL. For an object stored as a delta, its file is put into the bucket for as long as the URL is valid.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        key: The object's key. If nothing is there the URL is one of that key all the same, as with ``aws s3 presign``.
        expires: Seconds it is valid, 1 to 604800.
        parameters: Headers of the answer that are to differ, by boto3's names (``ResponseContentType``, ...).

    Returns:
        The URL.

    Raises:
        InvalidInputError: There is no key, or a URL cannot be valid for so long.
        NotFoundError: What lies there is DeltaGlider's own.
        NotSupportedError: The store has no URLs.
        PreconditionFailedError: The object kept changing.
        StoreError: The store did not tell how the object is stored.
    """
    if not key:
        raise InvalidInputError("the URL names a bucket, not an object", uri=uri_of(bucket, key), remedy="Add the key")
    if is_reserved(key):
        raise not_found(bucket, key)

    async def signed(stored_key: str) -> PresignedUrl:
        ends = datetime.now(UTC) + timedelta(seconds=expires)
        url = await ctx.store.presign(bucket, stored_key, expires=expires, parameters=parameters)
        return PresignedUrl(bucket, key, url, ends, stored_key)

    # Now, as what cannot be signed shall not be fetched first.
    plain = await signed(key)
    margin = 0
    for _ in range(_ATTEMPTS):
        began = time.monotonic()
        form = await _form(ctx, bucket, key)
        if form is None or not form.is_delta:
            return plain
        stay = await rehydrate(ctx, key, form, expires + margin)
        if stay is None:
            continue
        made = await signed(stay.stored_key)
        # Fetching and storing the file takes time, of which the URL shall lose nothing.
        if stay.until >= datetime.now(UTC) + timedelta(seconds=expires):
            return made
        margin = math.ceil(2 * (time.monotonic() - began))
    raise PreconditionFailedError(
        "it changes as fast as it is read",
        uri=uri_of(bucket, key),
        remedy="Try again when nobody writes it",
        status=412,
    )


async def _form(ctx: Context, bucket: str, key: str) -> Form | None:
    """How the object is stored; ``None`` if there is none."""
    try:
        return await locate(ctx, bucket, key)
    except BucketNotFoundError:
        return None
    except NotFoundError:
        if await head_or_none(ctx, bucket, key) is not None:
            raise  # A reference, or the delta of another key.
        return None
