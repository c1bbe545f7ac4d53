"""The types of what boto3's methods give and take here: to annotate with, and for editors.

    from deltaglider.types import GetObjectOutput, ObjectSummary

Nothing else needs this module; what the other methods give is in ``deltaglider`` itself.
"""

from deltaglider.client.boto.body import AsyncStreamingBody
from deltaglider.client.boto.shapes import (
    Answer,
    AsyncGetObjectOutput,
    AsyncPages,
    AsyncPaginator,
    AsyncWaiter,
    CommonPrefix,
    CopyObjectOutput,
    CopyObjectResult,
    DeletedObject,
    DeleteObjectOutput,
    DeleteObjectsOutput,
    DeletionError,
    GetObjectOutput,
    GoneInfo,
    HeadObjectOutput,
    ListObjectsOutput,
    ListObjectsV2Output,
    ManyGoneInfo,
    ObjectSummary,
    Pages,
    Paginator,
    PutObjectOutput,
    ResponseMetadata,
    StoredInfo,
    StreamingBody,
    Waiter,
)
from deltaglider.events import Event, Observer

__all__ = [
    "Answer",
    "AsyncGetObjectOutput",
    "AsyncPages",
    "AsyncPaginator",
    "AsyncStreamingBody",
    "AsyncWaiter",
    "CommonPrefix",
    "CopyObjectOutput",
    "CopyObjectResult",
    "DeleteObjectOutput",
    "DeleteObjectsOutput",
    "DeletedObject",
    "DeletionError",
    "Event",
    "GetObjectOutput",
    "GoneInfo",
    "HeadObjectOutput",
    "ListObjectsOutput",
    "ListObjectsV2Output",
    "ManyGoneInfo",
    "ObjectSummary",
    "Observer",
    "Pages",
    "Paginator",
    "PutObjectOutput",
    "ResponseMetadata",
    "StoredInfo",
    "StreamingBody",
    "Waiter",
]
