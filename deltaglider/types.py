"""The types of what boto3's methods give and take here: to annotate with, and for editors.

    from deltaglider.types import GetObjectOutput, ObjectSummary

Nothing else needs this module; what the other methods give is in ``deltaglider`` itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from deltaglider.client.boto.body import AsyncStreamingBody
from deltaglider.client.boto.protocols import (
    AsyncPages,
    AsyncPaginator,
    AsyncWaiter,
    Pages,
    Paginator,
    StreamingBody,
    Waiter,
)
from deltaglider.client.boto.shapes import (
    Answer,
    AsyncGetObjectOutput,
    Bucket,
    CommonPrefix,
    CompleteMultipartUploadOutput,
    CopyObjectOutput,
    CopyObjectResult,
    CreateBucketOutput,
    CreateMultipartUploadOutput,
    DeletedObject,
    DeleteObjectOutput,
    DeleteObjectsOutput,
    DeletionError,
    GetObjectOutput,
    GoneInfo,
    HeadBucketOutput,
    HeadObjectOutput,
    ListBucketsOutput,
    ListMultipartUploadsOutput,
    ListObjectsOutput,
    ListObjectsV2Output,
    ListPartsOutput,
    ManyGoneInfo,
    ObjectSummary,
    PresignedPost,
    PutObjectOutput,
    ResponseMetadata,
    StoredInfo,
    StoredPart,
    UnfinishedUpload,
    UploadPartCopyOutput,
    UploadPartOutput,
)
from deltaglider.earlier import moved
from deltaglider.events import Event, Observer

__all__ = [
    "Answer",
    "AsyncGetObjectOutput",
    "AsyncPages",
    "AsyncPaginator",
    "AsyncStreamingBody",
    "AsyncWaiter",
    "Bucket",
    "CommonPrefix",
    "CompleteMultipartUploadOutput",
    "CopyObjectOutput",
    "CopyObjectResult",
    "CreateBucketOutput",
    "CreateMultipartUploadOutput",
    "DeleteObjectOutput",
    "DeleteObjectsOutput",
    "DeletedObject",
    "DeletionError",
    "Event",
    "GetObjectOutput",
    "GoneInfo",
    "HeadBucketOutput",
    "HeadObjectOutput",
    "ListBucketsOutput",
    "ListMultipartUploadsOutput",
    "ListObjectsOutput",
    "ListObjectsV2Output",
    "ListPartsOutput",
    "ManyGoneInfo",
    "ObjectSummary",
    "Observer",
    "Pages",
    "Paginator",
    "PresignedPost",
    "PutObjectOutput",
    "ResponseMetadata",
    "StoredInfo",
    "StoredPart",
    "StreamingBody",
    "UnfinishedUpload",
    "UploadPartCopyOutput",
    "UploadPartOutput",
    "Waiter",
]

_EARLIER: Final = {
    "CopyObjectResponse": "deltaglider.types:CopyObjectOutput",
    "DeleteError": "deltaglider.types:DeletionError",
    "DeleteObjectResponse": "deltaglider.types:DeleteObjectOutput",
    "DeleteObjectsResponse": "deltaglider.types:DeleteObjectsOutput",
    "GetObjectResponse": "deltaglider.types:GetObjectOutput",
    "HeadObjectResponse": "deltaglider.types:HeadObjectOutput",
    "ListObjectsV2Response": "deltaglider.types:ListObjectsOutput",
    "PutObjectResponse": "deltaglider.types:PutObjectOutput",
    "S3Object": "deltaglider.types:ObjectSummary",
}

if TYPE_CHECKING:
    CopyObjectResponse = CopyObjectOutput
    DeleteError = DeletionError
    DeleteObjectResponse = DeleteObjectOutput
    DeleteObjectsResponse = DeleteObjectsOutput
    GetObjectResponse = GetObjectOutput
    HeadObjectResponse = HeadObjectOutput
    ListObjectsV2Response = ListObjectsOutput
    PutObjectResponse = PutObjectOutput
    S3Object = ObjectSummary
else:
    __getattr__ = moved(__name__, _EARLIER)
