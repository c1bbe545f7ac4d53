"""Parts of uploads: what S3 checks of them, and how it tells of them."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any, Final

from botocore.exceptions import ClientError

from deltaglider.client.boto.exceptions import client_error
from deltaglider.client.boto.responses import quoted
from deltaglider.client.pending import Part, Pending
from deltaglider.config import MIB

_SMALLEST: Final = 5 * MIB  # Bytes of each part but the last one.
_MOST: Final = 10_000


def no_such_upload(operation: str, name: str) -> ClientError:
    """The error for an upload that is not there.

    Args:
        operation: S3's name of the operation.
        name: The upload's.

    Returns:
        An error to raise.
    """
    message = (
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or "
        "completed."
    )
    return client_error(operation, "NoSuchUpload", 404, message, UploadId=name)


def check_number(operation: str, number: int) -> None:
    """Refuses numbers that no part can have.

    Args:
        operation: S3's name of the operation.
        number: The number.

    Raises:
        ClientError: ``InvalidArgument``.
    """
    if not 1 <= number <= _MOST:
        message = f"Part number must be an integer between 1 and {_MOST}, inclusive"
        raise client_error(operation, "InvalidArgument", 400, message, ArgumentName="partNumber")


def source_range(text: str | None, size: int) -> tuple[int, int]:
    """The bytes of its source that a part is made of.

    Args:
        text: ``bytes=first-last``; ``None`` for all.
        size: Bytes of the source.

    Returns:
        The first byte, and how many.

    Raises:
        ClientError: ``InvalidArgument``.
    """
    if text is None:
        return 0, size
    found = re.fullmatch(r"bytes=(\d+)-(\d+)", text, re.ASCII)
    first, last = map(int, found.groups()) if found else (1, 0)
    if last < first or last >= size:
        message = f"{text!r} is not of the form bytes=first-last, or not within the {size} bytes of the source"
        raise client_error("UploadPartCopy", "InvalidArgument", 400, message, ArgumentName="x-amz-copy-source-range")
    return first, last + 1 - first


def chosen(upload: Pending, wanted: Any) -> list[Part]:
    """The parts that a completion names, as S3 holds them against what it got.

    Args:
        upload: The upload.
        wanted: The parts, as boto3 names them.

    Returns:
        The parts.

    Raises:
        ClientError: ``InvalidPart``, ``InvalidPartOrder``, ``EntityTooSmall``, ``MalformedXML``.
    """
    operation = "CompleteMultipartUpload"
    numbers = [each["PartNumber"] for each in wanted]
    if not numbers:
        message = "The XML you provided was not well-formed or did not validate against our published schema"
        raise client_error(operation, "MalformedXML", 400, message)
    if any(later <= earlier for earlier, later in pairwise(numbers)):
        message = "The list of parts was not in ascending order. Parts must be specified in order by part number."
        raise client_error(operation, "InvalidPartOrder", 400, message)
    for each in wanted:
        part = upload.parts.get(each["PartNumber"])
        if part is None or part.md5 != str(each.get("ETag", "")).strip('"'):
            message = (
                "One or more of the specified parts could not be found. The part may not have been uploaded, or the "
                "specified entity tag may not match the part's entity tag."
            )
            raise client_error(operation, "InvalidPart", 400, message)
    parts = [upload.parts[number] for number in numbers]
    for part in parts[:-1]:
        if part.size < _SMALLEST:
            message = "Your proposed upload is smaller than the minimum allowed object size."
            raise client_error(operation, "EntityTooSmall", 400, message)
    return parts


def part_told(part: Part) -> dict[str, Any]:
    """A part as ``list_parts`` tells of it."""
    return {"PartNumber": part.number, "LastModified": part.stored, "ETag": quoted(part.md5), "Size": part.size}


def upload_told(upload: Pending) -> dict[str, Any]:
    """An upload as ``list_multipart_uploads`` tells of it."""
    return {
        "UploadId": upload.id,
        "Key": upload.key,
        "Initiated": upload.began,
        "StorageClass": upload.parameters.get("StorageClass", "STANDARD"),
    }
