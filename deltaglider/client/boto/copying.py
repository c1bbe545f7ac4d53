"""``copy_object``, and the managed ``copy``, with boto3's answers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from botocore.exceptions import ParamValidationError

from deltaglider.client.arguments import upload_options
from deltaglider.client.boto.base import ASKED_OF_COPIES, BotoBase
from deltaglider.client.boto.conditions import Conditions, Verdict
from deltaglider.client.boto.exceptions import client_error, response_metadata
from deltaglider.client.boto.parameters import (
    WRITE_PARAMETERS,
    check_extra,
    check_parameters,
    conditions_of_write,
    tags_of,
)
from deltaglider.client.boto.responses import quoted
from deltaglider.client.boto.shapes import CopyObjectOutput
from deltaglider.client.watch import Callback
from deltaglider.engine import copy as copying
from deltaglider.engine import inspect
from deltaglider.engine.listing import info_of
from deltaglider.engine.locate import Form, locate
from deltaglider.engine.options import UploadOptions
from deltaglider.models import UploadSummary
from deltaglider.store.base import HEADER_NAMES

SOURCE_CONDITIONS: Final = {
    "CopySourceIfMatch": "if_match",
    "CopySourceIfNoneMatch": "if_none_match",
    "CopySourceIfModifiedSince": "if_modified_since",
    "CopySourceIfUnmodifiedSince": "if_unmodified_since",
}
"""Conditions on the source of a copy, and our names of them."""

_COPY: Final = frozenset({*WRITE_PARAMETERS, *SOURCE_CONDITIONS, *ASKED_OF_COPIES, "ChecksumAlgorithm", "Tagging"})
_MANAGED: Final = _COPY | {"Metadata", "MetadataDirective", "TaggingDirective"}


class CopyCalls(BotoBase):
    """Copies, inside the store where that is possible."""

    async def copy_object(
        self,
        /,
        *,
        Bucket: str,
        Key: str,
        CopySource: str | Mapping[str, str],
        MetadataDirective: str = "COPY",
        Metadata: Mapping[str, str] | None = None,
        TaggingDirective: str = "COPY",
        **parameters: Any,
    ) -> CopyObjectOutput:
        """Copies an object, as boto3's ``copy_object``; inside the store where that is possible.

        Args:
            Bucket: The target's bucket.
            Key: The target's key.
            CopySource: ``{"Bucket": ..., "Key": ..., "VersionId": ...}``, or ``"bucket/key?versionId=..."``.
            MetadataDirective: ``COPY`` keeps metadata and headers, ``REPLACE`` takes those given here.
            Metadata: User metadata, with ``REPLACE``.
            TaggingDirective: ``COPY`` keeps the tags, ``REPLACE`` takes those of ``Tagging``.
            **parameters: Headers and write parameters, ``CopySourceIf...``, ``IfMatch`` and ``IfNoneMatch`` on the
                target, ``ExpectedBucketOwner`` and ``ExpectedSourceBucketOwner``, by boto3's names.

        Returns:
            boto3's answer.

        Raises:
            ClientError: The store refused, or the source is not there.
        """
        check_parameters("CopyObject", parameters, _COPY | {"IfMatch", "IfNoneMatch"})
        given = {
            **parameters,
            "MetadataDirective": MetadataDirective,
            "Metadata": Metadata,
            "TaggingDirective": TaggingDirective,
        }
        bucket, key, version = copy_source(CopySource)
        with self._call("CopyObject", bucket, key, parameters, to=Bucket):
            summary = await self._copied(CopySource, Bucket, Key, given)
            info = await inspect.head(self._context(), Bucket, Key)
        answer: CopyObjectOutput = {
            "ResponseMetadata": response_metadata(200),
            "CopyObjectResult": {
                "ETag": quoted(summary.etag or info.etag),
                "LastModified": info.last_modified.replace(microsecond=0),
            },
        }
        if summary.version_id is not None:
            answer["VersionId"] = summary.version_id
        if version is not None:
            answer["CopySourceVersionId"] = version
        return answer

    async def _managed_copy(
        self,
        source: Mapping[str, str],
        to_bucket: str,
        to_key: str,
        extra: Mapping[str, Any] | None,
        callback: Callback | None,
    ) -> None:
        """boto3's ``copy``: told of bytes, and without an answer."""
        check_extra(extra, _MANAGED)
        bucket, key, version = copy_source(source)
        given = dict(extra or {})
        with self._call("HeadObject", bucket, key, given, to=to_bucket):
            form = await locate(self._context(), bucket, key, version)
            check_source("HeadObject", given, form)
        with self._call("CopyObject", bucket, key, given, to=to_bucket):
            await self._copied(source, to_bucket, to_key, given)
        size = info_of(bucket, key, form).size
        if callback is not None and size:
            callback(size)

    async def _copied(
        self, source: str | Mapping[str, str], to_bucket: str, to_key: str, given: Mapping[str, Any]
    ) -> UploadSummary:
        bucket, key, version = copy_source(source)
        options = _options(given)
        if (bucket, key, version) == (to_bucket, to_key, None) and not options.changes_a_copy:
            message = (
                "This copy request is illegal because it is trying to copy an object to itself without changing the "
                "object's metadata, storage class, website redirect location or encryption attributes."
            )
            raise client_error("CopyObject", "InvalidRequest", 400, message)
        check = partial(check_source, "CopyObject", given)
        ctx = self._context()
        return await copying.copy(ctx, bucket, key, to_bucket, to_key, options=options, version=version, check=check)


def _options(given: Mapping[str, Any]) -> UploadOptions:
    replaces = given.get("MetadataDirective", "COPY") == "REPLACE"
    headers = {
        name: value
        for name, value in given.items()
        if (name in WRITE_PARAMETERS or name == "ChecksumAlgorithm") and (replaces or name not in HEADER_NAMES)
    }
    options = upload_options(
        metadata=given.get("Metadata") if replaces else None,
        headers=headers,
        tags=tags_of(given.get("Tagging", "")) if given.get("TaggingDirective") == "REPLACE" else None,
        metadata_directive="REPLACE" if replaces else "COPY",
    )
    return conditions_of_write("CopyObject", given, options)


def check_source(operation: str, given: Mapping[str, Any], form: Form) -> None:
    """Holds the source of a copy against the conditions on it.

    Args:
        operation: S3's name of the operation.
        given: Its parameters.
        form: The source.

    Raises:
        ClientError: ``PreconditionFailed``.
    """
    conditions = Conditions(**{ours: given.get(theirs) for theirs, ours in SOURCE_CONDITIONS.items()})
    info = info_of(form.stored.bucket, form.stored.key, form)
    if conditions.judge(info.etag, info.last_modified) is not Verdict.GO_ON:
        message = "At least one of the pre-conditions you specified did not hold"
        raise client_error(operation, "PreconditionFailed", 412, message)


def copy_source(source: str | Mapping[str, str]) -> tuple[str, str, str | None]:
    """The object that a ``CopySource`` names.

    Args:
        source: ``{"Bucket": ..., "Key": ...}``, or ``"bucket/key"`` as it is: botocore encodes it itself.

    Returns:
        Bucket, key and version.

    Raises:
        ParamValidationError: It names no object.
    """
    if isinstance(source, str):
        path, _, version = source.partition("?versionId=")
        bucket, _, key = path.removeprefix("/").partition("/")
    else:
        bucket, key, version = source.get("Bucket", ""), source.get("Key", ""), source.get("VersionId", "")
    if not bucket or not key:
        raise ParamValidationError(report=f"CopySource: {source!r} names no object")
    return bucket, key, version or None
