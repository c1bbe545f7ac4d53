"""Answers as boto3 shapes them."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

from deltaglider.client.boto.conditions import Span
from deltaglider.client.boto.exceptions import response_metadata
from deltaglider.client.boto.shapes import StoredInfo
from deltaglider.config import MIB
from deltaglider.layout.keys import delta_key
from deltaglider.models import ObjectInfo, UploadSummary

DEFAULT_TYPE = "binary/octet-stream"
"""The media type S3 gives an object that was stored without one."""

_HEADERS = {
    "CacheControl": "cache-control",
    "ContentDisposition": "content-disposition",
    "ContentEncoding": "content-encoding",
    "ContentLanguage": "content-language",
    "ContentType": "content-type",
    "Expires": "expires",
    "WebsiteRedirectLocation": "x-amz-website-redirect-location",
}


def quoted(etag: str) -> str:
    """An ETag as S3 writes it."""
    return f'"{etag}"'


def object_answer(info: ObjectInfo, span: Span | None, *, replaced: Mapping[str, str]) -> dict[str, Any]:
    """The answer to a read of an object, but for its body.

    Args:
        info: The object.
        span: The part asked for.
        replaced: Headers that the request replaces.

    Returns:
        What boto3's ``get_object`` and ``head_object`` have in common.
    """
    length = info.size if span is None else span.length
    headers = {"ContentType": info.content_type or DEFAULT_TYPE, **info.headers, **replaced}
    raw = {
        "accept-ranges": "bytes",
        "content-length": str(length),
        "etag": quoted(info.etag),
        "last-modified": format_datetime(info.last_modified, usegmt=True),
        **{_HEADERS[name]: value for name, value in headers.items() if name in _HEADERS},
        **{f"x-amz-meta-{name}": value for name, value in info.metadata.items()},
    }
    answer: dict[str, Any] = {
        "ResponseMetadata": response_metadata(200 if span is None else 206, raw),
        "AcceptRanges": "bytes",
        "LastModified": info.last_modified.replace(microsecond=0),
        "ContentLength": length,
        "ETag": quoted(info.etag),
        **headers,
        "Metadata": dict(info.metadata),
    }
    if "Expires" in headers:
        answer |= _expires(headers["Expires"])
    if span is not None:
        answer["ContentRange"] = raw["content-range"] = span.content_range
    if info.storage_class != "STANDARD":
        answer["StorageClass"] = raw["x-amz-storage-class"] = info.storage_class
    return answer


def _expires(text: str) -> dict[str, Any]:
    """As botocore has it: the text, and the time where it is one."""
    try:
        return {"Expires": parsedate_to_datetime(text), "ExpiresString": text}
    except ValueError:
        return {"ExpiresString": text}


def told(summary: UploadSummary) -> StoredInfo:
    """How an object was stored, in the words of the retired SDK.

    Args:
        summary: Of the upload.

    Returns:
        ``DeltaGliderInfo``.
    """
    return {
        "OriginalSizeMB": summary.original_size / MIB,
        "StoredSizeMB": summary.stored_size / MIB,
        "IsDelta": summary.is_delta,
        "CompressionRatio": summary.delta_ratio,
        "SavingsPercent": summary.savings_percent,
        "StoredAs": summary.key if summary.operation == "upload_direct" else delta_key(summary.key),
        "Operation": summary.operation,
    }
