"""ListObjectsV2, a page at a time, as the store orders it."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from deltaglider.errors import StoreError
from deltaglider.late import dataclass
from deltaglider.store.base import ListedObject, ListedPrefix
from deltaglider.store.s3.answers import listed_object
from deltaglider.store.s3.session import S3Session

Entry = ListedObject | ListedPrefix


def byte_order(entry: Entry) -> bytes:
    """The sort key of an entry: S3 orders keys by their bytes in UTF-8."""
    return in_bytes(entry.key)


def in_bytes(key: str) -> bytes:
    """A key in UTF-8."""
    return key.encode("utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True)
class Page:
    """One answer.

    Attributes:
        entries: Objects and common prefixes, sorted.
        more: Whether another page follows.
    """

    entries: list[Entry]
    more: bool


async def raw_pages(
    session: S3Session, bucket: str, prefix: str, delimiter: str, start_after: str, size: int
) -> AsyncGenerator[Page, None]:
    """The pages of one listing; empty ones, too.

    Args:
        session: The session.
        bucket: The bucket.
        prefix: Only keys that begin with it.
        delimiter: Groups keys; may be empty.
        start_after: Only keys after this one; may be empty.
        size: Keys a page.

    Yields:
        The pages, each sorted in itself.

    Raises:
        StoreError: The store refused, failed, or does not say where to go on.
    """
    texts = {"Prefix": prefix, "Delimiter": delimiter, "StartAfter": start_after}
    wanted = {name: text for name, text in texts.items() if text}
    token = ""
    while True:
        further = {"ContinuationToken": token} if token else {}
        answer = await session.request("list_objects_v2", bucket, MaxKeys=size, **wanted, **further)
        if "IsTruncated" not in answer and "Name" not in answer:
            # A page of some web server: to call it an empty listing would make a sync delete everything.
            raise StoreError("the answer is not a listing", uri=f"s3://{bucket}/{prefix}", remedy="Check the endpoint")
        entries: list[Entry] = [listed_object(entry) for entry in answer.get("Contents", [])]
        entries += [ListedPrefix(entry["Prefix"]) for entry in answer.get("CommonPrefixes", [])]
        more = bool(answer.get("IsTruncated"))
        yield Page(sorted(entries, key=byte_order), more)
        if not more:
            return
        before, token = token, answer.get("NextContinuationToken") or ""
        if not token or token == before:
            raise StoreError("the store breaks its listing off without a way to go on", uri=f"s3://{bucket}/{prefix}")
