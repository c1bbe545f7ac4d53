"""The hashes of many files and objects, for whoever compares them: remembered, read or asked for."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from deltaglider.cache.hashes import LocalHashes
from deltaglider.engine.context import Context
from deltaglider.engine.listing import info_of
from deltaglider.engine.locate import Form
from deltaglider.engine.looks import forms_of_listed
from deltaglider.errors import LocalFileError
from deltaglider.files import Digests
from deltaglider.models import ObjectInfo
from deltaglider.store.base import ListedObject
from deltaglider.tasks import map_bounded


async def digests_of_files(ctx: Context, paths: Sequence[Path]) -> list[Digests | None]:
    """The hashes of files; of those that did not change since they were last read, from memory.

    Args:
        ctx: The client's parts.
        paths: The files.

    Returns:
        Their hashes, in order; ``None`` for one that cannot be read.
    """
    hashes = LocalHashes(ctx.notes)

    async def read(path: Path) -> tuple[Digests, bytes | None] | None:
        try:
            return await ctx.thread(hashes.read, path)
        except LocalFileError:
            return None

    known = await ctx.notes.run(hashes.known, paths)
    unknown = [path for path, found in zip(paths, known, strict=True) if found is None]
    found = await map_bounded(read, unknown, limit=int(ctx.files.total_tokens))
    await ctx.notes.run(hashes.keep, [one for one in found if one is not None])
    rest = (one[0] if one is not None else None for one in found)
    return [digests if digests is not None else next(rest) for digests in known]


async def with_hashes(ctx: Context, infos: Sequence[ObjectInfo]) -> list[ObjectInfo]:
    """Objects of a listing with their recorded SHA-256, which a listing does not show of whole objects.

    Args:
        ctx: The client's parts.
        infos: Objects of one bucket, as a listing shows them.

    Returns:
        The same, in order, as they are now. One that is gone, or has no hash recorded, stays as it was.

    Raises:
        StoreError: The store did not answer.
    """
    unknown = [info for info in infos if not info.sha256]
    if not unknown:
        return list(infos)
    forms = iter(await forms_of_listed(ctx, unknown[0].bucket, [_listed(info) for info in unknown]))
    return [info if info.sha256 else _completed(info, next(forms)) for info in infos]


def _listed(info: ObjectInfo) -> ListedObject:
    return ListedObject(info.stored_key, info.stored_size, info.etag, info.last_modified, info.storage_class)


def _completed(info: ObjectInfo, form: Form | None) -> ObjectInfo:
    if form is None:
        return info
    found = info_of(info.bucket, info.key, form)
    recorded = form.description.size if form.description is not None else None
    # Another tool may have stored another file and kept the metadata; its size gives that away.
    return found if recorded in (None, form.stored.size) else dataclasses.replace(found, sha256="")
