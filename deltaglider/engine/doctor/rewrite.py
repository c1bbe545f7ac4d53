"""New metadata for what stays as it is: under If-Match, so that nothing that was stored meanwhile is overwritten."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode

from deltaglider.engine.doctor.case import Case
from deltaglider.engine.locate import Form, head_or_none
from deltaglider.errors import NotFoundError, NotSupportedError, PreconditionFailedError
from deltaglider.files import sha256_of
from deltaglider.layout.metadata import LIMIT, metadata_size


async def rewrite(case: Case, form: Form, path: Path, metadata: Mapping[str, str]) -> bool:
    """Stores the bytes of an object again, with other metadata.

    Args:
        case: The examination.
        form: What is stored.
        path: Its bytes.
        metadata: The new metadata.

    Returns:
        Whether that was done: not if it was overwritten or deleted meanwhile, or S3 has no room for the metadata.

    Raises:
        StoreError: The store failed.
    """
    if metadata_size(metadata) > LIMIT:
        return False
    stored, store = form.stored, case.ctx.store
    headers = dict(form.headers)
    if stored.storage_class != "STANDARD":
        headers["StorageClass"] = stored.storage_class
    if stored.tag_count:
        headers["Tagging"] = urlencode(await store.tags(stored.bucket, stored.key))
    sha256 = await case.ctx.thread(sha256_of, path)
    # Some stores ignore conditions.
    if not await _is_still(case, form):
        return False
    try:
        await store.put(
            stored.bucket,
            stored.key,
            path,
            sha256=sha256,
            metadata=metadata,
            headers=headers,
            if_match=stored.etag,
            moved=case.ctx.sent,
        )
    except (PreconditionFailedError, NotFoundError):
        return False
    except NotSupportedError:
        if not await _is_still(case, form):
            return False
        await store.copy(
            stored.bucket,
            stored.key,
            stored.bucket,
            stored.key,
            metadata=metadata,
            headers=headers,
            if_match=stored.etag,
        )
    return True


async def _is_still(case: Case, form: Form) -> bool:
    now = await head_or_none(case.ctx, case.bucket, form.stored.key)
    return now is not None and now.identity == form.identity


async def fetch_again(case: Case, form: Form, path: Path) -> bool:
    """The bytes of an object that was looked at.

    Args:
        case: The examination.
        form: What was seen.
        path: A file to fill.

    Returns:
        Whether it is still there, unchanged.

    Raises:
        StoreError: The store failed.
    """
    try:
        await case.ctx.store.fetch(
            case.bucket, form.stored.key, path, if_match=form.stored.etag, moved=case.ctx.received
        )
    except (PreconditionFailedError, NotFoundError):
        return False
    return True
