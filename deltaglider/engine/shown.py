"""What the first page of a listing shows: enough to tell of most places whether a key is free."""

from __future__ import annotations

import logging
from contextlib import aclosing

from deltaglider.engine.context import Context
from deltaglider.errors import StoreError
from deltaglider.late import dataclass
from deltaglider.layout.keys import delta_key, sort_key
from deltaglider.store.base import ListedObject, ListedPrefix

logger = logging.getLogger("deltaglider.engine")


@dataclass(frozen=True, slots=True)
class Shown:
    """The stored keys at the beginning of a place.

    Attributes:
        prefix: The place: keys that begin with it.
        keys: The stored keys listed.
        end: The last key that the page tells of; ``None`` if it tells of all.
    """

    prefix: str
    keys: frozenset[str] = frozenset()
    end: str | None = ""

    def lacks(self, key: str) -> bool:
        """Whether nothing was stored under a key, in either form; ``False`` where that is not known."""
        known = self.end is None or sort_key(delta_key(key)) <= sort_key(self.end)
        return known and key.startswith(self.prefix) and key not in self.keys and delta_key(key) not in self.keys


async def first_page(ctx: Context, bucket: str, prefix: str) -> Shown:
    """Lists the beginning of a place.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        prefix: The place.

    Returns:
        What is there; nothing is known where listing is not allowed, or fails.
    """
    try:
        pages = ctx.store.list_objects(bucket, prefix, page_size=ctx.settings.page_size)
        async with aclosing(pages) as listed:  # type: ignore[type-var]
            page: list[ListedObject | ListedPrefix] = await anext(listed, [])
            full = len(page) >= ctx.settings.page_size
            # A page that is not full is mostly the last one; only the store can tell.
            if full or await anext(listed, None) is not None:
                return Shown(prefix, frozenset(entry.key for entry in page), page[-1].key)
            return Shown(prefix, frozenset(entry.key for entry in page), None)
    except StoreError as error:
        logger.debug("each key below s3://%s/%s will be looked at: %s", bucket, prefix, error)
        return Shown(prefix)
