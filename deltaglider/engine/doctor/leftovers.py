"""What work that was broken off has left: temporary objects, copies in the trash, unfinished uploads, files."""

from __future__ import annotations

from collections.abc import AsyncIterator

from deltaglider.engine.doctor.case import Case
from deltaglider.engine.doctor.reach import reach_out
from deltaglider.engine.locate import head_or_none
from deltaglider.layout.rehydrated import is_over, recorded_end
from deltaglider.models import Finding
from deltaglider.store.base import ListedObject
from deltaglider.store.besides import Upkeep

TEMPORARY = "temporary_object"
TRASH = "trash"
UPLOAD = "unfinished_upload"
LOCAL = "local_leftover"

_LEFT_ALONE = "It may belong to work that goes on, and is left alone: see --older-than"


async def look_at_temporary(case: Case, entry: ListedObject) -> list[Finding]:
    """An object that was made to be fetched once, and is removed when its time is over.

    Args:
        case: The examination.
        entry: What is stored.

    Returns:
        What was found.

    Raises:
        StoreError: The store failed.
    """
    form = await head_or_none(case.ctx, case.bucket, entry.key)
    if form is None:
        return []
    end = recorded_end(form.stored.metadata)
    now = form.stored.answered or case.began
    over = is_over(end, entry.last_modified, now=now, older_than=case.survey.older_than)
    what = "a temporary object, made for a presigned URL or left by a deleter"
    if end is not None:
        what = (
            f"a file made for a presigned URL, which {'ended' if over else 'stays until'} {end:%Y-%m-%d %H:%M:%S} UTC"
        )
    if not over:
        return [case.note(TEMPORARY, entry.key, what, "A URL may lead to it" if end else _LEFT_ALONE)]
    if not case.repair:
        return [case.note(TEMPORARY, entry.key, what, "--repair removes it")]
    await case.ctx.store.delete(case.bucket, entry.key)
    return [case.note(TEMPORARY, entry.key, what, "It was removed", repaired=True)]


async def settle(case: Case) -> AsyncIterator[Finding]:
    """Removes what is left, once nothing can need it any more.

    Args:
        case: The examination, after all deltas and references.

    Yields:
        What was found.

    Raises:
        StoreError: The store failed.
    """
    for key, (sha256, made) in case.trash.items():
        yield await _trashed(case, key, sha256, young=case.is_young(made))
    async for upload in case.ctx.store.unfinished_uploads(case.bucket, case.prefix):
        what = f"an upload in parts, begun {upload.initiated:%Y-%m-%d %H:%M:%S} and neither completed nor aborted"
        if case.is_young(upload.initiated):
            yield case.note(UPLOAD, upload.key, what, _LEFT_ALONE)
        elif not case.repair:
            yield case.note(UPLOAD, upload.key, what, "--repair aborts it")
        else:
            await case.ctx.store.abort_upload(case.bucket, upload.key, upload.upload_id)
            yield case.note(UPLOAD, upload.key, what, "It was aborted", repaired=True)
    store = case.ctx.store
    if isinstance(store, Upkeep):
        orphans = await store.orphans(case.survey.older_than, remove=case.repair)
        if orphans:
            what = f"{orphans} files in {store.identity} that no object names, left by writers that died"
            remedy = "They were removed" if case.repair else "--repair removes them"
            yield Finding(LOCAL, store.identity, "note", what, remedy, case.repair)


async def _trashed(case: Case, key: str, sha256: str, *, young: bool) -> Finding:
    what = "a copy of a reference, left by a deleter that did not finish"
    if young:
        return case.note(TRASH, key, what, _LEFT_ALONE)
    if sha256 in case.astray:
        return case.note(TRASH, key, what, "A delta needs its bytes: it was left")
    if not case.repair:
        return case.note(TRASH, key, what, "--repair removes it")
    await reach_out(case)
    held = any(not one.damaged for one in case.book.with_bytes(sha256))
    uncertain = bool(case.strays) or case.blind or not case.deep
    if sha256 in case.astray or (uncertain and not held):
        return case.note(TRASH, key, what, "Something may need its bytes: it was left")
    await case.ctx.store.delete(case.bucket, key)
    return case.note(TRASH, key, what, "It was removed", repaired=True)
