"""``get_object`` and ``head_object``: answers as of boto3's client, over the original files."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Any, Final, cast

from deltaglider.client.boto import responses
from deltaglider.client.boto.base import ASKED, BotoBase
from deltaglider.client.boto.body import AsyncStreamingBody, FileSource, Source, WindowSource
from deltaglider.client.boto.conditions import Conditions, Span, UnsatisfiableRangeError, Verdict, span_of
from deltaglider.client.boto.exceptions import client_error
from deltaglider.client.boto.parameters import check_parameters
from deltaglider.client.boto.shapes import AsyncGetObjectOutput, HeadObjectOutput
from deltaglider.engine.context import uri_of
from deltaglider.engine.listing import info_of
from deltaglider.engine.locate import Form, locate
from deltaglider.engine.materialise import check_format
from deltaglider.engine.reading import read_window, write_all, write_part
from deltaglider.errors import NotFoundError, NotSupportedError, PreconditionFailedError
from deltaglider.late import dataclass
from deltaglider.models import ObjectInfo

_ATTEMPTS: Final = 5

OVERRIDES: Final = {
    "ResponseCacheControl": "CacheControl",
    "ResponseContentDisposition": "ContentDisposition",
    "ResponseContentEncoding": "ContentEncoding",
    "ResponseContentLanguage": "ContentLanguage",
    "ResponseContentType": "ContentType",
    "ResponseExpires": "Expires",
}
"""Parameters of a read that replace headers of its answer."""

_KNOWN: Final = frozenset({*OVERRIDES, *ASKED, "ChecksumMode"})


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a read asks for."""

    operation: str
    bucket: str
    key: str
    conditions: Conditions
    range: str | None
    version: str | None
    part: int | None


