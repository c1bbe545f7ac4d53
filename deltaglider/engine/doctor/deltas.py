"""One delta: its reference, its metadata, its bytes."""

from __future__ import annotations

from pathlib import Path

from deltaglider.engine import reference
from deltaglider.engine.doctor.case import Case
from deltaglider.engine.doctor.reading import unreadable
from deltaglider.engine.doctor.rewrite import fetch_again, rewrite
from deltaglider.engine.doctor.standing import CHANGED, ELSEWHERE, FOREIGN, MISSING, Standing, standing_of
from deltaglider.engine.locate import Form, head_or_none
from deltaglider.engine.materialise import materialise
from deltaglider.errors import IntegrityError, MetadataTooLargeError
from deltaglider.layout.keys import DELTA_SUFFIX, classic_reference_key, directory_of, name_of
from deltaglider.layout.metadata import recorded_fields, with_fields
from deltaglider.layout.text import format_time
from deltaglider.models import Finding
from deltaglider.store.base import ARCHIVES

PARTIAL = "metadata_partial"
DAMAGED = "delta_damaged"

_RESTORE = "Give --repair --from a file or directory that has its bytes, or restore the reference from a backup"
_REPAIR = "--repair mends it"
_RESCUE = "Try 'deltaglider rescue'; or restore it from a backup, or upload the file again"

# Without these the predecessor, and tools that learned from it, cannot read a delta.
_NEEDED = {"tool": "tool", "original-name": "name", "created-at": "time", "delta-size": "stored size"}


async def look_at_delta(case: Case, form: Form) -> list[Finding]:
    """Looks at a delta, and mends it.

    Args:
        case: The examination.
        form: What is stored.

    Returns:
        What was found.

    Raises:
        StoreError: The store failed.
    """
    assert form.description is not None
    standing = await standing_of(case, form)
    if standing.cause and not await _is_still(case, form):
        return []  # It was deleted or overwritten, and its reference went with it.
    findings = []
    mended = False
    if standing.cause and standing.good and case.repair:
        mended = await _move_in(case, form, standing)
        form = (await head_or_none(case.ctx, case.bucket, form.stored.key) if mended else None) or form
    _remember(case, form, standing, mended=mended)
    told = await _told(case, form, standing, mended=mended)
    findings += [told] if told else []
    if (standing.good or standing.readable) and not await _is_frozen(case, form, standing):
        findings += await _look_inside(case, form)
    return findings


async def _is_frozen(case: Case, form: Form, standing: Standing) -> bool:
    """Whether it, or its reference, is archived: that is told once, of the reference."""
    held = await case.book.look(standing.home if standing.good else standing.recorded)
    return form.stored.storage_class in ARCHIVES or (held is not None and held.frozen)


def _remember(case: Case, form: Form, standing: Standing, *, mended: bool) -> None:
    assert form.description is not None
    if mended or (standing.good and not standing.cause):
        case.named.add(standing.home)
    elif standing.readable:
        case.named.add(standing.recorded)
    else:
        case.named.update([standing.home] if standing.good else [])
        case.astray.add(form.description.reference_sha256)


async def _told(case: Case, form: Form, standing: Standing, *, mended: bool) -> Finding | None:
    assert form.description is not None
    key, sha256 = form.stored.key, form.description.reference_sha256
    recorded = case.uri(standing.recorded) if not standing.recorded.startswith("s3://") else standing.recorded
    put_back = case.mended.get(standing.home)
    if not standing.cause:
        if put_back is None:
            return None
        return case.problem(
            put_back, key, f"its reference {recorded} was lost or damaged", "It was put back", repaired=True
        )
    cause = standing.cause
    if standing.good and put_back is None and cause in (MISSING, CHANGED):
        cause = ELSEWHERE
    what = {
        MISSING: f"its reference {recorded} is gone (SHA-256 {sha256})",
        CHANGED: f"its reference {recorded} has other bytes than it was made against (SHA-256 {sha256})",
        FOREIGN: f"its metadata name {recorded}, which is no reference, as its reference (SHA-256 {sha256})",
        ELSEWHERE: f"its reference is {case.uri(standing.home)}, not {recorded} as its metadata say",
    }[cause]
    if standing.readable:
        what = f"its reference {recorded} belongs to another deltaspace, and goes when that is empty"
        remedy = "--repair gives its own deltaspace a copy"
        return case.note(ELSEWHERE, key, what, "It has one of its own now" if mended else remedy, repaired=mended)
    if mended:
        return case.problem(cause, key, what, f"It is at {case.uri(standing.home)} now", repaired=True)
    if standing.good:
        return case.problem(cause, key, what, _REPAIR)
    hint = "" if case.repair else await _hint(case, form)
    return case.problem(cause, key, what, hint or _RESTORE)


