"""An upload of the very bytes that are stored: their delta is fetched and proven, which costs less than making one."""

from __future__ import annotations

import logging
from pathlib import Path

from deltaglider.codec.base import Encoded
from deltaglider.engine.context import TOOL, Context, uri_of
from deltaglider.engine.locate import Form
from deltaglider.errors import CodecError, IntegrityError, StoreError
from deltaglider.files import Digests

logger = logging.getLogger("deltaglider.engine")


async def reuse(
    ctx: Context, form: Form | None, digests: Digests, reference_sha256: str, source: Path, delta: Path, limit: int
) -> Encoded | None:
    """Fills a file with the delta that is stored, if that gives the bytes of this upload.

    It is decoded before it is believed: who uploads a file again may do so because what is stored is damaged.

    Args:
        ctx: The client's parts.
        form: What is stored as a delta under the key; ``None`` for nothing.
        digests: Of the file.
        reference_sha256: Of the reference that a new delta would be made against.
        source: Its bytes.
        delta: An existing file to fill; its content is undefined where this gives ``None``.
        limit: Bytes that the delta may have.

    Returns:
        What to record of it; ``None`` if it is to be made.
    """
    if form is None or form.description is None or form.stored.size > limit:
        return None
    stored, description = form.stored, form.description
    same = (description.sha256, description.reference_sha256) == (digests.sha256, reference_sha256)
    # Another version, or another setting, may make a smaller one.
    if not same or description.tool != TOOL or not ctx.codecs.still_writes(description.codec):
        return None
    try:
        await ctx.store.fetch(stored.bucket, stored.key, delta, if_match=stored.etag, moved=ctx.received)
        sha256 = await ctx.codecs.decode(source, delta, None, size=digests.size, codec=description.codec)
    except (StoreError, IntegrityError, CodecError) as error:
        logger.info("%s is made anew: %s", uri_of(stored.bucket, stored.key), error)
        return None
    return Encoded(description.codec, description.command) if sha256 == digests.sha256 else None
