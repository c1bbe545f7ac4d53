"""``get_object`` and ``head_object``: answers as of boto3's client, over the original files."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime
from functools import partial
from typing import Any, Final, cast

from deltaglider.client.base import ClientBase
from deltaglider.client.boto import responses
from deltaglider.client.boto.body import AsyncStreamingBody, FileSource, Source, WindowSource
from deltaglider.client.boto.conditions import Conditions, Span, UnsatisfiableRangeError, Verdict, span_of
from deltaglider.client.boto.exceptions import client_error, client_errors
from deltaglider.client.boto.parameters import check_parameters
from deltaglider.client.boto.shapes import AsyncGetObjectOutput, HeadObjectOutput
from deltaglider.engine.context import uri_of
from deltaglider.engine.listing import info_of
from deltaglider.engine.locate import Form, locate
from deltaglider.engine.materialise import check_format
from deltaglider.engine.reading import read_window, write_all, write_part
from deltaglider.errors import NotFoundError, PreconditionFailedError
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


class ReadMethods(ClientBase):
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
            **parameters: ``Response...`` headers; ``ChecksumMode`` and ``RequestPayer`` mean nothing here.

        Returns:
            boto3's answer: ``Body``, ``ContentLength``, ``ETag``, ``LastModified``, ``ContentType``, ``Metadata``, ...

        Raises:
            ClientError: ``NoSuchKey``, ``NoSuchBucket``, ``PreconditionFailed``, ``304``, ``InvalidRange``, ...
        """
        check_parameters("GetObject", parameters, {*OVERRIDES, "ChecksumMode", "RequestPayer"})
        conditions = Conditions(
            if_match=IfMatch,
            if_none_match=IfNoneMatch,
            if_modified_since=IfModifiedSince,
            if_unmodified_since=IfUnmodifiedSince,
        )
        with client_errors("GetObject", Bucket, Key):
            for attempt in range(_ATTEMPTS):
                form, info, span = await self._judged("GetObject", Bucket, Key, conditions, Range)
                try:
                    source = await self._source(Key, form, info, span)
                except (PreconditionFailedError, NotFoundError):
                    if attempt == _ATTEMPTS - 1:
                        raise
                    continue  # It was replaced since it was judged.
                length = info.size if span is None else span.length
                answer = responses.object_answer(info, span, replaced=_overrides(parameters))
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
            **parameters: As for ``get_object``.

        Returns:
            boto3's answer.

        Raises:
            ClientError: ``404``, ``304``, ``412``, ``403``, ...
        """
        check_parameters("HeadObject", parameters, {*OVERRIDES, "ChecksumMode", "RequestPayer"})
        conditions = Conditions(
            if_match=IfMatch,
            if_none_match=IfNoneMatch,
            if_modified_since=IfModifiedSince,
            if_unmodified_since=IfUnmodifiedSince,
        )
        with client_errors("HeadObject", Bucket, Key):
            _, info, span = await self._judged("HeadObject", Bucket, Key, conditions, Range)
        return cast("HeadObjectOutput", responses.object_answer(info, span, replaced=_overrides(parameters)))

    async def _judged(
        self, operation: str, bucket: str, key: str, conditions: Conditions, asked: str | None
    ) -> tuple[Form, ObjectInfo, Span | None]:
        form = await locate(self._context(), bucket, key)
        info = info_of(bucket, key, form)
        verdict = conditions.judge(info.etag, info.last_modified)
        if verdict is Verdict.NOT_MODIFIED:
            raise client_error(operation, "304", 304, "Not Modified")
        if verdict is Verdict.FAILED:
            message = "At least one of the pre-conditions you specified did not hold"
            raise client_error(operation, "PreconditionFailed", 412, message)
        try:
            return form, info, span_of(asked, info.size)
        except UnsatisfiableRangeError:
            details = {"ActualObjectSize": str(info.size), "RangeRequested": asked or ""}
            message = "The requested range is not satisfiable"
            raise client_error(operation, "InvalidRange", 416, message, **details) from None

    async def _source(self, key: str, form: Form, info: ObjectInfo, span: Span | None) -> Source:
        ctx = self._context()
        start, length = (0, info.size) if span is None else (span.start, span.length)
        check_format(info.bucket, key, form)
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


def _overrides(parameters: dict[str, Any]) -> dict[str, Any]:
    return {OVERRIDES[name]: value for name, value in parameters.items() if name in OVERRIDES}
