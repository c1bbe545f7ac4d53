"""Listings in byte order from a store that walks a tree of directories.

SeaweedFS keeps keys in directories and lists ``a/x`` where the name ``a`` stands: before ``a-b`` and ``a.txt``,
though ``/`` sorts after ``-`` and ``.``. Merging such a listing with a sorted one would take keys for missing that are
not, and a sync would delete them. Here directories that fit one page are listed and sorted whole, bigger ones level by
level; what is held in memory is one page a level, and the few prefixes of a level whose turn has not come.
"""

from __future__ import annotations

import heapq
from collections.abc import AsyncIterator
from contextlib import aclosing

from deltaglider.store.base import ListedPrefix
from deltaglider.store.s3.rawpages import Entry, byte_order, in_bytes, raw_pages
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

    async def entries(self, prefix: str, delimiter: str) -> AsyncIterator[Entry]:
        """Objects and common prefixes in byte order.

        Args:
            prefix: Only keys that begin with it.
            delimiter: Groups keys; may be empty.
        """
        if delimiter == _SLASH:
            async for entry in self._level(prefix):
                yield entry
            return
        group = ""
        async for entry in self._all(prefix):
            cut = entry.key.find(delimiter, len(prefix)) if delimiter else -1
            if cut < 0:
                yield entry
            elif entry.key[: cut + len(delimiter)] != group:
                group = entry.key[: cut + len(delimiter)]
                yield ListedPrefix(group)

    async def _all(self, prefix: str) -> AsyncIterator[Entry]:
        async with aclosing(raw_pages(self._session, self._bucket, prefix, "", "", self._size)) as pages:
            page = await anext(pages)
        if not page.more:
            for entry in page.entries:
                yield entry
            return
        async for entry in self._level(prefix):
            if not isinstance(entry, ListedPrefix):
                yield entry
            elif not self._is_done(entry.key):
                async for inner in self._all(entry.key):
                    yield inner

    async def _level(self, prefix: str) -> AsyncIterator[Entry]:
        """What stands in one directory, prefixes put where their slash belongs."""
        held: list[tuple[bytes, Entry]] = []
        async for page in raw_pages(self._session, self._bucket, prefix, _SLASH, "", self._size):
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
