"""``put_object``, ``delete_object`` and ``delete_objects``, with boto3's answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, cast

from botocore.exceptions import ClientError, ParamValidationError

from deltaglider.client.arguments import upload_options
from deltaglider.client.boto.base import ASKED, BotoBase
from deltaglider.client.boto.checksums import BODY_PARAMETERS, check_body
from deltaglider.client.boto.exceptions import client_errors, response_metadata
from deltaglider.client.boto.parameters import WRITE_PARAMETERS, check_parameters, conditions_of_write, tags_of
from deltaglider.client.boto.responses import quoted, told
from deltaglider.client.boto.shapes import (
    DeletedObject,
    DeleteObjectOutput,
    DeleteObjectsOutput,
    DeletionError,
    GoneInfo,
    PutObjectOutput,
)
from deltaglider.client.sources import Source, as_file
from deltaglider.engine import delete as deleting
from deltaglider.engine import upload as uploading
from deltaglider.engine.options import UploadOptions
from deltaglider.engine.retire import Retirement
from deltaglider.models import DeleteSummary
from deltaglider.tasks import map_bounded

_PUT: Final = frozenset({"IfMatch", "IfNoneMatch", "Tagging"})
_ECHOED: Final = frozenset({"BucketKeyEnabled", "SSEKMSKeyId", "ServerSideEncryption"})
_MOST_KEYS: Final = 1000


class WriteMethods(BotoBase):
    """Objects stored and deleted."""

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
            **parameters: Headers and write parameters, by boto3's names; ``Tagging``; ``IfNoneMatch="*"`` and
                ``IfMatch``, which go by the ETag of the original file; checksums, which are held against the original
                bytes; ``RequestPayer``, ``ExpectedBucketOwner``.

        Returns:
            boto3's answer, and ``DeltaGliderInfo``: how it was stored.

        Raises:
            ClientError: The store refused.
            OSError: The body cannot be read.
        """
        check_parameters("PutObject", parameters, {*WRITE_PARAMETERS, *BODY_PARAMETERS, *ASKED, *_PUT})
        body = Body.encode() if isinstance(Body, str) else Body
        with self._call("PutObject", Bucket, Key, parameters):
            options = write_options("PutObject", Metadata, parameters)
            ctx = self._context()
            async with as_file(ctx, body) as path:
                sums = await ctx.thread(check_body, "PutObject", path, parameters)
                summary = await uploading.upload(ctx, path, Bucket, Key, options=options)
        answer: dict[str, Any] = {
            "ResponseMetadata": response_metadata(200, {"etag": quoted(summary.etag)}),
            "ETag": quoted(summary.etag),
            **sums,
            **{name: value for name, value in parameters.items() if name in _ECHOED},
            "DeltaGliderInfo": told(summary),
        }
        if summary.version_id is not None:
            answer["VersionId"] = summary.version_id
        return cast("PutObjectOutput", answer)

    async def delete_object(
        self, /, *, Bucket: str, Key: str, VersionId: str | None = None, **parameters: Any
    ) -> DeleteObjectOutput:
        """Deletes an object, as boto3's ``delete_object``. Deleting what is absent is success.

        Args:
            Bucket: The bucket.
            Key: The key.
            VersionId: Of the version to delete for good; or of the delete marker that is to go.
            **parameters: ``RequestPayer``, ``ExpectedBucketOwner``.

        Returns:
            boto3's answer, and ``DeltaGliderInfo``: what was deleted.

        Raises:
            ClientError: The store refused; or the key is one that other objects need.
        """
        check_parameters("DeleteObject", parameters, ASKED)
        with self._call("DeleteObject", Bucket, Key, parameters):
            summary = await self._deleted(Bucket, Key, VersionId, None)
        answer: DeleteObjectOutput = {"ResponseMetadata": response_metadata(204), "DeltaGliderInfo": _gone(summary)}
        version = summary.version_id or VersionId
        if version is not None:
            answer["VersionId"] = version
        if summary.delete_marker:
            answer["DeleteMarker"] = True
        return answer

    async def _deleted(
        self, bucket: str, key: str, version: str | None, retirement: Retirement | None
    ) -> DeleteSummary:
        if version is None:
            return await deleting.delete(self._context(), bucket, key, retirement=retirement)
        return await deleting.delete_version(self._context(), bucket, key, version, retirement=retirement)

    async def delete_objects(
        self, /, *, Bucket: str, Delete: Mapping[str, Any], **parameters: Any
    ) -> DeleteObjectsOutput:
        """Deletes up to 1000 objects, as boto3's ``delete_objects``. One that fails does not stop the others.

        Args:
            Bucket: The bucket.
            Delete: ``{"Objects": [{"Key": ..., "VersionId": ...}, ...], "Quiet": False}``.
            **parameters: ``RequestPayer``, ``ExpectedBucketOwner``.

        Returns:
            boto3's answer, and ``DeltaGliderInfo``: how many deltas there were.

        Raises:
            ClientError: ``NoSuchBucket``, or ``MalformedXML`` for too many keys or none.
        """
        check_parameters("DeleteObjects", parameters, ASKED | {"ChecksumAlgorithm"})
        wanted = _wanted(Delete)
        ctx, retirement = self._context(), Retirement()

        async def delete(each: _Wanted) -> tuple[_Wanted, DeleteSummary | ClientError]:
            try:
                with client_errors("DeleteObjects", Bucket, each.key):
                    return each, await self._deleted(Bucket, each.key, each.version, retirement)
            except ClientError as error:
                if error.response["Error"].get("Code") == "NoSuchBucket":
                    raise
                return each, error

        with self._call("DeleteObjects", Bucket, asking=parameters):
            try:
                results = await map_bounded(delete, wanted, limit=ctx.settings.max_concurrent_objects)
            finally:
                await retirement.finish(ctx)
        done = [(each, result) for each, result in results if isinstance(result, DeleteSummary)]
        errors = [_failure(each, result) for each, result in results if isinstance(result, ClientError)]
        answer: DeleteObjectsOutput = {"ResponseMetadata": response_metadata(200)}
        if done and not Delete.get("Quiet"):
            answer["Deleted"] = [_entry(each, result) for each, result in done]
        if errors:
            answer["Errors"] = errors
        deltas = sum(result.was_delta for _, result in done)
        answer["DeltaGliderInfo"] = {"DeltaFilesDeleted": deltas, "ReferencesDeleted": retirement.removed}
        return answer


