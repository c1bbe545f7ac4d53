"""Names that differ only by case: where a file system does not tell them apart, one file would overwrite the other."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Literal

import anyio

from deltaglider.bulk.destination import Destination
from deltaglider.bulk.entries import Problem, RemoteEntry
from deltaglider.errors import LocalFileError
from deltaglider.threads import in_thread

logger = logging.getLogger("deltaglider.bulk")

CaseConflict = Literal["ignore", "skip", "warn", "error"]
"""What becomes of an object whose file would have the name of another one, but for case."""

_BATCH = 256
_MESSAGE = "A file whose name differs only by case either exists or is being downloaded."

_Entries = AsyncGenerator[RemoteEntry | Problem, None]


async def told_apart(
    entries: _Entries, destination: Destination, how: CaseConflict, *, limiter: anyio.CapacityLimiter
) -> _Entries:
    """The entries that no other differs from by case alone. Of each name some thirty bytes are remembered.

    Args:
        entries: Objects to download.
        destination: Where to.
        how: What becomes of the others.
        limiter: Bounds the threads that work on files.

    Yields:
        Entries; with ``skip``, problems in the place of those left out.

    Raises:
        LocalFileError: There is one, and that is an error.
    """
    if how == "ignore":
        async with aclosing(entries):
            async for item in entries:
                yield item
        return
    seen: set[int] = set()
    async with aclosing(_batches(entries)) as batches:
        async for batch in batches:
            taken = await in_thread(_taken, destination, batch, limiter=limiter)
            for item in batch:
                yield item if isinstance(item, Problem) else _judged(item, destination, how, seen, taken)


def _judged(
    item: RemoteEntry, destination: Destination, how: CaseConflict, seen: set[int], taken: set[str]
) -> RemoteEntry | Problem:
    lowered = hash(item.name.lower())
    if lowered not in seen and item.name not in taken:
        seen.add(lowered)
        return item
    if how == "skip":
        return Problem(item.name, item.where, _MESSAGE)
    path = str(destination.path_of(item.name))
    if how == "error":
        raise LocalFileError(
            f"{item.where} is not downloaded: a file whose name differs only by case either exists or is being "
            "downloaded",
            uri=path,
            remedy="Download it to another place, or choose --case-conflict skip",
        )
    logger.warning("%s is downloaded to %s, though a file differs from it only by case", item.where, path)
    return item


def _taken(destination: Destination, batch: list[RemoteEntry | Problem]) -> set[str]:
    """The names whose files exist, but under another spelling."""
    listings: dict[str, set[str]] = {}
    found = set()
    for item in batch:
        path = destination.path_of(item.name)
        if isinstance(item, RemoteEntry) and os.path.lexists(path):
            directory = str(path.parent)
            if directory not in listings:
                listings[directory] = {entry.name for entry in path.parent.iterdir()}
            if path.name not in listings[directory]:
                found.add(item.name)
    return found


async def _batches(entries: _Entries) -> AsyncGenerator[list[RemoteEntry | Problem], None]:
    batch: list[RemoteEntry | Problem] = []
    async with aclosing(entries):
        async for item in entries:
            batch.append(item)
            if len(batch) == _BATCH:
                yield batch
                batch = []
    yield batch
