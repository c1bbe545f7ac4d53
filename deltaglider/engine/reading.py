"""Parts of an object, and whole ones that nobody waits for in full: what ``get_object`` is made of."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

from deltaglider.engine import reference
from deltaglider.engine.context import Context, uri_of
from deltaglider.engine.locate import Form
from deltaglider.engine.materialise import materialise
from deltaglider.errors import NotFoundError, PreconditionFailedError, ReferenceMissingError
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
    async with decoded(ctx, key, form) as whole:
        await ctx.thread(_copy_part, whole, path, start, length)


@asynccontextmanager
async def decoded(ctx: Context, key: str, form: Form) -> AsyncIterator[Path]:
    """The file of an object that is stored as a delta; decoded and proven, unless it is in the cache, and then kept.

    Args:
        ctx: The client's parts.
        key: The object's key.
        form: Where it is stored.

    Yields:
        A file to be read only.

    Raises:
        PreconditionFailedError: It was replaced.
        IntegrityError: Its bytes are not the recorded ones.
    """
    assert form.description is not None
    bucket, sha256 = form.stored.bucket, form.description.sha256
    uri = uri_of(bucket, key)
    async with AsyncExitStack() as held:
        try:
            path, _ = await held.enter_async_context(ctx.cache.use(sha256, _none, uri=uri))
        except _NotCachedError:
            try:
                # The reference first: who decodes holds locks of the cache that fetching it may need. And the first
                # file of a deltaspace has the bytes of its reference.
                await held.enter_async_context(reference.read(ctx, bucket, key, form.description))
                decode = partial(_decode, ctx, key, form)
                path, _ = await held.enter_async_context(ctx.cache.use(sha256, decode, uri=uri))
            except (NotFoundError, ReferenceMissingError):
                # Gone, and perhaps the object with it, or its writer died: what is left to be had need not be kept.
                path = held.enter_context(ctx.spool.file())
                await _decode(ctx, key, form, path)
        yield path


class _NotCachedError(Exception):
    """Nothing is to be fetched."""


async def _none(path: Path) -> None:
    raise _NotCachedError


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
