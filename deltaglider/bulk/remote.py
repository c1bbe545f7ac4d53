"""A prefix of a bucket as a sorted stream of entries."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import TypeAlias

from deltaglider.bulk.entries import Problem, RemoteEntry
from deltaglider.bulk.names import refusal
from deltaglider.layout.uri import S3Uri
from deltaglider.models import ObjectInfo, Prefix

_PAGE = 256

Listing: TypeAlias = Callable[[S3Uri], AsyncIterator[ObjectInfo | Prefix]]
"""Lists all objects below a place, in byte order of their keys."""


async def remote_entries(
    listing: Listing, place: S3Uri, *, markers: bool = False, without: str | None = None
) -> AsyncGenerator[RemoteEntry | Problem, None]:
    """The objects below a place, sorted by name.

    Args:
        listing: Lists them.
        place: A directory.
        markers: Whether empty objects whose keys end with a slash, which stand for directories, count.
        without: A prefix of names to leave out.

    Yields:
        Entries; no problems.
    """
    found = listing(place)
    try:
        async for info in found:
            if isinstance(info, Prefix) or (info.key.endswith("/") and not info.size and not markers):
                continue
            name = info.key[len(place.key) :]
            if without is None or not name.startswith(without):
                yield RemoteEntry(name, info)
    finally:
        if isinstance(found, AsyncGenerator):
            await found.aclose()


async def downloadable(
    entries: AsyncGenerator[RemoteEntry | Problem, None], local_name: Callable[[str], str] = lambda name: name
) -> AsyncGenerator[RemoteEntry | Problem, None]:
    """Entries whose names can be those of files here; the others become problems.

    Args:
        entries: Objects.
        local_name: What the file of a name is called.

    Yields:
        Entries and problems.
    """
    try:
        async for item in entries:
            reason = "" if isinstance(item, Problem) else refusal(local_name(item.name))
            yield Problem(item.name, item.where, reason) if reason else item
    finally:
        await entries.aclose()


async def with_metadata(
    entries: AsyncGenerator[RemoteEntry | Problem, None],
    complete: Callable[[list[ObjectInfo]], Awaitable[list[ObjectInfo]]],
) -> AsyncGenerator[RemoteEntry | Problem, None]:
    """The same entries with their metadata, which a listing does not show of whole objects.

    Args:
        entries: The objects of one bucket.
        complete: Completes what a listing shows of objects.

    Yields:
        The entries, in their order.
    """
    waiting: list[RemoteEntry | Problem] = []
    async with aclosing(entries):
        async for item in entries:
            waiting.append(item)
            if len(waiting) == _PAGE:
                for completed in await _complete(waiting, complete):
                    yield completed
                waiting = []
    for completed in await _complete(waiting, complete):
        yield completed


async def _complete(
    items: list[RemoteEntry | Problem], complete: Callable[[list[ObjectInfo]], Awaitable[list[ObjectInfo]]]
) -> list[RemoteEntry | Problem]:
    found = iter(await complete([item.info for item in items if isinstance(item, RemoteEntry)]))
    return [RemoteEntry(item.name, next(found)) if isinstance(item, RemoteEntry) else item for item in items]
