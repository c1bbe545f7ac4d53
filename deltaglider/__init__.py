"""DeltaGlider: versioned binary data in S3 for the price of one.

    from deltaglider import create_client

    with create_client() as client:
        summary = client.upload("app-v2.zip", "s3://releases/v2.0.0/")
        print(f"{summary.savings_percent} % saved")
        client.download("s3://releases/v2.0.0/app-v2.zip", "copy.zip")

``create_async_client`` gives the same for asyncio. Names are loaded when they are first used: importing the package
costs nothing of the
libraries under it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deltaglider._version import __version__

if TYPE_CHECKING:
    from deltaglider import types as _types
    from deltaglider.client.aio import AsyncDeltaGliderClient, create_async_client
    from deltaglider.client.sync import DeltaGliderClient, create_client
    from deltaglider.config import Settings
    from deltaglider.errors import (
        AccessDeniedError,
        AlreadyExistsError,
        BucketNotFoundError,
        ChecksumMismatchError,
        ClientStateError,
        CodecError,
        CodecMissingError,
        ConfigurationError,
        DeltaGliderError,
        IntegrityError,
        InvalidInputError,
        InvalidUriError,
        LocalFileError,
        NotFoundError,
        PreconditionFailedError,
        ReservedKeyError,
        StoreError,
        StoreUnavailableError,
    )
    from deltaglider.models import (
        Analysis,
        BucketAcl,
        BucketInfo,
        BucketStats,
        BulkSummary,
        Check,
        CompressionEstimate,
        DeleteSummary,
        DownloadSummary,
        Finding,
        ListObjectsResponse,
        MigrationSummary,
        ObjectInfo,
        Outcome,
        Prefix,
        PresignedUrl,
        PurgeSummary,
        RescueSummary,
        SpaceEstimate,
        UploadSummary,
        VerifyResult,
    )
    from deltaglider.telemetry import opentelemetry_observer

    CopyObjectResponse = _types.CopyObjectOutput
    DeleteObjectResponse = _types.DeleteObjectOutput
    DeleteObjectsResponse = _types.DeleteObjectsOutput
    GetObjectResponse = _types.GetObjectOutput
    HeadObjectResponse = _types.HeadObjectOutput
    ListObjectsV2Response = _types.ListObjectsOutput
    PutObjectResponse = _types.PutObjectOutput
    S3Object = _types.ObjectSummary

__all__ = [
    "AccessDeniedError",
    "AlreadyExistsError",
    "Analysis",
    "AsyncDeltaGliderClient",
    "BucketAcl",
    "BucketInfo",
    "BucketNotFoundError",
    "BucketStats",
    "BulkSummary",
    "Check",
    "ChecksumMismatchError",
    "ClientStateError",
    "CodecError",
    "CodecMissingError",
    "CompressionEstimate",
    "ConfigurationError",
    "DeleteSummary",
    "DeltaGliderClient",
    "DeltaGliderError",
    "DownloadSummary",
    "Finding",
    "IntegrityError",
    "InvalidInputError",
    "InvalidUriError",
    "ListObjectsResponse",
    "LocalFileError",
    "MigrationSummary",
    "NotFoundError",
    "ObjectInfo",
    "Outcome",
    "PreconditionFailedError",
    "Prefix",
    "PresignedUrl",
    "PurgeSummary",
    "RescueSummary",
    "ReservedKeyError",
    "Settings",
    "SpaceEstimate",
    "StoreError",
    "StoreUnavailableError",
    "UploadSummary",
    "VerifyResult",
    "__version__",
    "create_async_client",
    "create_client",
    "opentelemetry_observer",
]

_ROOMS = {
    "AsyncDeltaGliderClient": "client.aio",
    "create_async_client": "client.aio",
    "DeltaGliderClient": "client.sync",
    "create_client": "client.sync",
    "Settings": "config",
    "opentelemetry_observer": "telemetry",
}

_EARLIER = {
    "CopyObjectResponse": "deltaglider.types:CopyObjectOutput",
    "DeleteObjectResponse": "deltaglider.types:DeleteObjectOutput",
    "DeleteObjectsResponse": "deltaglider.types:DeleteObjectsOutput",
    "GetObjectResponse": "deltaglider.types:GetObjectOutput",
    "HeadObjectResponse": "deltaglider.types:HeadObjectOutput",
    "ListObjectsV2Response": "deltaglider.types:ListObjectsOutput",
    "PutObjectResponse": "deltaglider.types:PutObjectOutput",
    "S3Object": "deltaglider.types:ObjectSummary",
}


def __getattr__(name: str) -> object:
    if name in _EARLIER:
        from deltaglider.earlier import moved

        return moved(__name__, _EARLIER, frames=2)(name)
    if name.startswith("_") or name not in __all__:
        raise AttributeError(f"module 'deltaglider' has no attribute {name!r}")
    from importlib import import_module

    room = _ROOMS.get(name) or ("errors" if name.endswith("Error") else "models")
    value: object = getattr(import_module(f"deltaglider.{room}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
