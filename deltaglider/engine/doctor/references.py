"""References, once all deltas have been looked at: damaged, archived, without metadata, or needed by none."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from deltaglider.engine.context import TOOL
from deltaglider.engine.doctor.book import Held
from deltaglider.engine.doctor.case import Case
from deltaglider.engine.doctor.fold import fold
from deltaglider.engine.doctor.inventory import DAMAGED
from deltaglider.engine.doctor.reach import reach_out
from deltaglider.engine.doctor.rewrite import fetch_again, rewrite
from deltaglider.engine.doctor.strays import LOST, decodes
from deltaglider.engine.locate import head_or_none
from deltaglider.engine.retire import retire
from deltaglider.errors import IntegrityError, NotFoundError
from deltaglider.files import digests_of
from deltaglider.layout.keys import parse_reference_key
from deltaglider.layout.metadata import Description
from deltaglider.models import Finding

FROZEN = "reference_frozen"
UNUSED = "reference_unused"
SPARE = "reference_spare"


async def settle(case: Case) -> AsyncIterator[Finding]:
    """Looks at what is known of all references, and removes those that nothing needs.

    Args:
        case: The examination, after all deltas.

    Yields:
        What was found.

    Raises:
        StoreError: The store failed; nothing is lost.
    """
    spares: dict[str, list[Held]] = {}
    kept: set[str] = set()
    for key, space in case.references.items():
        held = await case.book.look(key)
        if held is None:
            continue
        is_needed = key in case.named or held.promised in case.astray or held.sha256 in case.astray
        finding = _about(case, held, is_needed=is_needed)
        if finding is not None:
            yield finding
        if is_needed:
            kept.add(space)
        else:
            spares.setdefault(space, []).append(held)
    async for finding in _stripped(case):
        yield finding
    for space, helds in spares.items():
        for finding in await _spare(case, space, helds, is_used=space in kept):
            yield finding


def _about(case: Case, held: Held, *, is_needed: bool) -> Finding | None:
    if held.frozen and is_needed:
        what = "deltas need it, and it lies in an archive storage class: none of them can be read"
        return case.problem(FROZEN, held.key, what, "Restore it, and copy it onto itself in the class STANDARD")
    if case.mended.get(held.key) == DAMAGED:
        return case.problem(DAMAGED, held.key, "its bytes were not those its name says", "Put back", repaired=True)
    if held.damaged and is_needed:
        has = f"have SHA-256 {held.sha256}" if held.sha256 else "cannot be read"
        what = f"its bytes {has}, where {held.promised} is promised"
        remedy = "Give --repair --from a file that has the right bytes, or restore an older version of it"
        return case.problem(DAMAGED, held.key, what, remedy)
    return None


async def _stripped(case: Case) -> AsyncIterator[Finding]:
    """References that deltas name, and that lost their metadata: a deleter may take them for files."""
    for key in sorted(case.named):
        held = await case.book.look(key) if key.startswith(case.prefix) else None
        if held is None or held.described or held.frozen:
            continue
        what = "deltas need it, and its metadata, which say so, are gone"
        mended = case.repair and await _describe(case, held)
        yield case.problem(LOST, key, what, "It has them again" if mended else "--repair mends it", repaired=mended)


async def _describe(case: Case, held: Held) -> bool:
    form = await head_or_none(case.ctx, case.bucket, held.key)
    if form is None or form.stored.etag != held.etag:
        return False
    with case.ctx.spool.file() as path:
        if not await fetch_again(case, form, path):
            return False
        digests = await case.ctx.thread(digests_of, path)
        description = Description(
            kind="reference",
            tool=TOOL,
            name="unknown",
            sha256=digests.sha256,
            size=digests.size,
            md5=digests.md5,
            created=form.created,
        )
        done = digests.sha256 == held.sha256 and await rewrite(
            case, form, path, description.write(uri=case.uri(held.key))
        )
    case.book.forget(held.key)
    return done


async def _spare(case: Case, space: str, helds: list[Held], *, is_used: bool) -> list[Finding]:
    """References of one deltaspace that no delta under the prefix needs."""
    code = SPARE if is_used else UNUSED
    what = (
        "no delta was made against it, though its deltaspace has others: it costs space, and nothing else"
        if is_used
        else "there is no delta that needs it: it costs space, and nothing else"
    )
    if not case.repair:
        return [case.note(code, held.key, what, "--repair removes it") for held in helds]
    if not case.deep:
        # A delta stored as a file, under any name, may need it; only its bytes tell.
        return [case.note(code, held.key, what, "A quick look removes no reference") for held in helds]
    await reach_out(case)
    removable, findings = [], []
    for held in helds:
        reason = await _reason_to_keep(case, held)
        if reason:
            findings.append(case.note(code, held.key, what, reason))
        else:
            removable.append(held)
    gone = await _remove(case, space, removable, all_of_them=not is_used and len(removable) == len(helds))
    for held in removable:
        is_gone = held.key in gone
        remedy = "It was removed" if is_gone else "It came into use meanwhile, and was left"
        findings.append(case.note(code, held.key, what, remedy, repaired=is_gone))
    return findings


async def _reason_to_keep(case: Case, held: Held) -> str:
    if not case.ctx.settings.retire_references:
        return "References stay as long as retire_references (DG_RETIRE_REFERENCES) is off: it was left"
    if held.key in case.named or held.promised in case.astray or held.sha256 in case.astray:
        return "A delta elsewhere in the bucket needs it: it was left"
    if parse_reference_key(held.key) is None and case.is_young(held.modified):
        return "An upload of the predecessor may be at work: it was left"
    if held.frozen or not (case.strays or case.blind):
        return ""
    if case.blind:
        return "Of some deltas it is not known what they need: it was left"

    async def fetch(path: Path) -> None:
        await case.ctx.store.fetch(case.bucket, held.key, path, moved=case.ctx.received)

    try:
        async with case.ctx.cache.use(held.sha256, fetch, uri=case.uri(held.key)) as (source, _):
            for stray in case.strays:
                if await decodes(case, stray, source):
                    return f"{case.uri(stray.key)}, which has no metadata, may need it: it was left"
    except NotFoundError:
        return ""
    except IntegrityError:
        return "Its bytes could not be read: it was left"
    return ""


async def _remove(case: Case, space: str, removable: list[Held], *, all_of_them: bool) -> set[str]:
    if not removable:
        return set()
    if all_of_them and await retire(case.ctx, case.bucket, space):
        for held in removable:
            case.book.forget(held.key)
        return {held.key for held in removable}
    return await fold(case, space, removable)
