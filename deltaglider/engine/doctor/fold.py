"""References that no delta names are removed, though others of their deltaspace are needed: with the care of retiring.

Copy to the trash, delete, look again; whatever a delta names by then comes back. An uploader that chose the reference
meanwhile looks for it after storing, and puts it back: whoever comes last sees the other.
"""

from __future__ import annotations

import logging
import uuid

from deltaglider.engine.doctor.book import Held
from deltaglider.engine.doctor.case import Case
from deltaglider.engine.doctor.standing import standing_of
from deltaglider.engine.locate import Form, head_or_none
from deltaglider.engine.retire import listings_are_current
from deltaglider.errors import NotFoundError, PreconditionFailedError
from deltaglider.layout.keys import is_reserved, trash_key, without_delta
from deltaglider.tasks import map_bounded

logger = logging.getLogger("deltaglider.engine")


async def fold(case: Case, deltaspace: str, spares: list[Held]) -> set[str]:
    """Removes references that no delta names.

    Args:
        case: The examination.
        deltaspace: Their deltaspace.
        spares: Which.

    Returns:
        The keys of those that are gone.

    Raises:
        StoreError: The store failed; nothing is lost.
    """
    store, bucket, unique = case.ctx.store, case.bucket, uuid.uuid4().hex
    copies: dict[str, str] = {}
    for spare in spares:
        copy = trash_key(deltaspace, spare.promised, unique)
        case.ctx.flights.forget(bucket, deltaspace)
        try:
            await store.copy(bucket, spare.key, bucket, copy, if_match=spare.etag)
        except (NotFoundError, PreconditionFailedError):
            continue  # Another deleter is at work, or somebody stored something else.
        try:
            await store.delete(bucket, spare.key, if_match=spare.etag)
        except PreconditionFailedError:
            await store.delete(bucket, copy)
            continue
        copies[spare.key] = copy
        case.book.forget(spare.key)
    needed: set[str] = set()
    if copies:
        gone = [spare for spare in spares if spare.key in copies]
        # A listing that may be older than the deletes proves nothing.
        current = await listings_are_current(case.ctx, bucket, deltaspace)
        needed = await _needed(case, deltaspace, gone) if current else set(copies)
    for key in needed:
        logger.info("a delta may have appeared that needs %s: it comes back", case.uri(key))
        await store.copy(bucket, copies[key], bucket, key)
        case.named.add(key)
    for copy in copies.values():
        await store.delete(bucket, copy)
    return copies.keys() - needed


async def _needed(case: Case, deltaspace: str, spares: list[Held]) -> set[str]:
    """Which of them a delta of the deltaspace names, or needs for want of another."""
    needed: set[str] = set()

    async def look(key: str) -> Form | None:
        return await head_or_none(case.ctx, case.bucket, key)

    async for page in case.ctx.store.list_objects(case.bucket, deltaspace):
        keys = [entry.key for entry in page if without_delta(entry.key) and not is_reserved(entry.key)]
        for form in await map_bounded(look, keys, limit=case.ctx.settings.max_concurrent_requests):
            if form is None or form.description is None or not form.is_delta:
                continue
            sha256 = form.description.reference_sha256
            for spare in spares:
                if form.reference_key == spare.key or (
                    sha256 == spare.promised and not (await standing_of(case, form)).good
                ):
                    needed.add(spare.key)
    return needed
