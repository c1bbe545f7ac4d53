"""Both forms of one key: the older one goes, once the newer one is proven.

The rule is that of reading: the newer ``dg-created-at`` wins. Only the very form that was seen is removed, under
If-Match where the store knows that, so that a third version which comes meanwhile stays.
"""

from __future__ import annotations

import logging

from deltaglider.engine.doctor.case import Case
from deltaglider.engine.doctor.standing import standing_of
from deltaglider.engine.locate import Form, forms_of, head_or_none
from deltaglider.engine.materialise import materialise
from deltaglider.errors import (
    BucketNotFoundError,
    CodecTimeoutError,
    IntegrityError,
    NotFoundError,
    PreconditionFailedError,
)
from deltaglider.models import Finding

logger = logging.getLogger("deltaglider.engine")

TWO_FORMS = "two_forms"


async def look_at_forms(case: Case, key: str) -> tuple[Finding | None, Form | None]:
    """Looks whether an object is stored both whole and as a delta.

    Args:
        case: The examination.
        key: The object's key.

    Returns:
        What was found, and the form that was removed.

    Raises:
        StoreError: The store failed.
    """
    async with case.ctx.flights.writing(case.bucket, key):
        forms = await forms_of(case.ctx, case.bucket, key)
        if forms.whole is None or forms.delta is None:
            return None, None
        newer = forms.newest
        assert newer is not None
        older = forms.whole if newer is forms.delta else forms.delta
        what = (
            f"it is stored twice, whole and as a delta; {case.uri(newer.stored.key)} is the newer "
            f"({newer.created:%Y-%m-%d %H:%M:%S}) and counts, but the predecessor reads the whole one"
        )
        if not case.repair:
            return case.note(TWO_FORMS, key, what, "--repair removes the older form"), None
        if not await _is_proven(case, key, newer):
            remedy = "The newer form could not be proven, so both were left: upload the file again"
            return case.note(TWO_FORMS, key, what, remedy), None
        if not await _remove(case, older, newer):
            return case.note(TWO_FORMS, key, what, "It was written meanwhile: look again"), None
        return case.note(TWO_FORMS, key, what, "The older form was removed", repaired=True), older


async def _is_proven(case: Case, key: str, form: Form) -> bool:
    """Whether a form gives bytes that have the recorded SHA-256; where none is recorded, the MD5 of the store."""
    if form.is_delta:
        standing = await standing_of(case, form)
        if not (standing.good or standing.readable):
            return False
    with case.ctx.spool.file() as path:
        try:
            original = await materialise(case.ctx, case.bucket, key, path, stored_key=form.stored.key)
        except BucketNotFoundError:
            raise
        except (IntegrityError, CodecTimeoutError, NotFoundError, PreconditionFailedError):
            return False
    is_same = original.form.identity == form.identity
    return is_same and (original.verified or original.digests.md5 == form.stored.etag)


async def _remove(case: Case, older: Form, newer: Form) -> bool:
    for form in (newer, older):
        now = await head_or_none(case.ctx, case.bucket, form.stored.key)
        if now is None or now.identity != form.identity:
            return False
    try:
        await case.ctx.store.delete(case.bucket, older.stored.key, if_match=older.stored.etag)
    except PreconditionFailedError:
        return False
    logger.info("removed %s, which %s had replaced", case.uri(older.stored.key), case.uri(newer.stored.key))
    return True
