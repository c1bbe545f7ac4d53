"""``put_object``, ``copy_object``, ``delete_object`` and ``delete_objects``, with boto3's answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from botocore.exceptions import ClientError, ParamValidationError

from deltaglider.client.arguments import upload_options
from deltaglider.client.base import ClientBase
from deltaglider.client.boto.exceptions import client_errors, response_metadata
from deltaglider.client.boto.parameters import check_parameters
from deltaglider.client.boto.responses import quoted
from deltaglider.client.boto.shapes import (
    CopyObjectOutput,
    DeleteObjectOutput,
    DeleteObjectsOutput,
    DeletionError,
    GoneInfo,
    PutObjectOutput,
    StoredInfo,
)
from deltaglider.client.sources import Source, as_file
from deltaglider.engine import copy as copying
from deltaglider.engine import delete as deleting
from deltaglider.engine import inspect
from deltaglider.engine import upload as uploading
from deltaglider.engine.retire import Retirement
from deltaglider.models import DeleteSummary, UploadSummary
from deltaglider.store.base import HEADER_NAMES
from deltaglider.tasks import map_bounded

WRITE_PARAMETERS: Final = frozenset(
    {
        *HEADER_NAMES,
        "ACL",
        "BucketKeyEnabled",
        "GrantFullControl",
        "GrantRead",
        "GrantReadACP",
        "GrantWriteACP",
        "SSEKMSEncryptionContext",
        "SSEKMSKeyId",
        "ServerSideEncryption",
        "StorageClass",
    }
)
"""Parameters of a write that are kept as they are."""

_MOST_KEYS: Final = 1000
_MB: Final = 1 << 20


class WriteMethods(ClientBase):
    """Objects stored, copied and deleted."""

    async def put_object(
        self,
        /,
        *,
        Bucket: str,
        Key: str,
        Body: Source | str = b"",
        Metadata: Mapping[str, str] | None = None,
        **parameters: Any,
    ) -> PutObjectOutput:
        """Stores an object, as boto3's ``put_object``: as a delta where that is worth it.

        Args:
            Bucket: The bucket.
            Key: The key, exactly as it is written.
            Body: Bytes, text (stored as UTF-8), a path (``os.PathLike``), a file object, which stays open, or an
                (asynchronous) iterable of bytes.
            Metadata: User metadata.
            **parameters: Headers and write parameters, by boto3's names.

        Returns:
            boto3's answer, and ``DeltaGliderInfo``: how it was stored.

        Raises:
            ClientError: The store refused.
            OSError: The body cannot be read.
        """
        check_parameters("PutObject", parameters, {*WRITE_PARAMETERS, "ContentLength", "ContentMD5"})
        headers = {name: value for name, value in parameters.items() if name in WRITE_PARAMETERS}
        body = Body.encode() if isinstance(Body, str) else Body
        with client_errors("PutObject", Bucket, Key):
            options = upload_options(metadata=Metadata, headers=headers)
            async with as_file(self._context(), body) as path:
                summary = await uploading.upload(self._context(), path, Bucket, Key, options=options)
        return {
            "ResponseMetadata": response_metadata(200, {"etag": quoted(summary.etag)}),
            "ETag": quoted(summary.etag),
            "DeltaGliderInfo": _told(summary),
        }

    async def copy_object(
        self,
        /,
        *,
        Bucket: str,
        Key: str,
        CopySource: str | Mapping[str, str],
        MetadataDirective: str = "COPY",
        Metadata: Mapping[str, str] | None = None,
        **parameters: Any,
    ) -> CopyObjectOutput:
        """Copies an object, as boto3's ``copy_object``; inside the store where that is possible.

        Args:
            Bucket: The target's bucket.
            Key: The target's key.
            CopySource: ``{"Bucket": ..., "Key": ...}``, or ``"bucket/key"``.
            MetadataDirective: ``COPY`` keeps metadata and headers, ``REPLACE`` takes those given here.
            Metadata: User metadata, with ``REPLACE``.
            **parameters: Headers and write parameters, by boto3's names.

        Returns:
            boto3's answer.

        Raises:
            ClientError: The store refused, or the source is not there.
        """
        check_parameters("CopyObject", parameters, WRITE_PARAMETERS)
        bucket, key = copy_source(CopySource)
        replaces = MetadataDirective == "REPLACE"
        headers = {name: value for name, value in parameters.items() if replaces or name not in HEADER_NAMES}
        with client_errors("CopyObject", bucket, key):
            options = upload_options(metadata=Metadata if replaces else None, headers=headers)
            ctx = self._context()
            summary = await copying.copy(ctx, bucket, key, Bucket, Key, options=options)
            info = await inspect.head(ctx, Bucket, Key)
        return {
            "ResponseMetadata": response_metadata(200),
            "CopyObjectResult": {
                "ETag": quoted(summary.etag or info.etag),
                "LastModified": info.last_modified.replace(microsecond=0),
            },
        }

    async def delete_object(self, /, *, Bucket: str, Key: str, **parameters: Any) -> DeleteObjectOutput:
        """Deletes an object, as boto3's ``delete_object``. Deleting what is absent is success.

        Args:
            Bucket: The bucket.
            Key: The key.
            **parameters: ``RequestPayer`` means nothing here.

        Returns:
            boto3's answer, and ``DeltaGliderInfo``: what was deleted.

        Raises:
            ClientError: The store refused; or the key is one that other objects need.
        """
        check_parameters("DeleteObject", parameters, {"RequestPayer"})
        with client_errors("DeleteObject", Bucket, Key):
            summary = await deleting.delete(self._context(), Bucket, Key)
        return {"ResponseMetadata": response_metadata(204), "DeltaGliderInfo": _gone(summary)}

    async def delete_objects(
        self, /, *, Bucket: str, Delete: Mapping[str, Any], **parameters: Any
    ) -> DeleteObjectsOutput:
        """Deletes up to 1000 objects, as boto3's ``delete_objects``. One that fails does not stop the others.

        Args:
            Bucket: The bucket.
            Delete: ``{"Objects": [{"Key": ...}, ...], "Quiet": False}``.
            **parameters: ``RequestPayer`` means nothing here.

        Returns:
            boto3's answer, and ``DeltaGliderInfo``: how many deltas there were.

        Raises:
            ClientError: ``NoSuchBucket``, or ``MalformedXML`` for too many keys or none.
        """
        check_parameters("DeleteObjects", parameters, {"RequestPayer"})
        keys = _keys_of(Delete)
        ctx, retirement = self._context(), Retirement()

        async def delete(key: str) -> tuple[str, DeleteSummary | ClientError]:
            try:
                with client_errors("DeleteObjects", Bucket, key):
                    return key, await deleting.delete(ctx, Bucket, key, retirement=retirement)
            except ClientError as error:
                if error.response["Error"].get("Code") == "NoSuchBucket":
                    raise
                return key, error

        try:
            results = await map_bounded(delete, keys, limit=ctx.settings.max_concurrent_objects)
        finally:
            with client_errors("DeleteObjects", Bucket):
                await retirement.finish(ctx)
        done = [(key, result) for key, result in results if isinstance(result, DeleteSummary)]
        errors = [_failure(key, result) for key, result in results if isinstance(result, ClientError)]
        answer: DeleteObjectsOutput = {"ResponseMetadata": response_metadata(200)}
        if done and not Delete.get("Quiet"):
            answer["Deleted"] = [{"Key": key} for key, _ in done]
        if errors:
            answer["Errors"] = errors
        deltas = sum(result.was_delta for _, result in done)
        answer["DeltaGliderInfo"] = {"DeltaFilesDeleted": deltas}
        return answer


def copy_source(source: str | Mapping[str, str]) -> tuple[str, str]:
    """The bucket and key that a ``CopySource`` names.

    Args:
        source: ``{"Bucket": ..., "Key": ...}``, or ``"bucket/key"`` as it is: botocore encodes it itself.

    Returns:
        Bucket and key.

    Raises:
        ParamValidationError: It names no object, or a version.
    """
    if isinstance(source, str):
        path, _, query = source.partition("?versionId=")
        bucket, _, key = path.removeprefix("/").partition("/")
    else:
        bucket, key, query = source.get("Bucket", ""), source.get("Key", ""), source.get("VersionId", "")
    if not bucket or not key:
        raise ParamValidationError(report=f"CopySource: {source!r} names no object")
    if query:
        raise ParamValidationError(report="CopySource: versions of objects are not supported")
    return bucket, key


def _keys_of(delete: Mapping[str, Any]) -> list[str]:
    objects = delete.get("Objects", ())
    if any(set(each) - {"Key"} for each in objects) or not all(each.get("Key") for each in objects):
        raise ParamValidationError(report="Delete.Objects: each is {'Key': ...} and nothing else")
    if not 0 < len(objects) <= _MOST_KEYS:
        raise ParamValidationError(report=f"Delete.Objects: {len(objects)} keys, not 1 to {_MOST_KEYS}")
    return [each["Key"] for each in objects]


def _failure(key: str, error: ClientError) -> DeletionError:
    said = error.response["Error"]
    return {"Key": key, "Code": said.get("Code", ""), "Message": said.get("Message", "")}


def _told(summary: UploadSummary) -> StoredInfo:
    """How an object was stored, in the words of the retired SDK."""
    return {
        "OriginalSizeMB": summary.original_size / _MB,
        "StoredSizeMB": summary.stored_size / _MB,
        "IsDelta": summary.is_delta,
        "CompressionRatio": summary.delta_ratio,
        "SavingsPercent": summary.savings_percent,
        "Operation": summary.operation,
    }


def _gone(summary: DeleteSummary) -> GoneInfo:
    kind = ("delta" if summary.was_delta else "direct") if summary.deleted else "unknown"
    return {"Type": kind, "Deleted": summary.deleted}
