"""``list_objects_v2`` and ``list_objects``: pages of logical keys, in their order, with the sizes of the originals."""

from __future__ import annotations

import base64
import binascii
from contextlib import aclosing
from typing import Any, Final, cast
from urllib.parse import quote

from deltaglider.client.boto.base import ASKED, BotoBase
from deltaglider.client.boto.exceptions import client_error, response_metadata
from deltaglider.client.boto.parameters import check_parameters
from deltaglider.client.boto.responses import quoted
from deltaglider.client.boto.shapes import ListObjectsOutput, ListObjectsV2Output
from deltaglider.engine import listing
from deltaglider.models import ObjectInfo, Prefix

_MOST: Final = 1000
_KNOWN: Final = ASKED | {"FetchOwner", "OptionalObjectAttributes"}


class ListMethods(BotoBase):
    """Pages of a listing."""

    async def list_objects_v2(
        self,
        /,
        *,
        Bucket: str,
        Prefix: str = "",
        Delimiter: str = "",
        MaxKeys: int = _MOST,
        ContinuationToken: str | None = None,
        StartAfter: str = "",
        EncodingType: str | None = None,
        **parameters: Any,
    ) -> ListObjectsV2Output:
        """A page of a listing, as boto3's ``list_objects_v2`` gives it.

        Args:
            Bucket: The bucket.
            Prefix: Only keys that begin with it.
            Delimiter: Groups keys by what stands before its first occurrence after the prefix.
            MaxKeys: Keys and prefixes of the page, at most 1000.
            ContinuationToken: ``NextContinuationToken`` of the page before.
            StartAfter: Only keys after this one.
            EncodingType: ``url`` for percent-encoded keys.
            **parameters: ``RequestPayer``, ``ExpectedBucketOwner``; ``FetchOwner`` means nothing here.

        Returns:
            boto3's answer.

        Raises:
            ClientError: ``NoSuchBucket``, ``InvalidArgument``, ...
        """
        check_parameters("ListObjectsV2", parameters, _KNOWN)
        after = StartAfter if ContinuationToken is None else _position(ContinuationToken)
        with self._call("ListObjectsV2", Bucket, asking=parameters):
            page = await self._page(Bucket, Prefix, Delimiter, MaxKeys, after)
        answer = page.answer(Bucket, Prefix, Delimiter, MaxKeys, encoded=EncodingType == "url")
        answer["KeyCount"] = len(page.entries)
        if ContinuationToken is not None:
            answer["ContinuationToken"] = ContinuationToken
        if StartAfter:
            answer["StartAfter"] = StartAfter
        if page.is_truncated:
            answer["NextContinuationToken"] = _token(page.last)
        return cast("ListObjectsV2Output", answer)

    async def list_objects(
        self,
        /,
        *,
        Bucket: str,
        Prefix: str = "",
        Delimiter: str = "",
        MaxKeys: int = _MOST,
        Marker: str = "",
        EncodingType: str | None = None,
        ContinuationToken: str | None = None,
        StartAfter: str = "",
        FetchMetadata: bool = False,
        **parameters: Any,
    ) -> ListObjectsOutput:
        """A page of a listing, as boto3's ``list_objects`` gives it; and the tokens of ``list_objects_v2``.

        The retired SDK had this one alone, in the shape of the other, and each object with a ``Metadata`` of
        ``deltaglider-`` names, which tells how it is stored.

        Args:
            Bucket: The bucket.
            Prefix: Only keys that begin with it.
            Delimiter: Groups keys by what stands before its first occurrence after the prefix.
            MaxKeys: Keys and prefixes of the page, at most 1000.
            Marker: Only keys after this one.
            EncodingType: ``url`` for percent-encoded keys.
            ContinuationToken: ``NextContinuationToken`` of the page before, in place of a ``Marker``.
            StartAfter: The same as ``Marker``.
            FetchMetadata: Means nothing any more: what it asked for is always there.
            **parameters: ``RequestPayer``, ``ExpectedBucketOwner``.

        Returns:
            boto3's answer.

        Raises:
            ClientError: ``NoSuchBucket``, ...
        """
        check_parameters("ListObjects", parameters, _KNOWN)
        after = max(Marker, StartAfter) if ContinuationToken is None else _position(ContinuationToken)
        with self._call("ListObjects", Bucket, asking=parameters):
            page = await self._page(Bucket, Prefix, Delimiter, MaxKeys, after)
        answer = page.answer(Bucket, Prefix, Delimiter, MaxKeys, encoded=EncodingType == "url")
        infos = [entry for entry in page.entries if isinstance(entry, ObjectInfo)]
        for content, info in zip(answer.get("Contents", ()), infos, strict=True):
            content["Metadata"] = _form(info)
        answer |= {"Marker": Marker, "KeyCount": len(page.entries)}
        if page.is_truncated:
            answer["NextContinuationToken"] = _token(page.last)
        if page.is_truncated and Delimiter:
            answer["NextMarker"] = page.last
        return cast("ListObjectsOutput", answer)

    async def _page(self, bucket: str, prefix: str, delimiter: str, most: int, after: str) -> _Page:
        page = _Page(min(most, _MOST))
        entries = listing.list_objects(self._context(), bucket, prefix, delimiter=delimiter, start_after=after)
        async with aclosing(entries) as found:
            async for entry in found:
                if not page.take(entry):
                    break
        return page