class ReadMethods(BotoBase):
    """Objects and what is known of them."""

    async def get_object(
        self,
        /,
        *,
        Bucket: str,
        Key: str,
        Range: str | None = None,
        IfMatch: str | None = None,
        IfNoneMatch: str | None = None,
        IfModifiedSince: datetime | None = None,
        IfUnmodifiedSince: datetime | None = None,
        VersionId: str | None = None,
        PartNumber: int | None = None,
        **parameters: Any,
    ) -> AsyncGetObjectOutput:
        """An object, as boto3's ``get_object`` gives it; one stored as a delta is its original file.

        ``Body`` is read once, and holds no connection. Of an object stored as a delta all bytes are proven before this
        returns; of one stored whole, the last piece is not given unless all were right.

        Args:
            Bucket: The bucket.
            Key: The key.
            Range: ``bytes=0-9``, ``bytes=10-`` or ``bytes=-10``.
            IfMatch: Only if it has this ETag.
            IfNoneMatch: Only if it has another one.
            IfModifiedSince: Only if it was stored after this moment.
            IfUnmodifiedSince: Only if it was not.
            VersionId: Of the version wanted; the current one, if it is left out.
            PartNumber: Only this part of it. What is stored as a delta has one part.
            **parameters: ``Response...`` headers, ``ChecksumMode``, ``RequestPayer``, ``ExpectedBucketOwner``.

        Returns:
            boto3's answer: ``Body``, ``ContentLength``, ``ETag``, ``LastModified``, ``ContentType``, ``Metadata``, ...

        Raises:
            ClientError: ``NoSuchKey``, ``NoSuchBucket``, ``PreconditionFailed``, ``304``, ``InvalidRange``, ...
        """
        check_parameters("GetObject", parameters, _KNOWN)
        conditions = Conditions(
            if_match=IfMatch,
            if_none_match=IfNoneMatch,
            if_modified_since=IfModifiedSince,
            if_unmodified_since=IfUnmodifiedSince,
        )
        wanted = _Wanted("GetObject", Bucket, Key, conditions, Range, VersionId, PartNumber)
        with self._call("GetObject", Bucket, Key, parameters):
            for attempt in range(_ATTEMPTS):
                form, info, span, parts = await self._judged(wanted)
                try:
                    source = await self._source(Key, form, info, span)
                except (PreconditionFailedError, NotFoundError):
                    if attempt == _ATTEMPTS - 1:
                        raise
                    continue  # It was replaced since it was judged.
                length = info.size if span is None else span.length
                answer = _answer(form, info, span, parts, parameters)
                return cast("AsyncGetObjectOutput", {**answer, "Body": AsyncStreamingBody(source, length)})
        raise AssertionError("unreachable")

    async def head_object(
        self,
        /,
        *,
        Bucket: str,
        Key: str,
        Range: str | None = None,
        IfMatch: str | None = None,
        IfNoneMatch: str | None = None,
        IfModifiedSince: datetime | None = None,
        IfUnmodifiedSince: datetime | None = None,
        VersionId: str | None = None,
        PartNumber: int | None = None,
        **parameters: Any,
    ) -> HeadObjectOutput:
        """What is known of an object, as boto3's ``head_object`` gives it: size, ETag and metadata of the original.

        Args:
            Bucket: The bucket.
            Key: The key.
            Range: As for ``get_object``.
            IfMatch: Only if it has this ETag.
            IfNoneMatch: Only if it has another one.
            IfModifiedSince: Only if it was stored after this moment.
            IfUnmodifiedSince: Only if it was not.
            VersionId: As for ``get_object``.
            PartNumber: As for ``get_object``.
            **parameters: As for ``get_object``.

        Returns:
            boto3's answer.

        Raises:
            ClientError: ``404``, ``304``, ``412``, ``403``, ...
        """
        check_parameters("HeadObject", parameters, _KNOWN)
        conditions = Conditions(
            if_match=IfMatch,
            if_none_match=IfNoneMatch,
            if_modified_since=IfModifiedSince,
            if_unmodified_since=IfUnmodifiedSince,
        )
        wanted = _Wanted("HeadObject", Bucket, Key, conditions, Range, VersionId, PartNumber)
        with self._call("HeadObject", Bucket, Key, parameters):
            form, info, span, parts = await self._judged(wanted)
        return cast("HeadObjectOutput", _answer(form, info, span, parts, parameters))

    async def _judged(self, wanted: _Wanted) -> tuple[Form, ObjectInfo, Span | None, int]:
        """The object, once its conditions hold; the part of it that is wanted, and of how many it is one."""
        form = await self._located(wanted)
        info = info_of(wanted.bucket, wanted.key, form)
        verdict = wanted.conditions.judge(info.etag, info.last_modified)
        if verdict is Verdict.NOT_MODIFIED:
            raise client_error(wanted.operation, "304", 304, "Not Modified")
        if verdict is Verdict.FAILED:
            message = "At least one of the pre-conditions you specified did not hold"
            raise client_error(wanted.operation, "PreconditionFailed", 412, message)
        if wanted.part is not None:
            return form, info, *await self._part(wanted, wanted.part, form, info)
        try:
            return form, info, span_of(wanted.range, info.size), 0
        except UnsatisfiableRangeError:
            details = {"ActualObjectSize": str(info.size), "RangeRequested": wanted.range or ""}
            message = "The requested range is not satisfiable"
            raise client_error(wanted.operation, "InvalidRange", 416, message, **details) from None

    async def _located(self, wanted: _Wanted) -> Form:
        try:
            return await locate(self._context(), wanted.bucket, wanted.key, wanted.version)
        except NotSupportedError as error:
            if wanted.version is None or error.status != HTTPStatus.METHOD_NOT_ALLOWED:
                raise
            message = "The specified version is a delete marker"
            raise client_error(wanted.operation, "MethodNotAllowed", 405, message) from error

    async def _part(self, wanted: _Wanted, part: int, form: Form, info: ObjectInfo) -> tuple[Span | None, int]:
        """The bytes of a part, and the number of parts; no number where the object was stored in one."""
        if wanted.range is not None:
            message = "Cannot specify both Range header and partNumber query parameter"
            raise client_error(wanted.operation, "InvalidRequest", 400, message)
        if form.is_delta or "-" not in form.stored.etag or not self._on_server:
            if part != 1:
                message = "The requested partnumber is not satisfiable"
                raise client_error(wanted.operation, "InvalidPartNumber", 416, message)
            return (Span(0, info.size, info.size) if info.size else None), 0
        told = await self._headed_part(wanted, form, part)
        length = int(told["ContentLength"])
        found = re.match(r"bytes (\d+)-", told["ResponseMetadata"]["HTTPHeaders"].get("content-range", ""))
        if found is not None:
            start = int(found[1])
        else:  # Not all stores tell where a part begins.
            before = [await self._headed_part(wanted, form, number) for number in range(1, part)]
            start = sum(int(each["ContentLength"]) for each in before)
        return Span(start, length, info.size), int(told.get("PartsCount", 0))

    async def _headed_part(self, wanted: _Wanted, form: Form, number: int) -> dict[str, Any]:
        version = {} if form.version is None else {"VersionId": form.version}
        place = {"Bucket": wanted.bucket, "Key": form.stored.key}
        return dict(await self._native("head_object", wanted.operation, **place, PartNumber=number, **version))

    async def _source(self, key: str, form: Form, info: ObjectInfo, span: Span | None) -> Source:
        ctx = self._context()
        start, length = (0, info.size) if span is None else (span.start, span.length)
        check_format(ctx, info.bucket, key, form)
        if not form.is_delta:
            expected = info.sha256 if span is None else ""
            window = partial(read_window, ctx, form)
            source = WindowSource(ctx, window, start, length, sha256=expected, uri=uri_of(info.bucket, key))
            await source.prepare()
            return source
        with ExitStack() as stack:
            path = stack.enter_context(ctx.spool.file())
            if span is None:
                await write_all(ctx, key, form, path)
            else:
                await write_part(ctx, key, form, path, start, length)
            return FileSource(ctx, path, stack.pop_all(), 0, length)


def _answer(form: Form, info: ObjectInfo, span: Span | None, parts: int, given: Mapping[str, Any]) -> dict[str, Any]:
    replaced = {OVERRIDES[name]: value for name, value in given.items() if name in OVERRIDES}
    answer = responses.object_answer(info, span, replaced=replaced)
    if form.stored.version_id is not None:
        answer["VersionId"] = form.stored.version_id
    if form.stored.tag_count:
        answer["TagCount"] = form.stored.tag_count
    if parts:
        answer["PartsCount"] = parts
    if given.get("ChecksumMode") == "ENABLED" and info.sha256 and span is None:
        answer |= {"ChecksumSHA256": b64encode(bytes.fromhex(info.sha256)).decode(), "ChecksumType": "FULL_OBJECT"}
    return answer
