"""Copies inside the store: in one request, or in parts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlencode

from deltaglider.errors import NotFoundError, PreconditionFailedError
from deltaglider.store.base import HEADER_NAMES, PutResult, StoredObject
from deltaglider.store.s3 import multipart
from deltaglider.store.s3.answers import headed_object, put_result, quoted, require_etag, write_parameters
from deltaglider.store.s3.conditions import unless_refused
from deltaglider.store.s3.session import S3Session
from deltaglider.store.s3.unmixed import copy_one_generation


async def copy(
    session: S3Session,
    origin: tuple[str, str],
    target: tuple[str, str],
    *,
    metadata: Mapping[str, str] | None,
    headers: Mapping[str, str] | None,
    if_match: str | None,
    if_none_match: bool,
) -> PutResult:
    """See ``ObjectStore.copy``.

    Args:
        session: The session.
        origin: Bucket and key of the source.
        target: Bucket and key of the target.
        metadata: New user metadata; ``None`` keeps the source's metadata and headers.
        headers: New headers, with ``metadata``; write parameters, always.
        if_match: The ETag the source must have.
        if_none_match: Whether the target must be absent.

    Returns:
        What the store calls the result.
    """
    source = headed_object(*origin, await session.request("head_object", *origin))
    # Some stores ignore conditions on the source, and answer 500 where the target's bucket is missing.
    require_etag(source, if_match)
    if target[0] != origin[0]:
        await session.require_bucket(target[0])
    absent = {"IfNoneMatch": "*"} if if_none_match else {}
    if if_none_match:
        await _require_absent(session, *target)
    if source.size > multipart.COPY_LIMIT:
        parameters = await _parameters_of_parts(session, source, metadata, headers or {})
        result = await multipart.copy_parts(session, source, *target, parameters, absent)
    else:
        parameters = {**_parameters(source, metadata, headers or {}), **absent}
        if if_match and metadata is not None:
            # The bytes and what is said of them must not be of two generations.
            return await copy_one_generation(session, source, target, parameters)
        result = await _copy_whole(session, source, target, parameters, if_match)
    if if_match and result.etag != source.etag:
        # The copy has an ETag of its own, or is of another generation: some stores ignore conditions on the source.
        require_etag(headed_object(*origin, await session.request("head_object", *origin)), if_match)
    return result


async def _require_absent(session: S3Session, bucket: str, key: str) -> None:
    """Looks for the target itself: some stores ignore conditions on it, and only a race is left to them."""
    try:
        await session.request("head_object", bucket, key)
    except NotFoundError:
        return
    raise PreconditionFailedError(
        "the object is there", uri=f"s3://{bucket}/{key}", status=412, s3_code="PreconditionFailed"
    )


async def _copy_whole(
    session: S3Session,
    source: StoredObject,
    target: tuple[str, str],
    parameters: Mapping[str, Any],
    if_match: str | None,
) -> PutResult:
    origin = {"Bucket": source.bucket, "Key": source.key}
    send = partial(session.request, "copy_object", *target, CopySource=origin, **parameters)
    conditions = {"CopySourceIfMatch": quoted(if_match)} if if_match else {}
    answer = await unless_refused(session, send, **conditions)
    return put_result(answer, answer.get("CopyObjectResult", {}).get("ETag"))


def _parameters(source: StoredObject, metadata: Mapping[str, str] | None, headers: Mapping[str, str]) -> dict[str, Any]:
    """Of a copy in one request: S3 itself keeps what is to be kept."""
    tagging = {"TaggingDirective": "REPLACE"} if "Tagging" in headers else {}
    if metadata is not None:
        return {"MetadataDirective": "REPLACE", **tagging, **write_parameters(metadata, headers)}
    # The one header that S3 does not copy.
    redirect = {name: text for name, text in source.headers.items() if name == "WebsiteRedirectLocation"}
    return {"MetadataDirective": "COPY", **tagging, **redirect, **_write_only(headers)}


async def _parameters_of_parts(
    session: S3Session, source: StoredObject, metadata: Mapping[str, str] | None, headers: Mapping[str, str]
) -> dict[str, Any]:
    """Of a copy in parts: S3 keeps nothing of the source but its bytes."""
    if metadata is None:
        parameters = write_parameters(source.metadata, {**source.headers, **_write_only(headers)})
    else:
        parameters = write_parameters(metadata, headers)
    if source.tag_count and "Tagging" not in headers:
        parameters["Tagging"] = urlencode(await get_tags(session, source.bucket, source.key))
    return parameters


def _write_only(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in HEADER_NAMES and value}


async def get_tags(session: S3Session, bucket: str, key: str) -> dict[str, str]:
    """See ``ObjectStore.tags``."""
    answer = await session.request("get_object_tagging", bucket, key)
    return {tag["Key"]: tag["Value"] for tag in answer.get("TagSet", [])}
