"""Paths and what is known of them, as fsspec has it: ``bucket/key``, and a mapping a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from deltaglider.layout.uri import S3Uri
from deltaglider.models import ObjectInfo

Info: TypeAlias = dict[str, Any]
"""What fsspec knows of a file or directory: ``name``, ``size`` and ``type``, and what else there is."""


def split(path: str) -> tuple[str, str]:
    """The bucket and key of a path.

    Args:
        path: ``bucket/key`` or ``bucket``, without a protocol.

    Returns:
        Both; the key is empty for a bucket.

    Raises:
        InvalidUriError: It is neither.
    """
    uri = S3Uri.parse(f"s3://{path}")
    return uri.bucket, uri.key


def url(bucket: str, key: str) -> str:
    """``s3://bucket/key``."""
    return f"s3://{bucket}/{key}"


def directory(name: str) -> Info:
    """What is known of a directory: there is nothing of one but its name."""
    return {"name": name, "size": 0, "type": "directory"}


def file(info: ObjectInfo) -> Info:
    """What is known of an object.

    Args:
        info: The object.

    Returns:
        The same by the names that s3fs gives things, and how it is stored.
    """
    return {
        "name": f"{info.bucket}/{info.key}",
        "size": info.size,
        "type": "file",
        "ETag": f'"{info.etag}"',
        "etag": info.etag,
        "LastModified": info.last_modified,
        "mtime": info.last_modified.timestamp(),
        "StorageClass": info.storage_class,
        "ContentType": info.content_type,
        "metadata": dict(info.metadata),
        "sha256": info.sha256,
        "is_delta": info.is_delta,
        "stored_size": info.stored_size,
    }


def above(name: str, top: str) -> Iterator[str]:
    """The directories that a path lies in, from the nearest one up to but not including ``top``.

    Args:
        name: The path.
        top: A path that it begins with; empty for all of them.

    Yields:
        Paths.
    """
    while (name := name.rpartition("/")[0]) and len(name) > len(top):
        yield name
