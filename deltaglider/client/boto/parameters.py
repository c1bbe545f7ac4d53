"""Which parameters an operation takes: a misspelt one is refused, as botocore does, and never silently ignored."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from botocore.exceptions import ParamValidationError

from deltaglider.client.boto.exceptions import client_error
from deltaglider.engine.options import UploadOptions
from deltaglider.errors import InvalidInputError
from deltaglider.store.base import HEADER_NAMES

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


def check_parameters(operation: str, given: Mapping[str, Any], known: Iterable[str]) -> None:
    """Refuses what an operation does not know, or cannot keep to.

    Args:
        operation: S3's name of it.
        given: Parameters, by name.
        known: Those it takes.

    Raises:
        ParamValidationError: One is unknown.
    """
    names = sorted(known)
    for name in given:
        if name.startswith(("SSECustomer", "CopySourceSSECustomer")):
            report = (
                f"{name}: encryption with a key of one's own (SSE-C) is not supported: references would need it, and "
                "every reader of their deltas. Use ServerSideEncryption='aws:kms', or encrypt the file itself"
            )
            raise ParamValidationError(report=report)
        if name not in names:
            report = f'Unknown parameter in input: "{name}" of {operation}, must be one of: {", ".join(names)}'
            raise ParamValidationError(report=report)


def check_extra(given: Mapping[str, Any] | None, known: Iterable[str]) -> None:
    """Refuses what the ``ExtraArgs`` of a transfer must not hold, as boto3 does.

    Args:
        given: The arguments.
        known: Those it takes.

    Raises:
        InvalidInputError: One is unknown; it is a ``ValueError``.
    """
    names = sorted(known)
    for name in given or ():
        if name not in names:
            raise InvalidInputError(f"Invalid extra_args key {name!r}, must be one of: {', '.join(names)}")


def tags_of(text: str) -> dict[str, str]:
    """The tags of a ``Tagging`` parameter: ``name=value&...``, encoded as in a URL."""
    return dict(parse_qsl(text, keep_blank_values=True))


def conditions_of_write(operation: str, given: Mapping[str, Any], options: UploadOptions) -> UploadOptions:
    """Options with ``IfMatch`` and ``IfNoneMatch`` on the object that is written.

    Args:
        operation: S3's name of the operation.
        given: Its parameters.
        options: The options without them.

    Returns:
        The options with them.

    Raises:
        ClientError: ``NotImplemented``: S3 knows no other ``IfNoneMatch`` than ``*`` here.
    """
    match, none_match = given.get("IfMatch"), given.get("IfNoneMatch")
    if none_match not in (None, "*"):
        message = "A header you provided implies functionality that is not implemented"
        raise client_error(operation, "NotImplemented", 501, message)
    etag = None if match is None else match.removeprefix("W/").strip('"')
    return dataclasses.replace(options, no_overwrite=none_match == "*", if_match=etag)
