"""Listings: objects and common prefixes in byte order, unfinished uploads."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any
from urllib.parse import unquote_plus

from deltaglider.errors import NotSupportedError
from deltaglider.store.base import ListedUpload
from deltaglider.store.s3.answers import utc
from deltaglider.store.s3.rawpages import Entry, Page, byte_order, in_bytes, raw_pages
from deltaglider.store.s3.session import S3Session
from deltaglider.store.s3.treeorder import TreeListing

_LARGEST_PAGE = 1000


async def list_objects(
    session: S3Session, bucket: str, prefix: str, delimiter: str, start_after: str, page_size: int
) -> AsyncIterator[list[Entry]]:
    """See ``ObjectStore.list_objects``."""
    size = min(page_size, _LARGEST_PAGE)
    floor = in_bytes(start_after)
    last = b""
    async with aclosing(raw_pages(session, bucket, prefix, delimiter, start_after, size)) as pages:
        async for page in pages:
            if session.is_seaweed and (page.more or start_after):
                begun = None if start_after else _resumed(page, pages)
                tree = TreeListing(session, bucket, start_after, size).entries(prefix, delimiter, begun=begun)
                async for kept in _tree_pages(tree, floor, size):
                    yield kept
                return
            if page.entries and byte_order(page.entries[0]) < last:
                raise NotSupportedError(
                    "the store does not list keys in byte order, so nothing can be compared with its listing",
                    uri=f"s3://{bucket}/{prefix}",
                )
            last = byte_order(page.entries[-1]) if page.entries else last
            # Some stores ignore StartAfter, and prefixes mean different things to the others.
            kept = [entry for entry in page.entries if byte_order(entry) > floor] if start_after else page.entries
            if kept:
                yield kept


async def _resumed(first: Page, pages: AsyncGenerator[Page, None]) -> AsyncGenerator[Page, None]:
    """A listing whose first page was looked at; whoever began it closes it."""
    yield first
    async for page in pages:
        yield page


async def _tree_pages(tree: AsyncIterator[Entry], floor: bytes, size: int) -> AsyncIterator[list[Entry]]:
    entries: list[Entry] = []
    async for entry in tree:
        if byte_order(entry) > floor:
            entries.append(entry)
        if len(entries) == size:
            yield entries
            entries = []
    if entries:
        yield entries


async def unfinished_uploads(session: S3Session, bucket: str, prefix: str) -> AsyncIterator[ListedUpload]:
    """See ``ObjectStore.unfinished_uploads``."""
    wanted: dict[str, Any] = {"EncodingType": "url", **({"Prefix": prefix} if prefix else {})}
    while True:
        answer = await session.request("list_multipart_uploads", bucket, **wanted)
        # SeaweedFS says so and does not.
        encoded = answer.get("EncodingType") == "url" and not session.is_seaweed
        for entry in answer.get("Uploads", []):
            key = unquote_plus(entry["Key"]) if encoded else entry["Key"]
            if key.startswith(prefix):
                yield ListedUpload(key, entry["UploadId"], utc(entry.get("Initiated")))
        marker = answer.get("NextKeyMarker") or ""
        before = wanted.get("KeyMarker"), wanted.get("UploadIdMarker")
        wanted["KeyMarker"] = unquote_plus(marker) if encoded else marker
        wanted["UploadIdMarker"] = answer.get("NextUploadIdMarker") or ""
        if not answer.get("IsTruncated") or before == (wanted["KeyMarker"], wanted["UploadIdMarker"]):
            return
