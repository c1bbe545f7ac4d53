"""Listings in byte order from a store that walks a tree of directories.

SeaweedFS keeps keys in directories and lists ``a/x`` where the name ``a`` stands: before ``a-b`` and ``a.txt``,
though ``/`` sorts after ``-`` and ``.``. Merging such a listing with a sorted one would take keys for missing that are
not, and a sync would delete them. Here directories that fit one page are listed and sorted whole, bigger ones level by
level, but what the first page has of directories it ends behind is taken from it. What is held in memory is one page a
level, and the few prefixes of a level whose turn has not come.
"""

from __future__ import annotations

import heapq
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from deltaglider.store.base import ListedPrefix
from deltaglider.store.s3.rawpages import Entry, Page, byte_order, in_bytes, raw_pages
from deltaglider.store.s3.session import S3Session

_SLASH = "/"


class TreeListing:
    """One listing.

    Args:
        session: The session.
        bucket: The bucket.
        start_after: Whole directories up to this key are left out; the caller leaves out the rest.
        size: Keys a request.
    """

    def __init__(self, session: S3Session, bucket: str, start_after: str, size: int) -> None:
        self._session = session
        self._bucket = bucket
        self._start_after = start_after
        self._size = size

    async def entries(
        self, prefix: str, delimiter: str, *, begun: AsyncGenerator[Page, None] | None = None
    ) -> AsyncIterator[Entry]:
        """Objects and common prefixes in byte order.

        Args:
            prefix: Only keys that begin with it.
            delimiter: Groups keys; may be empty.
            begun: The pages of this very listing as the store orders it, where its first was asked for already.
        """
        if delimiter == _SLASH:
            async for entry in self._level(prefix, begun):
                yield entry
            return
        group = ""
        async for entry in self._all(prefix, begun if not delimiter else None):
            cut = entry.key.find(delimiter, len(prefix)) if delimiter else -1
            if cut < 0:
                yield entry
            elif entry.key[: cut + len(delimiter)] != group:
                group = entry.key[: cut + len(delimiter)]
                yield ListedPrefix(group)

    def _pages(self, prefix: str, delimiter: str) -> AsyncGenerator[Page, None]:
        return raw_pages(self._session, self._bucket, prefix, delimiter, "", self._size)

    async def _all(self, prefix: str, begun: AsyncGenerator[Page, None] | None = None) -> AsyncIterator[Entry]:
        async with aclosing(begun or self._pages(prefix, "")) as pages:
            page = await anext(pages)
        if not page.more:
            for entry in page.entries:
                yield entry
            return
        known = _whole_directories(page, prefix)
        async for entry in self._level(prefix):
            if not isinstance(entry, ListedPrefix):
                yield entry
            elif entry.key in known:
                for inner in known[entry.key]:
                    yield inner
            elif not self._is_done(entry.key):
                async for inner in self._all(entry.key):
                    yield inner

    async def _level(self, prefix: str, begun: AsyncGenerator[Page, None] | None = None) -> AsyncIterator[Entry]:
        """What stands in one directory, prefixes put where their slash belongs."""
        held: list[tuple[bytes, Entry]] = []
        async with aclosing(begun or self._pages(prefix, _SLASH)) as pages:
            async for page in pages:
                for entry in sorted(page.entries, key=_name_order):
                    # Whatever comes is named so or higher: all that sorts before it is complete.
                    while held and held[0][0] < _name_order(entry):
                        yield heapq.heappop(held)[1]
                    heapq.heappush(held, (byte_order(entry), entry))
        while held:
            yield heapq.heappop(held)[1]

    def _is_done(self, prefix: str) -> bool:
        return not self._start_after.startswith(prefix) and in_bytes(prefix) < in_bytes(self._start_after)


def _name_order(entry: Entry) -> bytes:
    return byte_order(entry).removesuffix(b"/")


def _whole_directories(page: Page, prefix: str) -> dict[str, list[Entry]]:
    """What a page has of the directories that it ends behind: they are complete in it."""
    if not page.entries:
        return {}
    last = max(page.entries, key=lambda entry: in_bytes(entry.key).split(b"/"))
    found: dict[str, list[Entry]] = {}
    for entry in page.entries:
        cut = entry.key.find(_SLASH, len(prefix))
        if cut >= 0:
            found.setdefault(entry.key[: cut + 1], []).append(entry)
    return {key: inner for key, inner in found.items() if not last.key.startswith(key)}
