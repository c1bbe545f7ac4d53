"""Listings of the embedded store, a page at a time.

Keys are compared as bytes, so every listing is a range of the primary key, and what a delimiter rolls up is skipped by
one seek instead of being read.
"""

from __future__ import annotations

from sqlite3 import Connection

from deltaglider.late import dataclass
from deltaglider.store.base import ListedObject, ListedPrefix
from deltaglider.store.directory.catalog import moment, require_bucket


@dataclass(frozen=True, slots=True)
class Listing:
    """What a listing asks for.

    Attributes:
        bucket: The bucket.
        prefix: Only keys that begin with it.
        delimiter: Groups keys by what stands before its first occurrence after the prefix.
    """

    bucket: str
    prefix: bytes
    delimiter: bytes

    def begin(self, start_after: bytes) -> bytes:
        """The first key that may be listed after ``start_after``."""
        if start_after < self.prefix:
            return self.prefix
        common = self.common_prefix(start_after) if start_after.startswith(self.prefix) else None
        return start_after + b"\0" if common is None else after_prefix(common)

    def common_prefix(self, key: bytes) -> bytes | None:
        """What a key that begins with the prefix is rolled up into; ``None`` if it stands for itself."""
        at = key.find(self.delimiter, len(self.prefix)) if self.delimiter else -1
        return key[: at + len(self.delimiter)] if at >= 0 else None


def page(
    connection: Connection, listing: Listing, position: bytes, limit: int
) -> tuple[list[ListedObject | ListedPrefix], bytes | None]:
    """One page of a listing.

    Args:
        connection: A connection with a read transaction.
        listing: What is asked for.
        position: The first key that may be on the page.
        limit: Entries at most.

    Returns:
        The entries, and where the next page begins; ``None`` if this one is the last.

    Raises:
        BucketNotFoundError: The bucket does not exist.
    """
    require_bucket(connection, listing.bucket)
    end = after_prefix(listing.prefix)
    entries: list[ListedObject | ListedPrefix] = []
    while len(entries) < limit:
        rows = connection.execute(
            "SELECT key, size, etag, modified FROM objects WHERE bucket = ? AND key >= ? AND key < ?"
            " ORDER BY key LIMIT ?",
            (listing.bucket, position, end, limit - len(entries)),
        )
        for key, size, etag, modified in rows:
            common = listing.common_prefix(key)
            if common is not None:
                entries.append(ListedPrefix(common.decode()))
                position = after_prefix(common)
                break
            entries.append(ListedObject(key.decode(), size, etag, moment(modified)))
            position = key + b"\0"
        else:
            return entries, position if len(entries) == limit else None
    return entries, position


def after_prefix(prefix: bytes) -> bytes:
    """The least key behind all that begin with a prefix."""
    # No byte of UTF-8 is 0xff: one more than the last byte is a byte, and 0xff is behind everything.
    return prefix[:-1] + bytes([prefix[-1] + 1]) if prefix else b"\xff"