class _Page:
    """What fits on a page, and whether there is more."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.entries: list[ObjectInfo | Prefix] = []
        self.is_truncated = False

    def take(self, entry: ObjectInfo | Prefix) -> bool:
        """Takes an entry; tells whether it had room for it."""
        if len(self.entries) < self._most:
            self.entries.append(entry)
            return True
        self.is_truncated = self._most > 0
        return False

    @property
    def last(self) -> str:
        """Where the next page begins."""
        last = self.entries[-1]
        return last.prefix if isinstance(last, Prefix) else last.key

    def answer(self, bucket: str, prefix: str, delimiter: str, most: int, *, encoded: bool) -> dict[str, Any]:
        """What both versions of the operation have in common."""

        def spell(text: str) -> str:
            return quote(text, safe="/") if encoded else text

        answer: dict[str, Any] = {
            "ResponseMetadata": response_metadata(200),
            "IsTruncated": self.is_truncated,
            "Name": bucket,
            "Prefix": spell(prefix),
            "MaxKeys": most,
            "EncodingType": "url",  # botocore always asks for it, and decodes what it got.
        }
        if delimiter:
            answer["Delimiter"] = spell(delimiter)
        contents = [_content(entry, spell(entry.key)) for entry in self.entries if isinstance(entry, ObjectInfo)]
        prefixes = [{"Prefix": spell(entry.prefix)} for entry in self.entries if isinstance(entry, Prefix)]
        return (
            answer | ({"Contents": contents} if contents else {}) | ({"CommonPrefixes": prefixes} if prefixes else {})
        )


def _content(info: ObjectInfo, key: str) -> dict[str, Any]:
    return {
        "Key": key,
        "LastModified": info.last_modified,
        "ETag": quoted(info.etag),
        "Size": info.size,
        "StorageClass": info.storage_class,
    }


def _form(info: ObjectInfo) -> dict[str, str]:
    """How an object is stored, in the words of the retired SDK."""
    form = {
        "deltaglider-is-delta": str(info.is_delta).lower(),
        "deltaglider-original-size": str(info.size),
        "deltaglider-stored-size": str(info.stored_size),
        "deltaglider-compression-ratio": str(round(info.compression_ratio, 4)),
    }
    return form | ({"deltaglider-reference-key": info.reference_key} if info.reference_key else {})


def _token(position: str) -> str:
    return base64.urlsafe_b64encode(position.encode()).decode()


def _position(token: str) -> str:
    try:
        return base64.b64decode(token, b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        message = "The continuation token provided is incorrect"
        raise client_error("ListObjectsV2", "InvalidArgument", 400, message) from None
