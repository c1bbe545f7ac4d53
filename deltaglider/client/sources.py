"""What users may give as a source, and take as a target."""

from __future__ import annotations

import inspect
import os
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import IO, Any, Protocol

from deltaglider.bulk.names import refusal
from deltaglider.client import streams
from deltaglider.engine.context import Context
from deltaglider.errors import InvalidInputError
from deltaglider.files import CHUNK, local_errors, rest_of


class AsyncWritable(Protocol):
    """A target whose ``write`` is awaited, such as a file of aiofiles or anyio."""

    def write(self, data: Any, /) -> Awaitable[Any]:
        """Takes a piece of bytes."""


Directory = str | os.PathLike[str]
"""A path."""

Source = str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes] | Iterable[bytes] | AsyncIterable[bytes]
"""A path, the bytes themselves, a binary file object (read from where it stands, never closed), or pieces of bytes."""

Target = str | os.PathLike[str] | IO[bytes] | AsyncWritable
"""A path, or anything with a ``write`` that takes bytes; it is never closed."""


@asynccontextmanager
async def as_file(ctx: Context, source: Source) -> AsyncIterator[Path]:
    """A source as a file; what is not one is written to a temporary one.

    Args:
        ctx: The client's parts.
        source: The source.

    Yields:
        The file.

    Raises:
        InvalidInputError: It is nothing of which bytes can be read.
        LocalFileError: The temporary file cannot be written.
    """
    if isinstance(source, (str, os.PathLike)):
        yield local_path(source)
        return
    with ctx.spool.file() as path:
        if isinstance(source, (bytes, bytearray, memoryview)):
            await ctx.thread(streams.save_pieces, [source], path)
        elif hasattr(source, "read") and not inspect.iscoroutinefunction(source.read):
            await ctx.thread(streams.save_object, source, path)
        elif hasattr(source, "read"):
            await streams.save_async_pieces(_read_async(source), path)
        elif isinstance(source, AsyncIterable):
            await streams.save_async_pieces(source, path)
        elif isinstance(source, Iterable):
            await ctx.thread(streams.save_pieces, source, path)
        else:
            raise InvalidInputError(
                f"cannot read bytes of a {type(source).__name__}",
                remedy="Give a path, bytes, a binary file object or an iterable of bytes",
            )
        yield path


def local_path(path: str | os.PathLike[str]) -> Path:
    """A path that a user gave.

    Args:
        path: The path.

    Returns:
        The same.

    Raises:
        InvalidInputError: No path can look like this.
    """
    text = os.fsdecode(path)
    if "\0" in text:
        raise InvalidInputError("a path holds no NUL characters", uri=text, remedy="Correct the path")
    return Path(text)


def name_of_source(source: Source) -> str | None:
    """The file name a source suggests for itself.

    Args:
        source: The source.

    Returns:
        The last part of its path; ``None`` if it has none.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        return None
    if isinstance(source, (str, os.PathLike)):
        return local_path(source).name or None
    name = getattr(source, "name", None)
    # A number where a descriptor was opened, "<stdin>" where there is no file.
    return Path(name).name or None if isinstance(name, str) and not name.startswith("<") else None


def as_path(target: Target, name: str) -> Path | None:
    """The file a target names, in the way of ``cp``: a directory means the file of that name in it.

    Args:
        target: The target.
        name: The object's own name.

    Returns:
        The file; ``None`` if the target is a stream.

    Raises:
        InvalidInputError: It is neither; or the object's name would lead out of the directory.
    """
    if isinstance(target, (str, os.PathLike)):
        path = local_path(target)
        is_directory = os.fsdecode(target).endswith(("/", os.sep)) or path.is_dir()
        reason = refusal(name) if is_directory and name else ""
        if reason:
            raise InvalidInputError(
                f"the object's name {name!r} cannot be that of a file in {os.fsdecode(target)!r}: {reason}",
                remedy="Name the file, not its directory",
            )
        return path / name if is_directory else path
    if not hasattr(target, "write"):
        raise InvalidInputError(
            f"cannot write to a {type(target).__name__}", remedy="Give a path or an object open for writing bytes"
        )
    return None


async def pour(ctx: Context, path: Path, target: Any) -> None:
    """Writes a file's bytes to a stream of either kind, which stays open.

    Args:
        ctx: The client's parts.
        path: The file.
        target: Anything with a ``write``, awaited or not.

    Raises:
        InvalidInputError: It does not take bytes.
        LocalFileError: Writing failed.
    """
    write = _writer(ctx, target)
    name = str(getattr(target, "name", "the target stream"))
    async with aclosing(streams.pieces_of_file(ctx, path)) as pieces:
        async for piece in pieces:
            rest = piece
            with local_errors(name, "cannot be written"):
                while rest:
                    rest = rest_of(rest, await write(rest))


def _writer(ctx: Context, target: Any) -> Callable[[bytes], Awaitable[Any]]:
    """The ``write`` of a target, such that it can be awaited and blocks nobody."""
    write, drain = target.write, getattr(target, "drain", None)

    async def call(data: bytes) -> Any:
        try:
            if inspect.iscoroutinefunction(drain):  # A stream of asyncio: it may only be used in the loop.
                write(data)
                await drain()
                return None
            result = write(data) if inspect.iscoroutinefunction(write) else await ctx.thread(write, data)
            return await result if inspect.isawaitable(result) else result
        except TypeError as error:
            raise InvalidInputError(
                f"the target, a {type(target).__name__}, does not take bytes: {error}",
                remedy="Open files in binary mode ('wb')",
            ) from error

    return call


async def _read_async(source: Any) -> AsyncIterator[bytes]:
    while chunk := await source.read(CHUNK):
        yield chunk
