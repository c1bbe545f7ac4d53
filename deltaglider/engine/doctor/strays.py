"""Deltas that do not know what they are: their metadata were lost on the way, or they were stored as files.

What a delta was made against can be found out: xdelta3 checks each window it decodes, so of many references only the
right one gives anything, if the delta takes anything from it. And a delta whose twin is known (the same ETag and size,
with its metadata) is what the twin is. Nothing else is believed: a user may well keep a delta of his own making.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

from deltaglider.codec.windows import Outline, outline
from deltaglider.codec.xdelta3 import COMMAND
from deltaglider.engine import reference
from deltaglider.engine.decode import decode
from deltaglider.engine.doctor.case import MOST_STRAYS, Case, Stray
from deltaglider.engine.doctor.identity import adopt
from deltaglider.engine.doctor.rewrite import fetch_again
from deltaglider.engine.doctor.standing import own_places, spaces_of
from deltaglider.engine.locate import Form, head_or_none
from deltaglider.errors import CodecTimeoutError, DeltaCorruptError, IntegrityError, LocalFileError, NotFoundError
from deltaglider.files import Digests, digests_of
from deltaglider.layout.keys import DELTA_SUFFIX, is_reserved, name_of, trash_prefix, without_delta
from deltaglider.layout.metadata import Description, recorded_fields
from deltaglider.layout.text import decode_text
from deltaglider.models import Finding
from deltaglider.store.base import ListedObject

LOST = "metadata_lost"
RAW = "raw_delta"

_MIB = 1 << 20
_UNKNOWN_COMMAND = "xdelta3 -e -9 -s reference.bin"
"""Of an earlier tool, perhaps, which unpacked what it was given: then it is read in both ways."""


def hold(case: Case, stray: Stray) -> list[Finding]:
    """Keeps a stray for the end, when its twin is looked for.

    Args:
        case: The examination.
        stray: What was met.

    Returns:
        What there is to say already: something only if there are too many.
    """
    if len(case.strays) < MOST_STRAYS:
        case.strays.append(stray)
        return []
    case.blind = True
    return [_unexplained(case, stray)]


async def look_at_stray(case: Case, form: Form) -> list[Finding]:
    """Looks for the reference of a delta without metadata in its deltaspaces, and records what is proven.

    Args:
        case: The examination.
        form: What is stored: it begins as a delta, and its metadata do not say that it is one.

    Returns:
        What was found; nothing yet if it is to be looked at again at the end.

    Raises:
        StoreError: The store failed.
    """
    stored = form.stored
    stray = Stray(stored.key, stored.size, stored.etag, described=form.description is not None)
    if not (case.deep or case.repair):
        return hold(case, stray)
    with case.ctx.spool.file() as delta, case.ctx.spool.file() as target:
        if not await fetch_again(case, form, delta):
            return []
        digests = await case.ctx.thread(digests_of, delta)
        if form.description is not None and form.description.sha256 == digests.sha256:
            return hold(case, stray)  # It is recorded to be this very file.
        try:
            frame = await case.ctx.thread(outline, delta)
        except DeltaCorruptError:
            return hold(case, stray)
        if not recorded_fields(stored.metadata) and not _may_be_ours(stored.key, frame):
            return hold(case, dataclasses.replace(stray, described=True))
        found = await _explain(case, form, delta, target, frame)
        if found is None:
            return hold(case, stray)
        sha256, original, command = found
        what = "its metadata are gone or incomplete, so nothing can read it"
        return [await adopt(case, form, delta, sha256, original, code=LOST, what=what, command=command)]


async def settle(case: Case) -> AsyncIterator[Finding]:
    """Looks for the twins of all strays, in one more listing of the bucket, and records what is proven.

    Args:
        case: The examination; the strays it is left with are those that nothing explains.

    Yields:
        What was found.

    Raises:
        StoreError: The store failed.
    """
    strays, case.strays = case.strays, []
    twins = await _twins(case, strays) if strays and (case.deep or case.repair) else {}
    for stray in strays:
        twin = twins.get((stray.etag, stray.size))
        finding = await _by_twin(case, stray, twin) if twin is not None else None
        if finding is None or not finding.repaired:
            case.strays.append(stray)
        yield finding or _unexplained(case, stray)


async def decodes(case: Case, stray: Stray, source: Path) -> bool:
    """Whether some reference is the one a stray was made against; also if that cannot be told.

    Args:
        case: The examination.
        stray: The delta.
        source: The reference's bytes.

    Returns:
        Whether the reference must be kept for it.

    Raises:
        StoreError: The store failed.
    """
    form = await head_or_none(case.ctx, case.bucket, stray.key)
    if form is None:
        return False
    with case.ctx.spool.file() as delta, case.ctx.spool.file() as target:
        if not await fetch_again(case, form, delta):
            return True
        try:
            frame = await case.ctx.thread(outline, delta)
            if not frame.sourced:
                return False
            await case.ctx.codecs.decode(source, delta, target, size=frame.size, codec=frame.codec)
        except DeltaCorruptError:
            return False
        except (CodecTimeoutError, LocalFileError):
            return True
    return True


def _may_be_ours(stored_key: str, frame: Outline) -> bool:
    """Whether a delta was made of the file whose delta its key says it is. Patches that users keep tell otherwise.

    We note no names in deltas, deltaglider_proxy pipes the file in, and the predecessor notes the file's own name.
    """
    return frame.made_of in ("", "-", name_of(stored_key.removesuffix(DELTA_SUFFIX)))


def _unexplained(case: Case, stray: Stray) -> Finding:
    if stray.described or not stray.key.endswith(DELTA_SUFFIX):
        what = "it is a delta by its bytes, but is stored as a file: it may be one of your own, or a delta's copy"
        return case.note(RAW, stray.key, what, "If it is no file of yours, restore what it was copied from")
    what = "it is a delta by its bytes, but has no metadata that say of what, and no reference decodes it"
    remedy = "Restore its user metadata (dg-*) or its reference; if it is a file of your own, leave it"
    if not (case.deep or case.repair):
        what, remedy = "it is a delta by its bytes, but has no metadata that say of what", "Look again without --quick"
    return case.problem(LOST, stray.key, what, remedy)


async def _explain(
    case: Case, form: Form, delta: Path, target: Path, frame: Outline
) -> tuple[str, Digests, str] | None:
    """The SHA-256 of the reference that makes an original file of a delta, what that is, and how it was made."""
    recorded = recorded_fields(form.stored.metadata)
    expected = recorded.get("file-sha256", "").lower()
    if not ((frame.checked and frame.sourced) or expected):
        return None
    tried: set[str] = set()
    async for place in _candidates(case, form, recorded):
        held = await case.book.look(place)
        if held is None or held.frozen or not held.sha256 or held.is_delta or held.sha256 in tried:
            continue
        tried.add(held.sha256)

        async def fetch(path: Path, place: str = place) -> None:
            await case.ctx.store.fetch(case.bucket, place, path, moved=case.ctx.received)

        try:
            async with case.ctx.cache.use(held.sha256, fetch, uri=case.uri(place)) as (source, _):
                if expected:
                    description = _assumed(form, recorded, held.sha256, frame)
                    digests = await decode(case.ctx, case.bucket, form.stored.key, description, source, delta, target)
                    return held.sha256, digests, _UNKNOWN_COMMAND
                await case.ctx.codecs.decode(source, delta, target, size=frame.size, codec=frame.codec)
                return held.sha256, await case.ctx.thread(digests_of, target), COMMAND
        except (IntegrityError, NotFoundError, CodecTimeoutError, LocalFileError):
            continue  # The last of these: its frame may promise more bytes than any disk has.
    return None


def _assumed(form: Form, recorded: dict[str, str], sha256: str, frame: Outline) -> Description:
    size = recorded.get("file-size", "")
    return Description(
        kind="delta",
        sha256=recorded["file-sha256"].lower(),
        # What an earlier tool unpacked is packed again, and then larger or smaller than the windows say.
        size=int(size) if size.isascii() and size.isdigit() else frame.size + _MIB,
        reference_sha256=sha256,
        command=recorded.get("delta-cmd", ""),
        delta_size=form.stored.size,
        codec=frame.codec,
    )


async def _candidates(case: Case, form: Form, recorded: dict[str, str]) -> AsyncIterator[str]:
    key = form.stored.key.removesuffix(DELTA_SUFFIX)
    named = decode_text(recorded.get("ref-key", ""))
    if named:
        yield named
    for place in own_places(key, recorded.get("ref-sha256", "").lower()):
        yield place
    for space in spaces_of(key):
        for one in await reference.list_references(case.ctx, case.bucket, space):
            yield one.key
        async for page in case.ctx.store.list_objects(case.bucket, trash_prefix(space)):
            for entry in page:
                yield entry.key


async def _twins(case: Case, strays: list[Stray]) -> dict[tuple[str, int], Form]:
    wanted = {(stray.etag, stray.size) for stray in strays}
    keys = {stray.key for stray in strays}
    found: dict[tuple[str, int], Form] = {}
    async for page in case.ctx.store.list_objects(case.bucket):
        for entry in page:
            if not isinstance(entry, ListedObject) or is_reserved(entry.key) or entry.key in keys:
                continue
            mark = (entry.etag, entry.size)
            if mark in wanted and mark not in found and without_delta(entry.key):
                form = await head_or_none(case.ctx, case.bucket, entry.key)
                if form is not None and form.is_delta:
                    found[mark] = form
    return found


async def _by_twin(case: Case, stray: Stray, twin: Form) -> Finding | None:
    assert twin.description is not None
    form = await head_or_none(case.ctx, case.bucket, stray.key)
    if form is None or form.stored.etag != stray.etag or form.is_delta:
        return None
    of = case.uri(twin.stored.key.removesuffix(DELTA_SUFFIX))
    what = f"it is a copy of the delta that {of} is stored as, and not the file"
    if without_delta(stray.key) is None:
        return case.note(RAW, stray.key, what, f"Copy {of} instead")
    description = twin.description
    twin_key = twin.stored.key.removesuffix(DELTA_SUFFIX)
    with case.ctx.spool.file() as delta, case.ctx.spool.file() as target:
        if not await fetch_again(case, form, delta):
            return None
        try:
            async with reference.read(case.ctx, case.bucket, twin_key, description) as (source, _):
                digests = await decode(case.ctx, case.bucket, twin_key, description, source, delta, target)
        except (IntegrityError, CodecTimeoutError):
            return case.problem(RAW, stray.key, what, "Mend that one first, then look again")
        sha256 = description.reference_sha256
        return await adopt(case, form, delta, sha256, digests, code=RAW, what=what, command=description.command)
