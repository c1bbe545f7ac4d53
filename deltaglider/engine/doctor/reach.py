"""The deltas outside a prefix, asked what they need before anything under the prefix is removed for good."""

from __future__ import annotations

from deltaglider.engine.doctor.case import Case, Stray
from deltaglider.engine.doctor.reading import ends_it_all
from deltaglider.engine.doctor.strays import hold
from deltaglider.engine.locate import Form, begins_as_delta, head_or_none
from deltaglider.errors import DeltaGliderError, NotFoundError
from deltaglider.layout.keys import is_reserved, without_delta
from deltaglider.store.base import ListedObject
from deltaglider.tasks import map_bounded


async def reach_out(case: Case) -> None:
    """Asks them, once. What they need is kept, wherever it is.

    Args:
        case: The examination.

    Raises:
        StoreError: The store failed.
    """
    if case.reached or not case.prefix:
        return

    async def look(entry: ListedObject) -> tuple[Form, bool] | None:
        try:
            form = await head_or_none(case.ctx, case.bucket, entry.key)
            if form is None or form.is_delta:
                return (form, True) if form is not None else None
            return (form, False) if await begins_as_delta(case.ctx, form.stored) else None
        except DeltaGliderError as error:
            if ends_it_all(error):
                raise
            case.blind = case.blind or not isinstance(error, NotFoundError)
            return None

    async for page in case.ctx.store.list_objects(case.bucket):
        outside = [
            entry
            for entry in page
            if isinstance(entry, ListedObject)
            and without_delta(entry.key)
            and not is_reserved(entry.key)
            and not entry.key.startswith(case.prefix)
        ]
        for found in await map_bounded(look, outside, limit=case.ctx.settings.max_concurrent_requests):
            if found is None:
                continue
            form, is_delta = found
            if is_delta and form.description is not None:
                case.named.add(form.reference_key)
                case.astray.add(form.description.reference_sha256)
            else:
                stored = form.stored
                hold(case, Stray(stored.key, stored.size, stored.etag, described=form.description is not None))
    case.reached = True