async def _hint(case: Case, form: Form) -> str:
    """Where its reference may be had from, as far as is known without a search."""
    assert form.description is not None
    sha256 = form.description.reference_sha256
    if any(sha256 == copied for copied, _ in case.trash.values()):
        return f"A copy is in the trash: {_REPAIR}"
    if case.book.with_bytes(sha256):
        return f"Another deltaspace has it: {_REPAIR}"
    return f"Try --repair, which looks for its bytes everywhere. {_RESTORE}"


async def _is_still(case: Case, form: Form) -> bool:
    now = await head_or_none(case.ctx, case.bucket, form.stored.key)
    return now is not None and now.identity == form.identity


async def _move_in(case: Case, form: Form, standing: Standing) -> bool:
    """Records where the reference is. The reference's bytes are at hand meanwhile, in case somebody removes it."""
    description = form.description
    assert description is not None
    home, sha256 = standing.home, description.reference_sha256
    held = await case.book.look(home)
    if held is None:
        return False
    keeps_path = home == classic_reference_key(directory_of(form.stored.key))
    fields = {"ref-key": home, **({} if keeps_path else {"ref-path": ""})}
    metadata = with_fields(form.stored.metadata, fields)

    async def fetch(path: Path) -> None:
        await case.ctx.store.fetch(case.bucket, home, path, moved=case.ctx.received)

    try:
        async with case.ctx.cache.use(sha256, fetch, uri=case.uri(home)) as (path, _):
            with case.ctx.spool.file() as delta:
                if not (await fetch_again(case, form, delta) and await rewrite(case, form, delta, metadata)):
                    return False
            there = reference.Reference(case.bucket, home, sha256, path.stat().st_size)
            await reference.confirm(case.ctx, reference.Chosen(there, path, created=False))
    except IntegrityError:
        case.book.forget(home)
        return False
    return True


async def _look_inside(case: Case, form: Form) -> list[Finding]:
    """Whether it gives what its metadata promise, and whether they are complete."""
    missing = [name for field, name in _NEEDED.items() if not recorded_fields(form.stored.metadata).get(field)]
    if not (case.deep or (missing and case.repair)):
        return [_partial(case, form, missing)] if missing else []
    key = form.stored.key.removesuffix(DELTA_SUFFIX)
    with case.ctx.spool.file() as path:
        damage = await unreadable(
            case, form.stored.key, materialise(case.ctx, case.bucket, key, path, stored_key=form.stored.key)
        )
    if damage is not None:
        code, message = damage
        return [case.problem(code or DAMAGED, form.stored.key, message, "" if code else _RESCUE)]
    if not missing:
        return []
    mended = case.repair and await _complete(case, form)
    return [_partial(case, form, missing, mended=mended)]


def _partial(case: Case, form: Form, missing: list[str], *, mended: bool = False) -> Finding:
    what = f"its metadata lack its {', '.join(missing)}, so that other tools cannot read it"
    return case.problem(PARTIAL, form.stored.key, what, "They are complete now" if mended else _REPAIR, repaired=mended)


async def _complete(case: Case, form: Form) -> bool:
    recorded = recorded_fields(form.stored.metadata)
    known = {
        "tool": "deltaglider",
        "original-name": name_of(form.stored.key.removesuffix(DELTA_SUFFIX)),
        "created-at": format_time(form.created),
        "delta-size": str(form.stored.size),
    }
    lacking = {field: value for field, value in known.items() if not recorded.get(field)}
    with case.ctx.spool.file() as path:
        try:
            metadata = with_fields(form.stored.metadata, lacking)
            return await fetch_again(case, form, path) and await rewrite(case, form, path, metadata)
        except MetadataTooLargeError:
            return False
