"""Parts of an object, and whole ones that nobody waits for in full: what ``get_object`` is made of."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from deltaglider.engine.context import Context, uri_of
from deltaglider.engine.locate import Form
from deltaglider.engine.materialise import materialise
from deltaglider.errors import PreconditionFailedError
from deltaglider.files import CHUNK, local_errors, stop_if_cancelled


async def read_window(ctx: Context, form: Form, start: int, length: int) -> bytes:
    """Bytes of an object that is stored whole, in one request; it must still be the same object.

    Args:
        ctx: The client's parts.
        form: Where it is stored.
        start: The first byte.
        length: Bytes, few enough for memory.

    Returns:
        The bytes.

    Raises:
        PreconditionFailedError: It was replaced.
        NotFoundError: It was deleted.
        StoreError: The store failed.
    """
    stored = form.stored
    pieces = []
    opened = ctx.store.open(
        stored.bucket, stored.key, start=start, length=length, if_match=stored.etag, version_id=form.version
    )
    async with opened as body:
        async for piece in body:
            ctx.received(len(piece))
            pieces.append(piece)
    return b"".join(pieces)


async def write_part(ctx: Context, key: str, form: Form, path: Path, start: int, length: int) -> None:
    """Writes a part of an object that is stored as a delta to a file.

    All of it is decoded and proven, once: it stays in the cache, beside the references, for the parts asked for next.

    Args:
        ctx: The client's parts.
        key: The object's key.
        form: Where it is stored.
        path: The file.
        start: The first byte.
        length: Bytes.

    Raises:
        PreconditionFailedError: It was replaced.
        IntegrityError: Its bytes are not the recorded ones.
    """
    assert form.description is not None
    bucket = form.stored.bucket
    decoded = partial(_decode, ctx, key, form)
    async with ctx.cache.use(form.description.sha256, decoded, uri=uri_of(bucket, key)) as (whole, _):
        await ctx.thread(_copy_part, whole, path, start, length)


async def write_all(ctx: Context, key: str, form: Form, path: Path) -> None:
    """Writes an object that is stored as a delta to a file, and keeps nothing.

    Args:
        ctx: The client's parts.
        key: The object's key.
        form: Where it is stored.
        path: The file.

    Raises:
        PreconditionFailedError: It was replaced.
        IntegrityError: Its bytes are not the recorded ones.
    """
    await _decode(ctx, key, form, path)


async def write_span(ctx: Context, key: str, form: Form, path: Path, start: int, length: int) -> None:
    """Writes a part of an object, however it is stored, to a file.

    Args:
        ctx: The client's parts.
        key: The object's key.
        form: Where it is stored.
        path: The file.
        start: The first byte.
        length: Bytes.

    Raises:
        PreconditionFailedError: It was replaced.
        IntegrityError: Its bytes are not the recorded ones.
    """
    if form.is_delta:
        await write_part(ctx, key, form, path, start, length)
        return
    step = ctx.settings.multipart_chunksize
    for at in range(start, start + length, step):
        data = await read_window(ctx, form, at, min(step, start + length - at))
        await ctx.thread(_append, path, data)


def _append(path: Path, data: bytes) -> None:
    with local_errors(str(path), "cannot be written"), path.open("ab") as file:
        file.write(data)


async def _decode(ctx: Context, key: str, form: Form, path: Path) -> None:
    original = await materialise(ctx, form.stored.bucket, key, path, version=form.version)
    if original.form.identity != form.identity:
        raise PreconditionFailedError("it was replaced meanwhile", uri=uri_of(form.stored.bucket, key), status=412)


def _copy_part(source: Path, target: Path, start: int, length: int) -> None:
    with local_errors(str(target), "cannot be written"), source.open("rb") as read, target.open("wb") as write:
        read.seek(start)
        while length:
            piece = read.read(min(CHUNK, length))
            if not piece:
                return
            write.write(piece)
            length -= len(piece)
            stop_if_cancelled()
