"""Deleting: one key, or thousands in as few requests as the store allows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

from deltaglider.errors import BucketNotFoundError, DeltaGliderError, NotFoundError, NotSupportedError
from deltaglider.store.deletions import Deleted, DeleteFailure
from deltaglider.store.s3.answers import quoted, version_parameter
from deltaglider.store.s3.conditions import unless_refused
from deltaglider.store.s3.errors import from_entry
from deltaglider.store.s3.session import S3Session
from deltaglider.tasks import map_bounded

BATCH = 1000
"""Keys that one DeleteObjects takes."""

_UNFIT_FOR_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


async def delete(
    session: S3Session, bucket: str, key: str, if_match: str | None = None, version_id: str | None = None
) -> Deleted:
    """See ``ObjectStore.delete``."""
    send = partial(session.request, "delete_object", bucket, key, **version_parameter(version_id))
    try:
        answer = await unless_refused(session, send, **({"IfMatch": quoted(if_match)} if if_match else {}))
    except BucketNotFoundError:
        raise
    except NotFoundError:
        return Deleted()  # S3 calls it a success; some stores do not.
    return Deleted(answer.get("VersionId"), bool(answer.get("DeleteMarker")))


async def delete_many(session: S3Session, bucket: str, keys: Sequence[str]) -> list[DeleteFailure]:
    """See ``ObjectStore.delete_many``."""
    failures: list[DeleteFailure] = []

    async def delete_one(key: str) -> None:
        try:
            await delete(session, bucket, key)
        except BucketNotFoundError:
            raise
        except DeltaGliderError as error:
            failures.append(DeleteFailure(key, error))

    async def delete_batch(batch: Sequence[str]) -> None:
        try:
            failures.extend(await _delete_batch(session, bucket, batch))
        except NotSupportedError:
            await map_bounded(delete_one, batch, limit=1)

    fit = [key for key in keys if not _UNFIT_FOR_XML.search(key)]
    batches = [fit[start : start + BATCH] for start in range(0, len(fit), BATCH)]
    limit = session.settings.max_concurrent_requests
    await map_bounded(delete_batch, batches, limit=limit)
    await map_bounded(delete_one, [key for key in keys if _UNFIT_FOR_XML.search(key)], limit=limit)
    return failures


async def _delete_batch(session: S3Session, bucket: str, keys: Sequence[str]) -> list[DeleteFailure]:
    wanted = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
    answer = await session.request("delete_objects", bucket, Delete=wanted)
    return [
        DeleteFailure(entry.get("Key", ""), from_entry(entry, f"s3://{bucket}/{entry.get('Key', '')}"))
        for entry in answer.get("Errors", [])
        if entry.get("Code") != "NoSuchKey"
    ]
