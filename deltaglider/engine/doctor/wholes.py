"""One object that is stored whole."""

from __future__ import annotations

from pathlib import Path

from deltaglider.engine.doctor.case import Case, Stray
from deltaglider.engine.doctor.reading import unreadable
from deltaglider.engine.doctor.strays import hold
from deltaglider.engine.locate import VCDIFF_MAGIC, is_start_of_delta
from deltaglider.engine.materialise import Original, materialise
from deltaglider.models import Finding
from deltaglider.store.base import ARCHIVES, ListedObject

DAMAGED = "object_damaged"


async def look_at_whole(case: Case, entry: ListedObject) -> list[Finding]:
    """Reads an object and compares its bytes with what is recorded. Archived ones cannot be read, and are left out.

    Args:
        case: The examination.
        entry: What is stored.

    Returns:
        What was found.

    Raises:
        StoreError: The store failed.
    """
    if not case.deep or entry.storage_class in ARCHIVES:
        return []
    read: list[Original] = []
    with case.ctx.spool.file() as path:

        async def reading() -> None:
            read.append(await materialise(case.ctx, case.bucket, entry.key, path, stored_key=entry.key))

        damage = await unreadable(case, entry.key, reading())
        is_delta = bool(read) and await case.ctx.thread(_begins_as_delta, path)
    if damage is not None:
        code, message = damage
        remedy = "" if code else "Restore it from a backup or an older version, or upload the file again"
        return [case.problem(code or DAMAGED, entry.key, message, remedy)]
    if is_delta and read[0].form.stored.key == entry.key:
        described = read[0].form.description is not None
        return hold(case, Stray(entry.key, entry.size, entry.etag, described=described))
    return []


def _begins_as_delta(path: Path) -> bool:
    with path.open("rb") as file:
        return is_start_of_delta(file.read(len(VCDIFF_MAGIC)))
