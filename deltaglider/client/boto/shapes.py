"""The shapes of the answers, by boto3's names: for type checkers and editors, nothing of it happens at run time.

``deltaglider.types`` offers them to users. Keys that an answer may lack are ``NotRequired``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, NotRequired, Protocol, TypedDict, overload

from deltaglider.client.boto.body import AsyncStreamingBody
from deltaglider.client.boto.protocols import Paginator, StreamingBody, Waiter


class ResponseMetadata(TypedDict):
    """How the request went."""

    RequestId: str
    HostId: str
    HTTPStatusCode: int
    HTTPHeaders: dict[str, str]
    RetryAttempts: int


class Answer(TypedDict):
    """What all answers have."""

    ResponseMetadata: ResponseMetadata


class HeadObjectOutput(Answer):
    """The answer of ``head_object``."""

    AcceptRanges: str
    LastModified: datetime
    ContentLength: int
    ETag: str
    ContentType: str
    Metadata: dict[str, str]
    CacheControl: NotRequired[str]
    ContentDisposition: NotRequired[str]
    ContentEncoding: NotRequired[str]
    ContentLanguage: NotRequired[str]
    ContentRange: NotRequired[str]
    Expires: NotRequired[datetime]
    ExpiresString: NotRequired[str]
    WebsiteRedirectLocation: NotRequired[str]
    StorageClass: NotRequired[str]
    VersionId: NotRequired[str]
    TagCount: NotRequired[int]
    PartsCount: NotRequired[int]
    ChecksumSHA256: NotRequired[str]
    ChecksumType: NotRequired[str]


class GetObjectOutput(HeadObjectOutput):
    """The answer of the synchronous ``get_object``."""

    Body: StreamingBody


class AsyncGetObjectOutput(HeadObjectOutput):
    """The answer of the asynchronous ``get_object``."""

    Body: AsyncStreamingBody


class StoredInfo(TypedDict):
    """How an object was stored, in the words of the retired SDK."""

    OriginalSizeMB: float
    StoredSizeMB: float
    IsDelta: bool
    CompressionRatio: float
    SavingsPercent: float
    StoredAs: str
    Operation: str


class PutObjectOutput(Answer):
    """The answer of ``put_object``."""

    ETag: str
    VersionId: NotRequired[str]
    DeltaGliderInfo: StoredInfo


class CopyObjectResult(TypedDict):
    """The new object."""

    ETag: str
    LastModified: datetime


class CopyObjectOutput(Answer):
    """The answer of ``copy_object``."""

    CopyObjectResult: CopyObjectResult
    VersionId: NotRequired[str]
    CopySourceVersionId: NotRequired[str]


class GoneInfo(TypedDict):
    """What was deleted, in the words of the retired SDK."""

    Type: str
    Deleted: bool


class DeleteObjectOutput(Answer):
    """The answer of ``delete_object``."""

    DeleteMarker: NotRequired[bool]
    VersionId: NotRequired[str]
    DeltaGliderInfo: NotRequired[GoneInfo]


class DeletedObject(TypedDict):
    """One that ``delete_objects`` deleted."""

    Key: str
    VersionId: NotRequired[str]
    DeleteMarker: NotRequired[bool]
    DeleteMarkerVersionId: NotRequired[str]


class DeletionError(TypedDict):
    """One that ``delete_objects`` did not."""

    Key: str
    Code: str
    Message: str
    VersionId: NotRequired[str]


class ManyGoneInfo(TypedDict):
    """How many deltas there were, and references that nothing needed any more."""

    DeltaFilesDeleted: int
    ReferencesDeleted: int


class DeleteObjectsOutput(Answer):
    """The answer of ``delete_objects``."""

    Deleted: NotRequired[list[DeletedObject]]
    Errors: NotRequired[list[DeletionError]]
    DeltaGliderInfo: NotRequired[ManyGoneInfo]


class ObjectSummary(TypedDict):
    """An object of a listing, with the size of the original file."""

    Key: str
    LastModified: datetime
    ETag: str
    Size: int
    StorageClass: str
    Metadata: NotRequired[dict[str, str]]


class CommonPrefix(TypedDict):
    """Keys that a listing gave as one."""

    Prefix: str


class _Listing(Answer):
    IsTruncated: bool
    Name: str
    Prefix: str
    MaxKeys: int
    KeyCount: int
    EncodingType: NotRequired[str]
    Delimiter: NotRequired[str]
    Contents: NotRequired[list[ObjectSummary]]
    CommonPrefixes: NotRequired[list[CommonPrefix]]
    NextContinuationToken: NotRequired[str]


class ListObjectsV2Output(_Listing):
    """The answer of ``list_objects_v2``."""

    ContinuationToken: NotRequired[str]
    StartAfter: NotRequired[str]


class ListObjectsOutput(_Listing):
    """The answer of ``list_objects``."""

    Marker: str
    NextMarker: NotRequired[str]


class HeadBucketOutput(Answer):
    """The answer of ``head_bucket``."""

    BucketRegion: NotRequired[str]
    AccessPointAlias: NotRequired[bool]


class CreateBucketOutput(Answer):
    """The answer of ``create_bucket``."""

    Location: str


class Bucket(TypedDict):
    """A bucket of ``list_buckets``."""

    Name: str
    CreationDate: datetime
    BucketRegion: NotRequired[str]


class ListBucketsOutput(Answer):
    """The answer of ``list_buckets``."""

    Buckets: list[Bucket]
    Owner: dict[str, str]
    Prefix: NotRequired[str]
    ContinuationToken: NotRequired[str]


class CreateMultipartUploadOutput(Answer):
    """The answer of ``create_multipart_upload``."""

    Bucket: str
    Key: str
    UploadId: str


class UploadPartOutput(Answer):
    """The answer of ``upload_part``."""

    ETag: str


class UploadPartCopyOutput(Answer):
    """The answer of ``upload_part_copy``."""

    CopyPartResult: CopyObjectResult
    CopySourceVersionId: NotRequired[str]


class CompleteMultipartUploadOutput(Answer):
    """The answer of ``complete_multipart_upload``."""

    Bucket: str
    Key: str
    ETag: str
    Location: NotRequired[str]
    VersionId: NotRequired[str]
    DeltaGliderInfo: NotRequired[StoredInfo]


class StoredPart(TypedDict):
    """A part of ``list_parts``."""

    PartNumber: int
    LastModified: datetime
    ETag: str
    Size: int


class ListPartsOutput(Answer):
    """The answer of ``list_parts``."""

    Bucket: str
    Key: str
    UploadId: str
    PartNumberMarker: int
    NextPartNumberMarker: int
    MaxParts: int
    IsTruncated: bool
    StorageClass: NotRequired[str]
    Parts: NotRequired[list[StoredPart]]


class UnfinishedUpload(TypedDict):
    """An upload of ``list_multipart_uploads``."""

    UploadId: str
    Key: str
    Initiated: datetime
    StorageClass: NotRequired[str]


class ListMultipartUploadsOutput(Answer):
    """The answer of ``list_multipart_uploads``."""

    Bucket: str
    IsTruncated: bool
    Prefix: NotRequired[str]
    Uploads: NotRequired[list[UnfinishedUpload]]


class PresignedPost(TypedDict):
    """Where a form is sent, and the fields that it must have."""

    url: str
    fields: dict[str, str]


class GetPaginator(Protocol):
    """``get_paginator`` of the synchronous client."""

    @overload
    def __call__(self, operation_name: Literal["list_objects_v2"]) -> Paginator[ListObjectsV2Output]: ...
    @overload
    def __call__(self, operation_name: Literal["list_objects"]) -> Paginator[ListObjectsOutput]: ...
    @overload
    def __call__(self, operation_name: str) -> Paginator[Any]: ...


class GetWaiter(Protocol):
    """``get_waiter`` of the synchronous client."""

    def __call__(self, waiter_name: str) -> Waiter:
        """A waiter."""