def write_options(operation: str, metadata: Mapping[str, str] | None, given: Mapping[str, Any]) -> UploadOptions:
    """The options of an upload, from boto3's parameters.

    Args:
        operation: S3's name of the operation.
        metadata: User metadata.
        given: The parameters.

    Returns:
        The options.
    """
    kept = WRITE_PARAMETERS | {"ChecksumAlgorithm"}
    headers = {name: value for name, value in given.items() if name in kept}
    tags = tags_of(given["Tagging"]) if given.get("Tagging") else None
    return conditions_of_write(operation, given, upload_options(metadata=metadata, headers=headers, tags=tags))


class _Wanted(NamedTuple):
    """One object to delete."""

    key: str
    version: str | None


def _wanted(delete: Mapping[str, Any]) -> list[_Wanted]:
    objects = delete.get("Objects", ())
    if any(set(each) - {"Key", "VersionId"} for each in objects) or not all(each.get("Key") for each in objects):
        raise ParamValidationError(report="Delete.Objects: each is {'Key': ..., 'VersionId': ...} and nothing else")
    if not 0 < len(objects) <= _MOST_KEYS:
        raise ParamValidationError(report=f"Delete.Objects: {len(objects)} keys, not 1 to {_MOST_KEYS}")
    return [_Wanted(each["Key"], each.get("VersionId")) for each in objects]


def _failure(wanted: _Wanted, error: ClientError) -> DeletionError:
    said = error.response["Error"]
    told: DeletionError = {"Key": wanted.key, "Code": said.get("Code", ""), "Message": said.get("Message", "")}
    if wanted.version is not None:
        told["VersionId"] = wanted.version
    return told


def _entry(wanted: _Wanted, summary: DeleteSummary) -> DeletedObject:
    told: DeletedObject = {"Key": wanted.key}
    if wanted.version is not None:
        told["VersionId"] = wanted.version
    if summary.delete_marker and summary.version_id is not None:
        told["DeleteMarker"], told["DeleteMarkerVersionId"] = True, summary.version_id
    return told


def _gone(summary: DeleteSummary) -> GoneInfo:
    kind = ("delta" if summary.was_delta else "direct") if summary.deleted else "unknown"
    return {"Type": kind, "Deleted": summary.deleted}
