"""The references under a prefix and the copies in the trash; and what is put back before all else is looked at."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial

from deltaglider.engine.doctor.case import Case
from deltaglider.engine.doctor.reading import ends_it_all
from deltaglider.engine.doctor.sources import Want, put_back
from deltaglider.engine.doctor.standing import Standing, spaces_of, standing_of
from deltaglider.engine.locate import Form, head_or_none
from deltaglider.errors import DeltaGliderError
from deltaglider.layout.keys import (
    DELTA_SUFFIX,
    REFERENCE_NAME,
    directory_of,
    is_reserved,
    name_of,
    parse_reference_key,
    parse_trash_key,
    without_delta,
)
from deltaglider.store.base import ListedObject
from deltaglider.tasks import map_bounded

DAMAGED = "reference_damaged"


async def take_stock(case: Case) -> None:
    """Finds all references and copies in the trash; each reference is read, unless the look is a quick one.

    Args:
        case: The examination.

    Raises:
        StoreError: The store failed.
    """
    async for page in case.ctx.store.list_objects(case.bucket, case.prefix):
        entries = [entry for entry in page if isinstance(entry, ListedObject)]
        for entry in entries:
            copied = parse_trash_key(entry.key)
            if copied:
                case.trash[entry.key] = (copied[1], entry.last_modified)
        keys = [entry.key for entry in entries if _may_be_reference(entry.key)]
        await map_bounded(partial(_note, case), keys, limit=case.ctx.settings.max_concurrent_objects)


async def mend_references(case: Case) -> None:
    """Puts back the references that are lost or damaged, as far as their bytes are anywhere.

    Args:
        case: The examination.

    Raises:
        StoreError: The store failed.
    """
    wants: dict[str, tuple[Want, str]] = {}
    named: set[str] = set()
    async for form, standing in _standings(case):
        assert form.description is not None
        if standing.good or standing.readable:
            named.add(standing.home if standing.good else standing.recorded)
        if not standing.good:
            spaces = tuple(spaces_of(form.stored.key.removesuffix(DELTA_SUFFIX)))
            want = Want(standing.home, form.description.reference_sha256, spaces, standing.cause)
            wants.setdefault(standing.home, (want, standing.recorded))
    restored: dict[str, Want] = {}
    for key, space in case.references.items():
        held = await case.book.look(key)
        # A classic reference of which deltas need the very bytes that it has is left to them.
        if held is not None and held.damaged and key not in named:
            restored[key] = Want(key, held.promised, (space,), DAMAGED, held.etag)
    others = [want for home, (want, recorded) in wants.items() if home not in restored and recorded not in restored]
    await put_back(case, [*restored.values(), *others])


async def _standings(case: Case) -> AsyncIterator[tuple[Form, Standing]]:
    async def one(key: str) -> tuple[Form, Standing] | None:
        try:
            form = await head_or_none(case.ctx, case.bucket, key)
            return (form, await standing_of(case, form)) if form is not None and form.is_delta else None
        except DeltaGliderError as error:
            if ends_it_all(error):
                raise
            case.blind = True
            return None

    async for page in case.ctx.store.list_objects(case.bucket, case.prefix):
        keys = [entry.key for entry in page if without_delta(entry.key) and not is_reserved(entry.key)]
        for found in await map_bounded(one, keys, limit=case.ctx.settings.max_concurrent_requests):
            if found is not None:
                yield found


def _may_be_reference(key: str) -> bool:
    return parse_reference_key(key) is not None or (name_of(key) == REFERENCE_NAME and not is_reserved(key))


async def _note(case: Case, key: str) -> None:
    parsed = parse_reference_key(key)
    if parsed is None:
        # Read only if it is one: a user may keep large files under this name.
        form = await head_or_none(case.ctx, case.bucket, key)
        if form is None or not form.is_reference:
            return
    held = await case.book.look(key)
    if held is not None:
        case.references[key] = parsed[0] if parsed else directory_of(key)
