"""Uploads in parts, as boto3's client has them: the parts wait here, and the object is stored when they are complete.

So it can be stored as a delta, which no store could make of parts. An upload that was begun elsewhere, by another
process or another tool, is the store's own, and all calls about it are handed on to the store.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from typing import Any, Final, cast
from urllib.parse import quote

from deltaglider.client.boto import shapes
from deltaglider.client.boto.base import ASKED, ASKED_OF_COPIES, BotoBase
from deltaglider.client.boto.checksums import BODY_PARAMETERS, check_body
from deltaglider.client.boto.copying import SOURCE_CONDITIONS, check_source, copy_source
from deltaglider.client.boto.exceptions import client_error, response_metadata
from deltaglider.client.boto.parameters import WRITE_PARAMETERS, check_parameters, conditions_of_write
from deltaglider.client.boto.parts import (
    check_number,
    chosen,
    no_such_upload,
    part_told,
    source_range,
    upload_told,
)
from deltaglider.client.boto.responses import quoted, told
from deltaglider.client.boto.writing import write_options
from deltaglider.client.pending import Pending
from deltaglider.client.sources import Source, as_file
from deltaglider.engine import upload as uploading
from deltaglider.engine.listing import info_of
from deltaglider.engine.locate import locate
from deltaglider.engine.reading import write_span
from deltaglider.engine.vacancy import check_key

_PAGE: Final = 1000
_NO_BUCKET: Final = "The specified bucket does not exist"
_CREATE: Final = frozenset({*WRITE_PARAMETERS, *ASKED, "Tagging", "ChecksumAlgorithm", "ChecksumType"})
_COMPLETE: Final = (BODY_PARAMETERS | ASKED | {"ChecksumType", "IfMatch", "IfNoneMatch", "MpuObjectSize"}) - {
    "ContentLength",
    "ContentMD5",
}


class MultipartCalls(BotoBase):
    """Uploads in parts."""

    async def create_multipart_upload(
        self, /, *, Bucket: str, Key: str, Metadata: Mapping[str, str] | None = None, **parameters: Any
    ) -> shapes.CreateMultipartUploadOutput:
        """Begins an upload in parts, as boto3's ``create_multipart_upload``.

        The parts wait in the client's temporary directory, which takes as much room as they have bytes, and twice as
        much while they are put together. They go with the client, or when the upload is aborted.

        Args:
            Bucket: The bucket.
            Key: The key.
            Metadata: User metadata.
            **parameters: Headers and write parameters, by boto3's names; ``Tagging``.

        Returns:
            boto3's answer; its ``UploadId`` means something to this client alone.

        Raises:
            ClientError: ``NoSuchBucket``, ...
        """
        check_parameters("CreateMultipartUpload", parameters, _CREATE)
        with self._call("CreateMultipartUpload", Bucket, Key, parameters):
            write_options("CreateMultipartUpload", Metadata, parameters)
            check_key(Bucket, Key)
            if not await self._context().store.bucket_exists(Bucket):
                raise client_error("CreateMultipartUpload", "NoSuchBucket", 404, _NO_BUCKET, BucketName=Bucket)
            kept = {name: value for name, value in parameters.items() if name not in ASKED}
            upload = self._pending.begin(Bucket, Key, {**kept, **({"Metadata": Metadata} if Metadata else {})})
        return {"ResponseMetadata": response_metadata(200), "Bucket": Bucket, "Key": Key, "UploadId": upload.id}

    async def upload_part(
        self,
        /,
        *,
        Bucket: str,
        Key: str,
        UploadId: str,
        PartNumber: int,
        Body: Source | str = b"",
        **parameters: Any,
    ) -> shapes.UploadPartOutput:
        """Adds a part, as boto3's ``upload_part``.

        Args:
            Bucket: The bucket.
            Key: The key.
            UploadId: Of the upload.
            PartNumber: 1 to 10000; a part of that number is replaced.
            Body: As for ``put_object``.
            **parameters: Checksums, which are held against the part's bytes; ``RequestPayer``,
                ``ExpectedBucketOwner``.

        Returns:
            boto3's answer: ``ETag`` is the MD5 of the part.

        Raises:
            ClientError: ``NoSuchUpload``, ``InvalidArgument``, ``BadDigest``, ...
        """
        upload = self._pending.find(Bucket, Key, UploadId)
        if upload is None or upload.moved_to:
            return cast(
                "shapes.UploadPartOutput",
                await self._elsewhere(
                    "upload_part",
                    upload,
                    {"Bucket": Bucket, "Key": Key, "UploadId": UploadId, "PartNumber": PartNumber, "Body": Body},
                    parameters,
                ),
            )
        check_parameters("UploadPart", parameters, BODY_PARAMETERS | ASKED)
        check_number("UploadPart", PartNumber)
        with self._call("UploadPart", Bucket, Key, parameters):
            ctx, body = self._context(), Body.encode() if isinstance(Body, str) else Body
            async with as_file(ctx, body) as path:
                sums = await ctx.thread(check_body, "UploadPart", path, parameters)
                take = not isinstance(body, os.PathLike)
                part = await ctx.thread(partial(upload.add, PartNumber, path, take=take))
        return cast(
            "shapes.UploadPartOutput", {"ResponseMetadata": response_metadata(200), "ETag": quoted(part.md5), **sums}
        )

    async def upload_part_copy(
        self,
        /,
        *,
        Bucket: str,
        Key: str,
        UploadId: str,
        PartNumber: int,
        CopySource: str | Mapping[str, str],
        CopySourceRange: str | None = None,
        **parameters: Any,
    ) -> shapes.UploadPartCopyOutput:
        """Adds a part made of an object, or of some of its bytes, as boto3's ``upload_part_copy``.

        Args:
            Bucket: The bucket.
            Key: The key.
            UploadId: Of the upload.
            PartNumber: 1 to 10000.
            CopySource: As for ``copy_object``.
            CopySourceRange: ``bytes=first-last``, of the original bytes.
            **parameters: ``CopySourceIf...``, ``RequestPayer``, ``ExpectedBucketOwner``,
                ``ExpectedSourceBucketOwner``.

        Returns:
            boto3's answer.

        Raises:
            ClientError: ``NoSuchUpload``, ``NoSuchKey``, ``InvalidArgument``, ``PreconditionFailed``, ...
        """
        bucket, key, version = copy_source(CopySource)
        upload = self._pending.find(Bucket, Key, UploadId)
        if upload is None or upload.moved_to:
            named = {"Bucket": Bucket, "Key": Key, "UploadId": UploadId, "PartNumber": PartNumber}
            ranged = {} if CopySourceRange is None else {"CopySourceRange": CopySourceRange}
            return cast(
                "shapes.UploadPartCopyOutput",
                await self._elsewhere(
                    "upload_part_copy", upload, {**named, "CopySource": CopySource, **ranged}, parameters
                ),
            )
        check_parameters("UploadPartCopy", parameters, {*SOURCE_CONDITIONS, *ASKED_OF_COPIES})
        check_number("UploadPartCopy", PartNumber)
        with self._call("UploadPartCopy", bucket, key, parameters, to=Bucket):
            ctx = self._context()
            form = await locate(ctx, bucket, key, version)
            check_source("UploadPartCopy", parameters, form)
            start, length = source_range(CopySourceRange, info_of(bucket, key, form).size)
            with ctx.spool.file() as path:
                await write_span(ctx, key, form, path, start, length)
                part = await ctx.thread(partial(upload.add, PartNumber, path, take=True))
        answer = {
            "ResponseMetadata": response_metadata(200),
            "CopyPartResult": {"ETag": quoted(part.md5), "LastModified": part.stored},
        }
        return cast("shapes.UploadPartCopyOutput", {**answer, "CopySourceVersionId": version} if version else answer)

    async def complete_multipart_upload(
        self,
        /,
        *,
        Bucket: str,
        Key: str,
        UploadId: str,
        MultipartUpload: Mapping[str, Any] | None = None,
        **parameters: Any,
    ) -> shapes.CompleteMultipartUploadOutput:
        """Stores the object, as boto3's ``complete_multipart_upload``: as a delta where that is worth it.

        Args:
            Bucket: The bucket.
            Key: The key.
            UploadId: Of the upload.
            MultipartUpload: ``{"Parts": [{"PartNumber": ..., "ETag": ...}, ...]}``, in the order of their numbers.
            **parameters: ``IfMatch``, ``IfNoneMatch``, ``MpuObjectSize``, checksums of the object,
                ``RequestPayer``, ``ExpectedBucketOwner``.

        Returns:
            boto3's answer, and ``DeltaGliderInfo``: how it was stored. ``ETag`` is that of the object as ``get_object``
            tells it: of one stored as a delta, the MD5 of all its bytes.

        Raises:
            ClientError: ``NoSuchUpload``, ``InvalidPart``, ``InvalidPartOrder``, ``EntityTooSmall``, ...
        """
        operation = "CompleteMultipartUpload"
        upload = self._pending.find(Bucket, Key, UploadId)
        if upload is None or upload.moved_to:
            named = {"Bucket": Bucket, "Key": Key, "UploadId": UploadId, "MultipartUpload": MultipartUpload or {}}
            answer = await self._elsewhere("complete_multipart_upload", upload, named, parameters)
            if upload is not None:
                self._pending.drop(upload)
            return cast("shapes.CompleteMultipartUploadOutput", answer)
        check_parameters(operation, parameters, _COMPLETE)
        with self._call(operation, Bucket, Key, parameters):
            async with upload.lock:
                if self._pending.find(Bucket, Key, UploadId) is None:
                    raise no_such_upload(operation, UploadId)
                parts = chosen(upload, (MultipartUpload or {}).get("Parts", ()))
                ctx = self._context()
                options = write_options(operation, upload.parameters.get("Metadata"), upload.parameters)
                options = conditions_of_write(operation, parameters, options)
                with ctx.spool.file() as path:
                    await ctx.thread(upload.join, parts, path)
                    size = parameters.get("MpuObjectSize")
                    declared = {**parameters, **({} if size is None else {"ContentLength": size})}
                    sums = await ctx.thread(check_body, operation, path, declared)
                    summary = await uploading.upload(ctx, path, Bucket, Key, options=options)
                self._pending.drop(upload)
        answer = {
            "ResponseMetadata": response_metadata(200),
            "Location": f"{ctx.store.identity}/{Bucket}/{quote(Key)}",
            "Bucket": Bucket,
            "Key": Key,
            "ETag": quoted(summary.etag),
            **sums,
            "DeltaGliderInfo": told(summary),
        }
        return cast(
            "shapes.CompleteMultipartUploadOutput",
            answer if summary.version_id is None else {**answer, "VersionId": summary.version_id},
        )

    async def abort_multipart_upload(
        self, /, *, Bucket: str, Key: str, UploadId: str, **parameters: Any
    ) -> shapes.Answer:
        """Gives an upload up and forgets its parts, as boto3's ``abort_multipart_upload``.

        Args:
            Bucket: The bucket.
            Key: The key.
            UploadId: Of the upload.
            **parameters: ``RequestPayer``, ``ExpectedBucketOwner``.

        Returns:
            boto3's answer.

        Raises:
            ClientError: ``NoSuchUpload``, ...
        """
        upload = self._pending.find(Bucket, Key, UploadId)
        answer: dict[str, Any] = {"ResponseMetadata": response_metadata(204)}
        if upload is None or upload.moved_to:
            named = {"Bucket": Bucket, "Key": Key, "UploadId": UploadId}
            answer = await self._elsewhere("abort_multipart_upload", upload, named, parameters)
        if upload is not None:
            self._pending.drop(upload)
        return cast("shapes.Answer", answer)

    async def list_parts(
        self,
        /,
        *,
        Bucket: str,
        Key: str,
        UploadId: str,
        MaxParts: int = _PAGE,
        PartNumberMarker: int = 0,
        **parameters: Any,
    ) -> shapes.ListPartsOutput:
        """A page of the parts of an upload, as boto3's ``list_parts``.

        Args:
            Bucket: The bucket.
            Key: The key.
            UploadId: Of the upload.
            MaxParts: Parts of the page, at most 1000.
            PartNumberMarker: Only parts after this one.
            **parameters: ``RequestPayer``, ``ExpectedBucketOwner``.

        Returns:
            boto3's answer, but for ``Owner`` and ``Initiator``.

        Raises:
            ClientError: ``NoSuchUpload``, ...
        """
        upload = self._pending.find(Bucket, Key, UploadId)
        if upload is None or upload.moved_to:
            named = {"Bucket": Bucket, "Key": Key, "UploadId": UploadId}
            page = {"MaxParts": MaxParts, "PartNumberMarker": PartNumberMarker}
            return cast(
                "shapes.ListPartsOutput",
                {**await self._elsewhere("list_parts", upload, {**named, **page}, parameters), "UploadId": UploadId},
            )
        check_parameters("ListParts", parameters, ASKED)
        left = sorted(number for number in upload.parts if number > PartNumberMarker)
        shown = [upload.parts[number] for number in left[: min(MaxParts, _PAGE)]]
        return cast(
            "shapes.ListPartsOutput",
            {
                "ResponseMetadata": response_metadata(200),
                "Bucket": Bucket,
                "Key": Key,
                "UploadId": UploadId,
                "PartNumberMarker": PartNumberMarker,
                "NextPartNumberMarker": shown[-1].number if shown else 0,
                "MaxParts": MaxParts,
                "IsTruncated": len(shown) < len(left),
                "StorageClass": upload.parameters.get("StorageClass", "STANDARD"),
                **({"Parts": [part_told(part) for part in shown]} if shown else {}),
            },
        )

    async def list_multipart_uploads(self, /, *, Bucket: str, **parameters: Any) -> shapes.ListMultipartUploadsOutput:
        """A page of the uploads in parts that are under way, as boto3's ``list_multipart_uploads``.

        Args:
            Bucket: The bucket.
            **parameters: ``Prefix``, ``MaxUploads``, ``KeyMarker``, ...

        Returns:
            boto3's answer: the uploads that the store knows; those of this client come on the first page, ahead of the
            count of ``MaxUploads``.

        Raises:
            ClientError: ``NoSuchBucket``, ...
        """
        answer: dict[str, Any] = {
            "ResponseMetadata": response_metadata(200),
            "Bucket": Bucket,
            "IsTruncated": False,
            "MaxUploads": _PAGE,
        }
        if self._on_server:
            answer = await self._native("list_multipart_uploads", "ListMultipartUploads", Bucket=Bucket, **parameters)
        elif not await self._context().store.bucket_exists(Bucket):
            raise client_error("ListMultipartUploads", "NoSuchBucket", 404, _NO_BUCKET, BucketName=Bucket)
        if parameters.get("KeyMarker"):
            return cast("shapes.ListMultipartUploadsOutput", answer)
        prefix = parameters.get("Prefix", "")
        ours = [upload_told(each) for each in self._pending.of(Bucket) if each.key.startswith(prefix)]
        uploads = sorted([*answer.get("Uploads", ()), *ours], key=lambda each: os.fsencode(each["Key"]))
        return cast("shapes.ListMultipartUploadsOutput", {**answer, **({"Uploads": uploads} if uploads else {})})

    async def _elsewhere(
        self, name: str, upload: Pending | None, named: Mapping[str, Any], parameters: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Hands a call on to the store, whose own upload it is about."""
        operation = "".join(word.capitalize() for word in name.split("_"))
        self._context()
        if not self._on_server:
            raise no_such_upload(operation, named["UploadId"])
        real = {"UploadId": upload.moved_to} if upload is not None else {}
        return dict(await self._native(name, operation, **{**named, **real}, **parameters))

    async def _hand_over(self, upload: Pending) -> str:
        """Makes an upload the store's own, its parts included; gives the store's name of it.

        Whoever has a signed URL for a part sends it to the store, past this client.
        """
        place = {"Bucket": upload.bucket, "Key": upload.key}
        async with upload.lock:
            if upload.moved_to:
                return upload.moved_to
            begun = await self._native("create_multipart_upload", "CreateMultipartUpload", **place, **upload.parameters)
            name = str(begun["UploadId"])
            ctx = self._context()
            for part in sorted(upload.parts.values(), key=lambda each: each.number):
                body = await ctx.thread(part.path.read_bytes)
                await self._native(
                    "upload_part", "UploadPart", **place, UploadId=name, PartNumber=part.number, Body=body
                )
            upload.moved_to = name
            upload.parts.clear()
            upload.held.close()
        return name
