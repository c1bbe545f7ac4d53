"""S3's answers as the contract's records, and the contract's records as S3's parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from deltaglider.errors import PreconditionFailedError, StoreError
from deltaglider.store.base import ARCHIVES, HEADER_NAMES, ListedObject, PutResult, StoredObject

_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_NO_TIME = datetime.fromtimestamp(0, UTC)


def bare(etag: Any) -> str:
    """An ETag without its quotes."""
    return str(etag or "").removeprefix("W/").strip('"')


def quoted(etag: str) -> str:
    """An ETag as conditions want it."""
    return f'"{bare(etag)}"'


def stored_object(bucket: str, key: str, answer: Mapping[str, Any], size: int) -> StoredObject:
    """What a HEAD or GET says of an object.

    Args:
        bucket: The bucket.
        key: The key.
        answer: Of the service.
        size: Bytes of the whole object; the answer to a ranged GET tells its own.

    Returns:
        The record.
    """
    headers = {name: str(answer[name]) for name in HEADER_NAMES if name != "Expires" and answer.get(name)}
    if answer.get("ExpiresString"):
        headers["Expires"] = str(answer["ExpiresString"])
    return StoredObject(
        bucket=bucket,
        key=key,
        size=size,
        etag=bare(answer.get("ETag")),
        last_modified=utc(answer.get("LastModified")),
        metadata={name.lower(): value for name, value in answer.get("Metadata", {}).items()},
        headers=headers,
        storage_class=answer.get("StorageClass") or "STANDARD",
        version_id=answer.get("VersionId"),
        tag_count=int(answer.get("TagCount") or 0),
        archived=_is_archived(answer),
        encryption=_encryption(answer),
        answered=_answered(answer),
    )


def _encryption(answer: Mapping[str, Any]) -> dict[str, Any]:
    # Of the store's own keys there is but one kind, which new objects get anyway.
    if not str(answer.get("ServerSideEncryption") or "").startswith("aws:kms"):
        return {}
    return {
        name: answer[name] for name in ("ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled") if answer.get(name)
    }


def _is_archived(answer: Mapping[str, Any]) -> bool:
    restored = 'ongoing-request="false"' in str(answer.get("Restore") or "")
    return answer.get("StorageClass") in ARCHIVES and not restored


def headed_object(bucket: str, key: str, answer: Mapping[str, Any]) -> StoredObject:
    """What a HEAD says of an object."""
    return stored_object(bucket, key, answer, int(answer.get("ContentLength", 0)))


def require_etag(found: StoredObject, etag: str | None) -> None:
    """Holds an object against a condition, as not all stores do.

    Args:
        found: The object.
        etag: What it must have; ``None`` for anything.

    Raises:
        PreconditionFailedError: It has another.
    """
    if etag and found.etag != bare(etag):
        raise PreconditionFailedError(
            "the object has another ETag",
            uri=f"s3://{found.bucket}/{found.key}",
            status=412,
            s3_code="PreconditionFailed",
        )


def listed_object(entry: Mapping[str, Any]) -> ListedObject:
    """One entry of a listing."""
    return ListedObject(
        key=entry["Key"],
        size=int(entry.get("Size") or 0),
        etag=bare(entry.get("ETag")),
        last_modified=utc(entry.get("LastModified")),
        storage_class=entry.get("StorageClass") or "STANDARD",
    )


def version_parameter(version_id: str | None) -> dict[str, str]:
    """The parameter that names a version; none for the current one."""
    return {"VersionId": version_id} if version_id else {}


def put_result(answer: Mapping[str, Any], etag: Any) -> PutResult:
    """What a write left."""
    return PutResult(etag=bare(etag), version_id=answer.get("VersionId"))


def write_parameters(metadata: Mapping[str, str], headers: Mapping[str, str] | None) -> dict[str, Any]:
    """Metadata, headers and write parameters as PutObject, CreateMultipartUpload and CopyObject take them."""
    # An empty header says nothing: no tags, no type.
    return {**{name: value for name, value in (headers or {}).items() if value}, "Metadata": dict(metadata)}


def span(answer: Mapping[str, Any], uri: str) -> tuple[int, int, int]:
    """Which bytes an answer to a GET holds.

    Args:
        answer: Of the service.
        uri: For the message.

    Returns:
        The first byte, the one after the last, and the object's size.

    Raises:
        StoreError: It does not say.
    """
    length = answer.get("ContentLength")
    found = _RANGE.fullmatch(str(answer.get("ContentRange") or ""))
    if found and found[3] != "*":
        return int(found[1]), int(found[2]) + 1, int(found[3])
    if length is None or answer.get("ContentRange"):
        raise StoreError("the store does not tell the object's size", uri=uri)
    return 0, int(length), int(length)


def _answered(answer: Mapping[str, Any]) -> datetime | None:
    """The time that the store gave its answer."""
    try:
        moment = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    except (KeyError, ValueError):
        return None
    return moment.astimezone(UTC) if moment.tzinfo is not None else None


def utc(moment: Any) -> datetime:
    """A time of botocore's in UTC; the epoch where the store is silent."""
    return moment.astimezone(UTC) if isinstance(moment, datetime) else _NO_TIME
