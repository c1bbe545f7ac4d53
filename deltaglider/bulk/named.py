"""Entries by their names, which somebody gave, in place of a walk or a listing. One that is not there is a failure.

Names come in any order; each counts once.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import TypeVar

import anyio

from deltaglider.bulk.entries import LocalEntry, Problem, RemoteEntry
from deltaglider.bulk.escape import unescaped
from deltaglider.bulk.names import refusal
from deltaglider.bulk.walk import Links, entry_of
from deltaglider.errors import (
    BucketNotFoundError,
    ClientStateError,
    ConfigurationError,
    DeltaGliderError,
    LocalFileError,
)
from deltaglider.layout.uri import S3Uri, check_key
from deltaglider.models import ObjectInfo
from deltaglider.tasks import map_bounded
from deltaglider.threads import in_thread

T = TypeVar("T")

Head = Callable[[S3Uri], Awaitable[ObjectInfo]]
"""One object without its bytes."""

_BATCH = 100

# Of these there is no point in telling once for each name.
_HOPELESS = (BucketNotFoundError, ConfigurationError, ClientStateError)


def below(root: Path, names: Iterable[str], *, escape: bool = False) -> Iterator[tuple[str, Path]]:
    """The files that names mean, relative to a directory; for worker threads if the names come from a file.

    Args:
        root: The directory.
        names: With ``/`` between segments; ``./`` at their beginning means nothing.
        escape: Whether they stand for other keys, as ``escape`` has it.

    Yields:
        Names and paths.
    """
    for given in names:
        name = given.removeprefix("./")
        yield (unescaped(name) if escape else name), root / name


def under(place: S3Uri, names: Iterable[str]) -> Iterator[tuple[str, S3Uri]]:
    """The objects that names mean, relative to a place; for worker threads if the names come from a file.

    Args:
        place: The place.
        names: What the keys have behind it, exactly.

    Yields:
        Names and objects.
    """
    for name in names:
        yield name, place.child(name)


async def local_named(
    files: Iterable[tuple[str, Path]], *, limiter: anyio.CapacityLimiter, links: Links = "follow"
) -> AsyncGenerator[LocalEntry | Problem, None]:
    """Files as entries.

    Args:
        files: Names and paths. Drawn in a worker thread: it may block.
        limiter: Bounds the threads that work on files.
        links: Whether symbolic links are followed, or left out.

    Yields:
        Entries; and problems, which are failures.
    """
    async with aclosing(_batches(files, limiter)) as batches:
        async for batch in batches:
            for found in await in_thread(_look, batch, links, limiter=limiter):
                yield found


def _look(files: list[tuple[str, Path]], links: Links) -> list[LocalEntry | Problem]:
    found: list[LocalEntry | Problem] = []
    for name, path in files:
        if links == "skip" and path.is_symlink():
            continue
        reason = refusal(name) if name else "It has no name."
        entry = Problem(name, str(path), reason) if reason else entry_of(str(path), name, links=links)
        found.append(_failure(entry) if isinstance(entry, Problem) else entry)
    return found


def _failure(problem: Problem) -> Problem:
    """Who names a file wants it: that it cannot be had is more than a warning."""
    error = LocalFileError(problem.message, uri=problem.where, remedy="Correct the name, or leave it out")
    return Problem(problem.name, problem.where, str(error), error)


async def remote_named(
    objects: Iterable[tuple[str, S3Uri]], head: Head, *, limiter: anyio.CapacityLimiter, workers: int
) -> AsyncGenerator[RemoteEntry | Problem, None]:
    """Objects as entries, each asked for.

    Args:
        objects: Names and objects. Drawn in a worker thread: it may block.
        head: Asks for one.
        limiter: Bounds the threads that work on files.
        workers: Asked for at once.

    Yields:
        Entries; and problems, which are failures.

    Raises:
        StoreError: The bucket does not exist.
    """
    async with aclosing(_batches(objects, limiter)) as batches:
        async for batch in batches:
            for found in await map_bounded(partial(_ask, head), batch, limit=workers):
                yield found


async def _ask(head: Head, named: tuple[str, S3Uri]) -> RemoteEntry | Problem:
    name, uri = named
    try:
        check_key(uri.key, uri=str(uri))
        return RemoteEntry(name, await head(uri))
    except _HOPELESS:
        raise
    except DeltaGliderError as error:
        return Problem(name, str(uri), str(error), error)


async def _batches(
    items: Iterable[tuple[str, T]], limiter: anyio.CapacityLimiter
) -> AsyncGenerator[list[tuple[str, T]], None]:
    seen: set[str] = set()
    source = iter(items)
    while batch := await in_thread(_take, source, limiter=limiter):
        fresh = dict(item for item in batch if item[0] not in seen)
        seen.update(fresh)
        yield list(fresh.items())


def _take(items: Iterator[tuple[str, T]]) -> list[tuple[str, T]]:
    return list(itertools.islice(items, _BATCH))
